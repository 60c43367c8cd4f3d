"""trainer.graph: a static step, recorded or not, trains and resumes as the step that is not static."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torchmetrics import MetricCollection

from senet_repro.config.schema import Run
from senet_repro.core.errors import RunFailed, Stopped
from senet_repro.execution.execute import train_to_record
from senet_repro.results.record import read_record
from senet_repro.results.run_folder import RunFolder
from senet_repro.tasks.classification.metrics import build_measures
from senet_repro.training import fit
from senet_repro.training.callbacks import SafePoints
from senet_repro.training.graph import (
    GraphedStep,
    GraphStrategy,
    StaticStep,
    StaticSums,
    create_momenta,
    explain_recording,
    read_rate_from,
    restore_tensors,
)
from senet_repro.training.schedule import build_optimizer
from senet_repro.training.task_module import ImageCount
from tests.training.runs import STEPS, outcomes, same, silent, small, timeless_epochs, weights

pytestmark = pytest.mark.usefixtures("one_thread", "ends")

HARD = ["recipe.epochs=2", "recipe.nesterov=true", "recipe.cutout_px=3", "data.flip=true"]
BUILD = fit.build_network
PLATEAU = ["recipe.schedule.kind=plateau", "recipe.schedule.patience_epochs=0"]


def build_tiny(_run: Run) -> nn.Module:
    """A network that draws in every step and keeps statistics."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Flatten(),
        nn.Dropout(0.2),
        nn.Linear(72, 10),
    )


@pytest.fixture(autouse=True)
def _networks_are_tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fit, "build_network", build_tiny)


def choose(run: Run, folder: Path, graph: bool) -> Run:
    return replace(run, results_dir=str(folder), trainer=replace(run.trainer, graph=graph))


def train(run: Run, folder: Path, graphs: list[bool], stop_at: int = 0) -> Run:
    """Train a run; each attempt but the last, with a graph or without, is stopped in the step `stop_at`."""
    for graph in graphs[:-1]:
        with stopping_in(stop_at):
            train_to_record(choose(run, folder, graph), silent)
    run = choose(run, folder, graphs[-1])
    train_to_record(run, silent)
    return run


@contextmanager
def stopping_in(step: int) -> Iterator[None]:
    """Send this process SIGTERM in a step, counted from 1 over all epochs, and expect the run to end with it."""
    steps = iter(range(1, 1000))
    end = SafePoints.on_train_batch_end

    def with_signal(self: SafePoints, *arguments: object) -> None:
        if next(steps) == step:
            os.kill(os.getpid(), signal.SIGTERM)
        end(self, *arguments)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SafePoints, "on_train_batch_end", with_signal)
        with pytest.raises(Stopped):
            yield


