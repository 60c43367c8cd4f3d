"""trainer.compile=true: each network compiled anew, for one shape in training and in evaluation (training floor)."""

from __future__ import annotations

import sys
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn


class CompiledForward:
    """Stands in the place of a network's `forward`: compiled for whole batches, plain for the rest of a set.

    The last batch of an evaluation is mostly smaller than the others. Compiling it as well takes as long as all the
    others gain.
    """

    def __init__(self, net: nn.Module) -> None:
        self._net = net
        self._plain = net.forward
        # Shapes are constants of the compiled code, or a second shape would have the first compiled again.
        self._compiled = torch.compile(net.forward, dynamic=False)
        # By whether the network trains.
        self._shapes: dict[bool, torch.Size] = {}

    def __call__(self, images: Tensor) -> Tensor:
        """Return what the network's own `forward` returns."""
        shape = self._shapes.setdefault(self._net.training, images.shape)
        forward = self._compiled if images.shape == shape else self._plain
        output: Tensor = forward(images)
        return output


def compile_network(net: nn.Module) -> None:
    """Let a network be compiled when it is called; its state keeps its names."""
    # torch compiles a function a few times and then gives up without an error, and all networks of a process share
    # their `forward`.
    torch.compiler.reset()
    count_frames().clear()
    net.forward = CompiledForward(net)


def count_frames() -> Any:
    """Return torch's counters of the functions that it was to compile (`total`), and of those that it did (`ok`)."""
    # Imported only where a network is compiled, since it takes a second.
    from torch._dynamo.utils import counters

    return counters["frames"]


class CompileReport(pl.Callback):
    """Says after the first epoch if a part of the network was not compiled, which torch itself takes lightly."""

    def __init__(self) -> None:
        self._is_due = True

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Print the line, once."""
        frames = count_frames()
        if self._is_due and trainer.is_global_zero and frames["ok"] < frames["total"]:
            missing = frames["total"] - frames["ok"]
            print(
                f"trainer.compile=true: {missing} of {frames['total']} parts of the network are not compiled",
                file=sys.stderr,
            )
        self._is_due = False
