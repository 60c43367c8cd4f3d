"""trainer.graph=true: the whole training step recorded once as a CUDA graph and replayed from then on (training floor).

A small network's step is some hundred operations, and the host takes longer to hand them to a GPU than the GPU to
work through them. A graph is handed over as one. It holds everything of a step: order, crops, normalisation, forward
and backward pass, the optimizer, and the sums of the metrics.

A graph repeats its operations on the very memory that they were recorded with, so whatever they read or write has to
stay where it is, and no number of the host may decide anything. `StaticStep` is such a step, and on the CPU it simply
runs. What a network draws at random it has to draw on its device: torch hands each replay the state of the device's
generator, so that a replay draws what the step itself would have drawn.

Lightning goes on as ever around it, since `GraphStrategy` is the place that Lightning itself asks for a step: it counts
steps, moves the schedule, and saves the same checkpoints with a graph and without. docs/lifecycle.md shows the part in
resuming.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle
from typing import Any

import torch
from pytorch_lightning.plugins import Precision
from pytorch_lightning.strategies import SingleDeviceStrategy
from torch import Tensor
from torch.optim import SGD, Optimizer
from torchmetrics import Metric, MetricCollection

from senet_repro.core.errors import RunFailed, reason_of
from senet_repro.data.static_batches import StaticBatches
from senet_repro.training.task_module import TaskModule

# Steps that are taken and undone first: in them cuDNN chooses its algorithms, and the network is compiled.
_WARM_UP_STEPS = 3
# Replays that may wait on the GPU: progress is reported, and signals are answered, at most so many steps early.
_MOST_AHEAD = 16


class GraphStrategy(SingleDeviceStrategy):
    """Lets Lightning train on one device by static steps, recorded as a graph where the device is a GPU."""

    strategy_name = "graph"

    def __init__(self, device: torch.device) -> None:
        super().__init__(device)
        self._step: StaticStep | GraphedStep | None = None

    def training_step(self, *args: Any, **_kwargs: Any) -> Tensor:
        """Take a whole step, the optimizer's part included, and return the batch's mean loss.

        The first argument is the `StaticBatches` of the run.
        """
        if self._step is None:
            self._step = self._build_step(args[0])
        return self._step.take()

    def backward(self, closure_loss: Tensor, *_args: Any, **_kwargs: Any) -> Tensor:
        """Do nothing: `training_step` has gone backwards already."""
        return closure_loss

    def optimizer_step(
        self, optimizer: Optimizer, closure: Callable[[], Any], *_args: Any, **_kwargs: Any
    ) -> Any:
        """Run Lightning's closure, in which it calls `training_step`, and nothing after it."""
        return closure()

    def teardown(self) -> None:
        """Give the graph's memory back, whether the run is finished or not."""
        if isinstance(self._step, GraphedStep):
            self._step.release_memory()
        self._step = None
        super().teardown()

    def _build_step(self, batches: StaticBatches) -> StaticStep | GraphedStep:
        (optimizer,) = self.optimizers
        module = self.lightning_module
        assert isinstance(optimizer, SGD)
        assert isinstance(module, TaskModule)
        step = StaticStep(module, optimizer, batches, self.precision_plugin)
        if self.root_device.type != "cuda":
            print(
                "trainer.graph=true: a CPU has no graphs, and takes the same steps one operation at a time",
                file=sys.stderr,
            )
            return step
        return GraphedStep(step, self.root_device)


class StaticStep:
    """One training step, which reads and writes nothing but tensors that stay where they are."""

    def __init__(
        self, module: TaskModule, optimizer: SGD, batches: StaticBatches, precision: Precision
    ) -> None:
        self.module = module
        self.optimizer = optimizer
        self.batches = batches
        self.precision = precision
        self.sums = StaticSums(module.train_metrics)
        create_momenta(optimizer)

    def take(self) -> Tensor:
        """Train on the next batch, and return its mean loss."""
        self.sums.hold()
        batch = self.batches.take_batch()
        # As Lightning calls it: under autocast with mixed precision, and the backward pass outside of it.
        with self.precision.train_step_context():
            loss = self.module.training_step(batch, 0)
        assert isinstance(loss, Tensor)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        self.optimizer.zero_grad()
        # A metric may have put a new tensor in the place of its sum.
        self.sums.hold()
        return loss.detach()

    def list_changed(self) -> list[Tensor]:
        """Return every tensor that a step leaves changed."""
        net = self.module.net
        states = self.optimizer.state.values()
        momenta = [state["momentum_buffer"] for state in states]
        position = self.batches.position
        return [*net.parameters(), *net.buffers(), *momenta, *self.sums.tensors, position]