def list_leaves(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Everything in a checkpoint, with its place there, but for what a clock gives."""
    if isinstance(value, dict):
        for key, part in value.items():
            if key != "so_far_s":
                yield from list_leaves(part, f"{place}.{key}")
    elif isinstance(value, list | tuple):
        for index, part in enumerate(value):
            yield from list_leaves(part, f"{place}.{index}")
    else:
        yield place, value.tolist() if isinstance(value, Tensor) else value


def read_leaves(run: Run) -> dict[str, Any]:
    checkpoint = torch.load(RunFolder.of(run).last_checkpoint)
    return dict(list_leaves(checkpoint))


@pytest.mark.parametrize(
    "overrides",
    [
        HARD,
        pytest.param(
            [*HARD, *PLATEAU, "trainer.precision=bf16-mixed"],
            marks=[pytest.mark.slow, pytest.mark.faults],
        ),
    ],
)
def test_a_static_step_trains_and_resumes_bit_by_bit(overrides: list[str], tmp_path: Path) -> None:
    run = small(tmp_path, *overrides)
    eager = train(run, tmp_path / "eager", [False])
    attempts = [
        ([True, True], STEPS + 2),
        ([True, False], STEPS + 2),
        ([False, True], STEPS),
    ]
    for index, (graphs, stop_at) in enumerate(attempts):
        static = train(run, tmp_path / str(index), graphs, stop_at)
        assert same(weights(eager), weights(static))
        assert timeless_epochs(eager) == timeless_epochs(static)
        assert outcomes(eager) == outcomes(static)
        # Whatever Lightning counts and the optimizer keeps is equal, too.
        assert read_leaves(eager) == read_leaves(static)


class PlayedGraph:
    """Stands in for a CUDA graph on the CPU: a replay takes the step that was recorded, with the rate's tensor."""

    step: StaticStep
    graphed: GraphedStep

    def __init__(self) -> None:
        self.lr = torch.zeros(())
        self.replays = 0

    @contextmanager
    def record(self) -> Iterator[None]:
        """Run what is recorded and undo it, since a recording computes nothing."""
        self.lr = self.step.optimizer.param_groups[0]["lr"]
        changed = self.step.list_changed()
        kept = [tensor.detach().clone() for tensor in changed]
        with torch.random.fork_rng([]):
            yield
        restore_tensors(changed, kept)

    def replay(self) -> None:
        self.replays += 1
        with read_rate_from(self.lr, self.step.optimizer):
            self.graphed._loss.copy_(self.step.take())

    def reset(self) -> None:
        self.graphed = None  # type: ignore[assignment]


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> list[PlayedGraph]:
    """Let runs on the CPU record and replay their steps, each by a graph in the list."""
    graphs: list[PlayedGraph] = []
    build_step = GraphStrategy._build_step

    def build_graph() -> PlayedGraph:
        graphs.append(PlayedGraph())
        graphs[-1].step = steps[-1]
        return graphs[-1]

    def build_graphed(self: GraphStrategy, batches: Any) -> GraphedStep:
        step = build_step(self, batches)
        assert isinstance(step, StaticStep)
        steps.append(step)
        graphed = GraphedStep(step, self.root_device)
        graphs[-1].graphed = graphed
        return graphed

    steps: list[StaticStep] = []
    fork_rng = torch.random.fork_rng
    stream = SimpleNamespace(wait_stream=lambda _other: None)
    event = SimpleNamespace(synchronize=lambda: None, record=lambda: None)
    stand_ins = {
        "CUDAGraph": build_graph,
        "graph": lambda graph, stream: graph.record(),
        "Stream": lambda _device: stream,
        "current_stream": lambda _device: stream,
        "stream": lambda _stream: nullcontext(),
        "Event": lambda blocking: event,
        "synchronize": lambda: None,
    }
    for name, stand_in in stand_ins.items():
        monkeypatch.setattr(torch.cuda, name, stand_in)
    monkeypatch.setattr(torch.random, "fork_rng", lambda _devices: fork_rng([]))
    monkeypatch.setattr(GraphStrategy, "_build_step", build_graphed)
    return graphs


def test_replays_train_as_the_steps_and_go_on_where_they_stopped(
    tmp_path: Path, played: list[PlayedGraph]
) -> None:
    run = small(tmp_path, *HARD)
    eager = train(run, tmp_path / "eager", [False])
    straight = train(run, tmp_path / "straight", [True])
    resumed = train(run, tmp_path / "resumed", [True, True], stop_at=STEPS + 2)
    assert [graph.replays for graph in played] == [2 * STEPS, STEPS + 2, STEPS - 2]
    assert read_leaves(straight) == read_leaves(resumed)
    # The fused optimizer rounds otherwise than torch's loop over the parameters.
    torch.testing.assert_close(weights(straight), weights(eager), rtol=1e-4, atol=1e-5)
    for ours, theirs in zip(timeless_epochs(straight), timeless_epochs(eager), strict=True):
        assert ours == pytest.approx(theirs, rel=1e-4)


def test_the_rate_may_stand_in_a_tensor(tmp_path: Path) -> None:
    run = small(tmp_path)
    for changes in ({"weight_decay": 0.01, "nesterov": True}, {"momentum": 0.0}):
        recipe = replace(run.recipe, **changes)
        nets = [build_tiny(run), build_tiny(run)]
        for net, has_tensor in zip(nets, (False, True), strict=True):
            optimizer = build_optimizer(net.parameters(), recipe)
            own = dict(optimizer.param_groups[0])
            if has_tensor:
                create_momenta(optimizer)
            for step in range(3):
                for parameter in net.parameters():
                    parameter.grad = torch.full_like(parameter, step + 1.0)
                lr = torch.tensor(recipe.lr)
                with read_rate_from(lr, optimizer) if has_tensor else nullcontext():
                    optimizer.step()
            # Checkpoints hold the numbers, with a graph and without.
            assert optimizer.param_groups[0] == own
        plain, fused = (list(net.parameters()) for net in nets)
        torch.testing.assert_close(plain, fused, rtol=1e-5, atol=1e-6)


def test_sums_stay_where_they_are() -> None:
    metrics = MetricCollection({**build_measures(), "images": ImageCount()}, compute_groups=False)
    sums = StaticSums(metrics)
    for images in (2, 5):
        metrics.reset()
        sums.hold()
        places = [tensor.data_ptr() for tensor in sums.tensors]
        hits = torch.ones(images, 5, dtype=torch.bool)
        metrics.update(images=images, loss=torch.tensor(1.5), hits=hits)
        sums.hold()
        assert [tensor.data_ptr() for tensor in sums.tensors] == places
        values = metrics.compute()
        assert (float(values["loss"]), int(values["images"])) == (1.5, images)


def fail_twice(first: Exception) -> None:
    """Fail as a recording does: its end fails, too."""
    with explain_recording():
        try:
            raise first
        finally:
            raise RuntimeError("CUDA error: operation failed due to a previous error")


def test_a_recording_that_fails_names_its_mend() -> None:
    with pytest.raises(RunFailed, match=r"\(not permitted\): give trainer\.graph=false"):
        fail_twice(RuntimeError("not permitted\nCompile with more"))
    with pytest.raises(torch.OutOfMemoryError, match="tried to allocate"):
        fail_twice(torch.OutOfMemoryError("tried to allocate"))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="records CUDA graphs")
