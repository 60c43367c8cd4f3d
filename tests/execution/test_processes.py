"""Several devices: the same images, the same gradients, each image evaluated once; and none of them fails alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from senet_repro.config.identity import run_dir
from senet_repro.core.errors import ConfigError, RunFailed
from senet_repro.execution.execute import train_to_record
from senet_repro.results.epochs import read_epochs
from senet_repro.results.plan import find_plan, plan_run, write_plan
from senet_repro.results.run_folder import RunFolder
from senet_repro.results.store import read_status
from tests.commands import start, wait_for_end, wait_until
from tests.training.runs import SMALL, same, silent, small, timeless_epochs, weights

pytestmark = [pytest.mark.slow, pytest.mark.faults, pytest.mark.usefixtures("one_thread")]

# What each device's process does in place of a run: a network without batch norm, its loss and gradient at each step.
STEPS = """
import json, os, sys
import torch
from torch import nn
from senet_repro.config.composition import compose
from senet_repro.tasks.classification.data_module import ImageData
from senet_repro.tasks.classification.module import Classification
from senet_repro.training.fit import build_trainer
from pytorch_lightning import Callback

class Seen(Callback):
    steps = []
    images = []
    def on_before_optimizer_step(self, trainer, module, optimizer):
        self.steps.append([float(p.grad.double().norm()) for p in module.parameters()])
    def on_train_batch_end(self, trainer, module, outputs, batch, index):
        loss = trainer.strategy.reduce(outputs["loss"].detach(), reduce_op="mean")
        gathered = module.all_gather(batch[0].double().sum(dim=(1, 2, 3)))
        self.images.append((float(loss), gathered.flatten().tolist()))

torch.set_num_threads(1)
torch.manual_seed(0)
run = compose(json.loads(os.environ["OVERRIDES"]))
net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(288, 10))
trainer = build_trainer(run, [Seen()])
trainer.fit(Classification(net, run.recipe, run.seed), datamodule=ImageData(run.data, 240, run.seed, 0))
if trainer.is_global_zero:
    print(json.dumps({"gradients": Seen.steps, "losses": [x for x, _ in Seen.images],
                      "images": [sorted(x) for _, x in Seen.images]}))
"""

# The same for evaluations of a run's checkpoint, on sets whose size the number of devices need not divide.
EVALUATIONS = """
import json, os
import torch
from senet_repro.config.composition import compose
from senet_repro.data.images import ImageSet
from senet_repro.tasks.classification.data_module import ImageData
from senet_repro.tasks.classification.module import Classification
from senet_repro.training.fit import build_network, build_trainer

class Part(ImageData):
    size = 0
    def setup(self, stage=None):
        super().setup(stage)
        self._test = ImageSet(self._test.images[: self.size], self._test.labels[: self.size])

torch.set_num_threads(1)
run = compose(json.loads(os.environ["OVERRIDES"]))
trainer = build_trainer(run, [])
module = Classification(build_network(run), run.recipe, run.seed)
module.load_state_dict(torch.load(os.environ["CHECKPOINT"])["state_dict"])
found = {}
for size in (360, 359, 7):
    data = Part(run.data, 240, run.seed, 0)
    data.size = size
    trainer.validate(module, datamodule=data, verbose=False)
    found[size] = {"n": module.eval_images, **module.eval_results, "outcomes": module.eval_outcomes.digest}
if trainer.is_global_zero:
    print(json.dumps(found))
