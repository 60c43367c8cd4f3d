"""What a network costs, counted as the paper counts (models floor)."""

from __future__ import annotations

import copy
import multiprocessing
import os
import warnings
from collections.abc import Sequence

import torch
from torch import nn

from senet_repro.config.identity import build_identity, hash_identity
from senet_repro.config.schema import Run
from senet_repro.core.errors import ConfigError
from senet_repro.models.registry import network_of
from senet_repro.models.se import SEBlock

Counts = tuple[int, int]
"""Trainable parameters, and multiply-adds of one image."""

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

    Raises:
        ConfigError: the input is too small for the network.
    """
    # A count needs shapes, not values: the copy leaves them behind, and with them its device.
    return _macs(copy.deepcopy(net), input_px)


def _macs(net: nn.Module, input_px: int) -> int:
    """The multiply-adds of a network whose values may be lost."""
    net.to_empty(device="cpu").eval()
    with warnings.catch_warnings():
        # fvcore scripts some of its own functions as it is imported.
        warnings.filterwarnings("ignore", r"`torch\.jit\.script` is deprecated", FutureWarning)
        from fvcore.nn import FlopCountAnalysis
        from fvcore.nn.jit_handles import elementwise_flop_counter

    analysis = FlopCountAnalysis(net, torch.zeros(1, 3, input_px, input_px, device="cpu"))
    analysis.set_op_handle("aten::adaptive_max_pool2d", elementwise_flop_counter(input_scale=1))
    analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
    try:
        by_module = analysis.by_module_and_operator()
    except RuntimeError as error:
        raise ConfigError(
            f"the network takes no input of {input_px} px: {str(error).splitlines()[0]}"
        ) from error
    blocks = [name for name, module in net.named_modules() if isinstance(module, SEBlock)]
    counted = [(name, SQUEEZES) for name in blocks] + [("", LAYERS)]
    return sum(
        int(by_module[name][operator]) for name, operators in counted for operator in operators
    )


def count_runs(runs: Sequence[Run]) -> list[Counts]:
    """Return the counts of the network of each run at its evaluation size; equal networks are counted once.

    A count takes a second or two of one core, most of it fvcore's tracing, so several share out all cores.
    """
    distinct = {_network_key(run): run for run in runs}
    processes = min(
        len(distinct) // 3, os.cpu_count() or 1
    )  # fewer are counted before a process has begun
    if processes < 2:
        counts = [_count(run) for run in distinct.values()]
    else:
        # New processes, since torch may have threads already; one network at a time, since they differ in size.
        with multiprocessing.get_context("spawn").Pool(
            processes, torch.set_num_threads, (1,)
        ) as pool:
            counts = pool.map(_count, distinct.values(), chunksize=1)
    found = dict(zip(distinct, counts, strict=True))
    return [found[_network_key(run)] for run in runs]


def _network_key(run: Run) -> str:
    form = build_identity(run)
    return hash_identity(
        {
            "model": form["model"],
            "se": form["se"],
            "px": run.data.eval_px,
            "classes": run.data.classes,
        }
    )


def _count(run: Run) -> Counts:
    with torch.device("meta"):
        net = network_of(run)
    return count_params(net), _macs(net, run.data.eval_px)
