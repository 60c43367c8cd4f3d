"""Several devices: the same images, the same gradients, each image evaluated once; and none of them fails alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from senet_repro.config.canonical import run_dir
from senet_repro.results.metrics import read_epochs
from senet_repro.results.store import read_status
from senet_repro.training.checkpoints import LAST
from senet_repro.training.execute import execute
from senet_repro.training.failures import RunFailed, Stopped
from senet_repro.training.processes import log_of
from tests.training.runs import SMALL, silent, small, weights

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]

# What each device's process does in place of a run: a network without batch norm, its loss and gradient at each step.
STEPS = """
import json, os, sys
import torch
from torch import nn
from senet_repro.config.composition import compose
from senet_repro.data.module import ImageData
from senet_repro.training.classification import Classification
from senet_repro.training.fit import make_trainer
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
trainer = make_trainer(run, [Seen()])
trainer.fit(Classification(net, run.recipe, run.seed), datamodule=ImageData(run.data, 240, run.seed, 0))
if trainer.is_global_zero:
    print(json.dumps({"gradients": Seen.steps, "losses": [x for x, _ in Seen.images],
                      "images": [sorted(x) for _, x in Seen.images]}))
"""

# The same for an evaluation of a run's checkpoint, on a set whose size the number of devices need not divide.
EVALUATE = """
import json, os, sys
import torch
from senet_repro.config.composition import compose
from senet_repro.data.images import ImageSet
from senet_repro.data.module import ImageData
from senet_repro.training.classification import Classification, errors
from senet_repro.training.fit import build_net, make_trainer

torch.set_num_threads(1)
size = int(os.environ["SIZE"])
class Part(ImageData):
    def setup(self, stage=None):
        super().setup(stage)
        self._test = ImageSet(self._test.images[:size], self._test.labels[:size])

run = compose(json.loads(os.environ["OVERRIDES"]))
trainer = make_trainer(run, [])
module = Classification(build_net(run), run.recipe, run.seed)
module.load_state_dict(torch.load(os.environ["CHECKPOINT"])["state_dict"])
module.on_train_epoch_start = None
from senet_repro.training.classification import Tally
module._tally = Tally(torch.device("cpu"))
data = Part(run.data, 240, run.seed, 0)
trainer.validate(module, datamodule=data, verbose=False)
if trainer.is_global_zero:
    print(json.dumps({"n": module.eval_sums[3], "size": data.num_test, **errors(module.eval_sums, "")}))
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
        on_devices(STEPS, devices, ["recipe.epochs=2", f"trainer.accumulate={parts}", "data.flip=true"])
        for devices, parts in ((1, 1), (2, 1), (3, 1), (2, 2))
    )
    assert len(one["losses"]) == 10
    for other, parts in zip(others, (1, 1, 2), strict=True):
        images = [sorted(sum(other["images"][at : at + parts], [])) for at in range(0, 10 * parts, parts)]
        losses = [sum(other["losses"][at : at + parts]) / parts for at in range(0, 10 * parts, parts)]
        assert images == [pytest.approx(step, rel=1e-9) for step in one["images"]]
        assert losses == pytest.approx(one["losses"], rel=1e-4)
        assert other["gradients"] == [pytest.approx(step, rel=1e-3) for step in one["gradients"]]


def test_a_checkpoint_makes_exactly_the_same_errors_on_any_number_of_devices(tmp_path: Path) -> None:
    run = small(tmp_path, "recipe.epochs=1")
    execute(run, silent)
    for size in (360, 359, 7):
        found = [
            on_devices(EVALUATE, devices, [], SIZE=str(size), CHECKPOINT=str(run_dir(run) / LAST))
            for devices in (1, 2, 3)
        ]
        assert [each["n"] for each in found] == [size] * 3
        for name in ("top1_err_pct", "top5_err_pct"):
            assert len({each[name] for each in found}) == 1
        assert [each["loss"] for each in found] == pytest.approx([found[0]["loss"]] * 3, rel=1e-5)