"""


def on_devices(code: str, devices: int, overrides: Sequence[str], **environment: str) -> Any:
    """What the first of so many processes printed."""
    port = str(20_000 + os.getpid() % 20_000 + devices)
    fixed = [*SMALL, "recipe.batch_size=240", f"trainer.devices={devices}"]
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", code],
            stdout=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                **environment,
                "OVERRIDES": json.dumps([*fixed, *overrides]),
                "LOCAL_RANK": str(rank),
                "MASTER_ADDR": "127.0.0.1",
                "MASTER_PORT": port,
            },
        )
        for rank in range(devices)
    ]
    said = [process.communicate(timeout=120)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * devices
    return json.loads(said[0])


def test_devices_together_take_the_images_and_the_gradients_of_one() -> None:
    one, *others = (
        on_devices(
            STEPS, devices, ["recipe.epochs=2", f"trainer.accumulate={parts}", "data.flip=true"]
        )
        for devices, parts in ((1, 1), (2, 2), (3, 1))
    )
    assert len(one["losses"]) == 10
    for other, parts in zip(others, (2, 1), strict=True):
        starts = range(0, 10 * parts, parts)
        images = [sorted(chain(*other["images"][at : at + parts])) for at in starts]
        losses = [
            sum(other["losses"][at : at + parts]) for at in starts
        ]  # each is its part of the step's mean
        assert images == [pytest.approx(step, rel=1e-9) for step in one["images"]]
        assert losses == pytest.approx(one["losses"], rel=1e-4)
        assert other["gradients"] == [pytest.approx(step, rel=1e-3) for step in one["gradients"]]


def test_a_checkpoint_makes_exactly_the_same_errors_on_any_number_of_devices(
    tmp_path: Path,
) -> None:
    run = small(tmp_path, "recipe.epochs=1")
    train_to_record(run, silent)
    one, *others = (
        on_devices(EVALUATIONS, n, [], CHECKPOINT=str(RunFolder.of(run).last_checkpoint))
        for n in (1, 2, 3)
    )
    assert [one[size]["n"] for size in one] == [360, 359, 7]
    for other in others:
        # The outcomes of each image among them, in the order of the set.
        assert [{**other[size], "loss": None} for size in one] == [
            {**one[size], "loss": None} for size in one
        ]
        assert [other[size]["loss"] for size in one] == pytest.approx(
            [one[size]["loss"] for size in one], rel=1e-5
        )


@pytest.mark.gate
def test_a_run_on_two_devices_has_the_same_key_and_evaluates_each_image_once(
    tmp_path: Path,
) -> None:
    one, two = (
        small(tmp_path / str(n), f"trainer.devices={n}", "recipe.epochs=2", "r=none")
        for n in (1, 2)
    )
    for run in (one, two):
        write_plan(Path(run.results_dir), [plan_run(run, [])])
    records = [train_to_record(run, silent)[1] for run in (one, two)]
    assert [record.plan for record in records] == [find_plan(run) for run in (one, two)]
    assert records[1].plan is not None
    assert records[0].run_key == records[1].run_key
    assert [record.eval_images for record in records] == [360, 360]
    assert [record.hardware["devices"] for record in records] == [1, 2]
    # The same images in the same order; batch-norm statistics per device make the rest differ a little.
    losses = [record.metrics["train_loss"] for record in records]
    assert losses[1] == pytest.approx(losses[0], rel=0.2)


FAULTS = {
    "a reason": ("raise ArithmeticError('the second device failed')", "the second device failed"),
    "a divergence": (
        "from senet_repro.core.errors import Diverged; raise Diverged('not finite')",
        "not finite",
    ),
    "a signal": (
        "os.kill(os.getpid(), 9)",
        "the process of device1 was killed by SIGKILL; if memory ran out",
    ),
}


@pytest.mark.parametrize(
    "fault", ["a reason", "a divergence", pytest.param("a signal", marks=pytest.mark.gate)]
)
def test_a_device_that_fails_fails_its_run_with_reason_and_log_and_leaves_no_process(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, reason = FAULTS[fault]
    # Python runs sitecustomize at its start: here in the processes of the devices.
    (tmp_path / "sitecustomize.py").write_text(
        "import os, sys\n"
        "if os.environ.get('LOCAL_RANK') == '1':\n"
        "    from senet_repro.training.callbacks import EpochLog\n"
        "    def fail(*_):\n"
        "        print('what it said last', flush=True)\n"
        f"        {code}\n"
        "    EpochLog.on_train_epoch_start = fail\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    run = small(tmp_path, "trainer.devices=2")
    with pytest.raises(RunFailed, match=reason):
        train_to_record(run, silent)
    status = read_status(run_dir(run))
    assert status["state"] == "failed"
    assert reason in status["reason"]
    assert status["diverged"] == (fault == "a divergence")
    assert any("what it said last" in line for line in status["log_tail"])
    assert processes_of(tmp_path) == []


def test_a_run_that_cannot_be_is_known_as_such_from_its_processes(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run = small(tmp_path, "trainer.devices=2", "protocol=cifar10", f"data.root={tmp_path}")
    with pytest.raises(ConfigError, match=r"data\.root=DIR"):
        train_to_record(run, silent)
    assert "Traceback" not in capfd.readouterr().err


def test_two_devices_stop_together_and_go_on(tmp_path: Path) -> None:
    overrides = ["trainer.devices=2", "recipe.batch_size=16", "r=none"]  # 89 steps an epoch
    whole, cut = (small(tmp_path / name, *overrides) for name in ("whole", "cut"))
    train_to_record(whole, silent)
    command = [*SMALL, *overrides, f"results_dir={tmp_path / 'cut'}"]
    process = start(*command)
    wait_until(lambda: read_epochs(run_dir(cut)), "the first epoch")
    process.terminate()
    _, said = wait_for_end(process)
    assert process.returncode == 143, said
    assert "Traceback" not in said
    assert read_status(run_dir(cut))["state"] == "stopped"
    assert processes_of(tmp_path) == []
    train_to_record(cut, silent)
    assert timeless_epochs(cut) == timeless_epochs(whole)
    assert same(weights(cut), weights(whole))


def test_devices_keep_their_folder_when_the_command_is_killed(tmp_path: Path) -> None:
    run = small(tmp_path, "trainer.devices=2", "recipe.epochs=40", "r=none")
    command = [*SMALL, "trainer.devices=2", "recipe.epochs=40", "r=none", f"results_dir={tmp_path}"]
    parent = start(*command, stderr=subprocess.DEVNULL)
    wait_until(lambda: read_epochs(run_dir(run)), "the first epoch")
    parent.kill()
    parent.wait()
    told: list[str] = []
    _, record = train_to_record(run, told.append)
    assert len(told) == 1
    assert record.epochs == 40
    assert [epoch["epoch"] for epoch in read_epochs(run_dir(run))] == list(range(1, 41))


def test_two_nodes_meet_in_the_runs_folder_and_train_one_sweep(tmp_path: Path) -> None:
    command = [*SMALL, "trainer.nodes=2", "r=none,4", f"results_dir={tmp_path}", "recipe.epochs=2"]
    nodes = [
        start("-m", *command, NODE_RANK=str(node), MASTER_ADDR="127.0.0.1") for node in range(2)
    ]
    said = [wait_for_end(node) for node in nodes]
    assert [node.returncode for node in nodes] == [0, 0], said
    assert said[0][0] == said[1][0]
    for overrides in (["r=none"], ["r=4"]):
        run = small(tmp_path, *overrides, "recipe.epochs=2")
        assert len(read_epochs(run_dir(run))) == 2
        assert RunFolder.of(run).device_log(1).exists()
        record = train_to_record(run, silent)[1]
        assert (record.hardware["devices"], record.eval_images) == (2, 360)


def test_several_nodes_without_a_number_are_an_error_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NODE_RANK", raising=False)
    with pytest.raises(ConfigError, match=r"trainer\.nodes=2: start the command once on each node"):
        train_to_record(small(tmp_path, "trainer.nodes=2"), silent)


def processes_of(folder: Path) -> list[str]:
    """The commands of the processes that work below a folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = path.read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        found += [text] if str(folder) in text else []
    return found
