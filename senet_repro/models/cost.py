"""What a network costs, counted as the paper counts (models floor)."""

from __future__ import annotations

import copy
import warnings

import torch
from torch import nn

from senet_repro.models.se import SEBlock

LAYERS = ("conv", "linear")
SQUEEZES = ("adaptive_avg_pool2d", "adaptive_max_pool2d")


def count_params(net: nn.Module) -> int:
    """Return the number of trainable parameters; the running statistics of batch normalisation are none."""
    return sum(p.numel() for p in net.parameters() if p.requires_grad)


def count_macs(net: nn.Module, input_px: int) -> int:
    """Return the multiply-adds of one square RGB image of `input_px` pixels a side, in evaluation mode.

    Counted: convolutions, linear layers, and one operation per element that a squeeze pools, average and
    maximum alike. Not counted: biases, BN, activations, other pooling, the scaling by the gate.
    This is the convention that comes closest to the published figures (3.86 G for ResNet-50, section 4).

    The network is left as it was; it may live on any device, the meta device included.
    """
    with warnings.catch_warnings():
        # fvcore scripts some of its own functions as it is imported.
        warnings.filterwarnings("ignore", r"`torch\.jit\.script` is deprecated", FutureWarning)
        from fvcore.nn import FlopCountAnalysis
        from fvcore.nn.jit_handles import elementwise_flop_counter

    # A count needs shapes, not values: the copy leaves them behind, and with them its device.
    twin = copy.deepcopy(net).to_empty(device="cpu").eval()
    analysis = FlopCountAnalysis(twin, torch.zeros(1, 3, input_px, input_px, device="cpu"))
    analysis.set_op_handle("aten::adaptive_max_pool2d", elementwise_flop_counter(input_scale=1))
    analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
    by_module = analysis.by_module_and_operator()
    blocks = [name for name, module in twin.named_modules() if isinstance(module, SEBlock)]
    counted = [(name, SQUEEZES) for name in blocks] + [("", LAYERS)]
    return sum(int(by_module[name][operator]) for name, operators in counted for operator in operators)
