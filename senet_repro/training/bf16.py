"""bf16 on a CPU whose libraries have no kernels for it: the same roundings, with float32 arithmetic (training floor).

Under autocast to bf16 a convolution or a linear layer rounds its operands to bf16, sums their products in float32 and
rounds the sum to bf16, forward and backward. oneDNN does so with instructions of AVX-512 or AMX. Without them torch
takes a loop of its own, ten times slower than float32: 4 against 40 to 77 GFLOP/s on one core of an AMD EPYC 7003.

The layers here round the operands to bf16 themselves, let oneDNN's float32 kernel multiply and sum them, and round the
sum. What is rounded, and where, is the same; the order in which a kernel adds is another, as it is on any other
processor. So a run keeps its key, and its record tells the processor. Two kinds of sums are rounded less often here:
those of the gradients of a convolution's input, of which torch's own loop rounds the parts, too, and those of the
gradients of a layer that a step uses several times, such as a detector's head, which autocast adds in bf16.

Outside of autocast, and of float64, they compute what they are without it, as autocast itself would leave them.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from senet_repro.config.schema import Run
from senet_repro.models.se import PositionwiseLinear
from senet_repro.training.devices import uses_gpu


def ease_bf16(run: Run, module: nn.Module) -> None:
    """Let the convolutions and linear layers of a run's module be quick where its CPU has no kernels for bf16.

    Their parameters and the names in the state_dict stay. It changes nothing where the run trains in another precision
    or on a GPU, where oneDNN has the kernels, or where it was called before.
    """
    if run.trainer.precision != "bf16-mixed" or uses_gpu(run.trainer) or has_bf16_kernels():
        return
    for layer in module.modules():
        # Other subclasses may compute something else.
        rounded = ROUNDED.get(type(layer))
        if rounded is not None:
            layer.__class__ = rounded


def has_bf16_kernels() -> bool:
    """Return whether oneDNN multiplies in bf16 on this CPU; without oneDNN nothing is known to be slower."""
    if not torch._C._has_mkldnn:
        return True
    supported: bool = torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return supported


class RoundedConv2d(nn.Conv2d):
    """Convolves as autocast to bf16 does, in float32: (N, C, H, W) -> (N, C', H', W') in bf16."""

    def forward(self, input: Tensor) -> Tensor:
        """Return the convolution of `input`, whose operands and sums are rounded to bf16 where autocast would."""
        if not _is_autocast(input):
            return super().forward(input)
        images, weight = _round(input), _round(self.weight)
        bias = None if self.bias is None else _round(self.bias)
        with torch.autocast("cpu", enabled=False):
            output: Tensor = self._conv_forward(images, weight, bias)
        return output.bfloat16()


class RoundedLinear(nn.Linear):
    """Multiplies as autocast to bf16 does, in float32: (N, C) -> (N, C') in bf16."""

    def forward(self, input: Tensor) -> Tensor:
        """Return the product of `input` and the weights; operands and sums are rounded to bf16 where autocast would."""
        if not _is_autocast(input):
            return super().forward(input)
        features, weight = _round(input), _round(self.weight)
        bias = None if self.bias is None else _round(self.bias)
        with torch.autocast("cpu", enabled=False):
            output = F.linear(features, weight, bias)
        return output.bfloat16()


class RoundedPositionwiseLinear(PositionwiseLinear, RoundedLinear):
    """Multiplies at every position as autocast to bf16 does, in float32: (N, C, H, W) -> (N, C', H, W) in bf16."""


ROUNDED: dict[type[nn.Module], type[nn.Module]] = {
    nn.Conv2d: RoundedConv2d,
    nn.Linear: RoundedLinear,
    PositionwiseLinear: RoundedPositionwiseLinear,
}


def _is_autocast(values: Tensor) -> bool:
    """Return whether autocast would cast an operand: it is on, and leaves float64 alone."""
    return torch.is_autocast_enabled("cpu") and values.dtype != torch.float64


def _round(values: Tensor) -> Tensor:
    """Return float32 values of which each is one of bf16; so are their gradients."""
    return values.bfloat16().float()