class TestOnGpu:
    """The same on a GPU, where two runs without a graph may differ, too: the graph's may not differ by much more."""

    @pytest.mark.parametrize(
        ("build", "overrides", "limit"),
        [
            (build_tiny, [], 1e-3),
            (build_tiny, ["trainer.precision=bf16-mixed"], 3e-2),
            (BUILD, ["trainer.precision=bf16-mixed"], 3e-2),
            pytest.param(
                BUILD, ["trainer.compile=true"], 1e-2, marks=[pytest.mark.slow, pytest.mark.faults]
            ),
        ],
    )
    def test_replays_train_as_the_steps_and_go_on_where_they_stopped(
        self,
        build: Callable[[Run], nn.Module],
        overrides: list[str],
        limit: float,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(fit, "build_network", build)
        run = small(tmp_path, *HARD, "trainer.accelerator=gpu", *overrides)
        first, again = (train(run, tmp_path / name, [False]) for name in ("first", "again"))
        noise = measure_distance(first, again)
        straight = train(run, tmp_path / "straight", [True])
        assert read_record(RunFolder.of(straight).record_file).trainer["graph"]
        assert measure_distance(straight, first) <= max(limit, 10 * noise)
        taken = measure_reserved()
        for name, graphs in {"kept": [True, True], "left": [True, False]}.items():
            resumed = train(run, tmp_path / name, graphs, STEPS + 2)
            assert measure_distance(resumed, straight) <= max(limit, 10 * noise)
        # Nothing of a graph outlives its run.
        assert measure_reserved() <= taken

    def test_a_step_that_waits_for_the_device_cannot_be_recorded(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Reading(nn.Flatten):
            def forward(self, images: Tensor) -> Tensor:
                return super().forward(images) * (1.0 if images.sum().item() > 0 else 0.5)

        def build_reading(_run: Run) -> nn.Module:
            return nn.Sequential(Reading(), nn.Linear(192, 10))

        monkeypatch.setattr(fit, "build_network", build_reading)
        run = small(tmp_path, "trainer.accelerator=gpu")
        with pytest.raises(RunFailed, match=r"give trainer\.graph=false"):
            train(run, tmp_path, [True])


def measure_reserved() -> int:
    """The bytes that torch keeps of the GPU, what is left of a run aside."""
    gc.collect()
    torch.cuda.empty_cache()
    return torch.cuda.memory_reserved()


def measure_distance(left: Run, right: Run) -> float:
    """The distance of two runs' floating-point weights and statistics, as a share of their length."""
    vectors = []
    for run in (left, right):
        tensors = [tensor for tensor in weights(run).values() if tensor.is_floating_point()]
        vectors.append(torch.cat([tensor.double().flatten().cpu() for tensor in tensors]))
    one, other = vectors
    return float((one - other).norm() / other.norm())