class StaticSums:
    """The sums of metrics, in tensors that stay where they are; torchmetrics replaces its own at each reset."""

    def __init__(self, metrics: MetricCollection) -> None:
        self._places: list[tuple[Metric, str, Tensor]] = []
        for _name, metric in metrics.items(keep_base=True):
            for state, value in metric.metric_state.items():
                assert isinstance(value, Tensor), state
                self._places.append((metric, state, value.clone()))

    @property
    def tensors(self) -> list[Tensor]:
        """The tensors, in the order of the metrics and their states."""
        return [tensor for _metric, _state, tensor in self._places]

    def hold(self) -> None:
        """Let each metric count in its own tensor here, and go on from what it has counted so far."""
        for metric, state, tensor in self._places:
            current = getattr(metric, state)
            if current is tensor:
                continue
            tensor.copy_(current)
            setattr(metric, state, tensor)
            # A replay updates the metric without its knowledge, and it would warn of having counted nothing.
            metric._update_count = max(metric._update_count, 1)


def create_momenta(optimizer: SGD) -> None:
    """Give each parameter its momentum, zeros, where it has none yet.

    torch would make it of the first gradient, whose memory a graph uses for other tensors as well. One step later it
    is the same.
    """
    (group,) = optimizer.param_groups
    if group["momentum"] == 0:
        return
    for parameter in group["params"]:
        state = optimizer.state[parameter]
        if state.get("momentum_buffer") is None:
            state["momentum_buffer"] = torch.zeros_like(parameter)


class GraphedStep:
    """A static step on a GPU, recorded as a CUDA graph.

    The learning rate is a number of the host, which a graph would repeat: it is written into a tensor before a replay.

    Raises:
        OutOfMemory: the first steps, or the graph's own memory, did not fit.
        RunFailed: the step could not be recorded; the message names the mend.
    """

    def __init__(self, step: StaticStep, device: torch.device) -> None:
        """Record the step; everything that it changes is afterwards what it was."""
        self._sums = step.sums
        (self._group,) = step.optimizer.param_groups
        self._written_lr = float(self._group["lr"])
        # torch's kernel reads it as a float32.
        self._lr = torch.tensor(self._written_lr, dtype=torch.float32, device=device)
        events = [torch.cuda.Event(blocking=True) for _ in range(_MOST_AHEAD)]  # type: ignore[no-untyped-call]
        self._events = cycle(events)
        self._graph = torch.cuda.CUDAGraph()

        stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        before = torch.cuda.current_stream(device)
        stream.wait_stream(before)
        # Both on one stream, so that what torch keeps for a stream is there before the recording. This context also
        # brings the stream from before back where the recording fails.
        with torch.cuda.stream(stream), read_rate_from(self._lr, step.optimizer):
            self._warm_up(step, device)
            with explain_recording(), torch.cuda.graph(self._graph, stream=stream):
                self._loss = step.take()
        before.wait_stream(stream)

    def take(self) -> Tensor:
        """Train on the next batch, and return its mean loss, which stands in the same memory for each step."""
        self._sums.hold()
        lr = self._group["lr"]
        if lr != self._written_lr:
            self._lr.fill_(lr)
            self._written_lr = lr
        event = next(self._events)
        event.synchronize()
        self._graph.replay()
        event.record()
        return self._loss

    def release_memory(self) -> None:
        """Forget the graph and its memory, which torch would otherwise keep until Python happens to clean up."""
        torch.cuda.synchronize()
        self._graph.reset()
        del self._loss

    def _warm_up(self, step: StaticStep, device: torch.device) -> None:
        """Take a few steps, and undo each of them: the next batch may be the last one of its epoch."""
        changed = step.list_changed()
        kept = [tensor.detach().clone() for tensor in changed]
        with torch.random.fork_rng([device]):
            for _ in range(_WARM_UP_STEPS):
                step.take()
                restore_tensors(changed, kept)


@torch.no_grad()
def restore_tensors(tensors: list[Tensor], values: list[Tensor]) -> None:
    """Write each value into its tensor."""
    for tensor, value in zip(tensors, values, strict=True):
        tensor.copy_(value)


@contextmanager
def read_rate_from(lr: Tensor, optimizer: SGD) -> Iterator[None]:
    """Let the optimizer read its learning rate from a tensor, float32 of shape (), as its fused form alone can."""
    (group,) = optimizer.param_groups
    own = {key: group[key] for key in ("lr", "fused", "foreach")}
    group.update(lr=lr, fused=True, foreach=None)
    try:
        yield
    finally:
        group.update(own)


@contextmanager
def explain_recording() -> Iterator[None]:
    """Turn what ends a recording into an error that names the mend.

    Raises:
        torch.OutOfMemoryError: memory ran out.
        RunFailed: anything else went wrong.
    """
    try:
        yield
    except Exception as error:
        cause = find_first_error(error)
        if isinstance(cause, torch.OutOfMemoryError):
            raise cause from None
        reason = reason_of(cause).splitlines()[0]
        raise RunFailed(
            f"the training step could not be recorded as a CUDA graph ({reason}): give trainer.graph=false"
        ) from error


def find_first_error(error: Exception) -> Exception:
    """Return the error in whose handling all later ones were raised.

    A recording that something went wrong in fails once more as it is ended, with an error that says nothing of it.
    """
    while isinstance(error.__context__, Exception):
        error = error.__context__
    return error
