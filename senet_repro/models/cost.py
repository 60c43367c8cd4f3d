"""Count what a network costs, as the paper counts (models floor)."""

from __future__ import annotations

import copy
import multiprocessing
import warnings
from collections.abc import Iterator, Sequence

import torch
from torch import nn

from senet_repro.config.identity import build_identity, hash_identity
from senet_repro.config.schema import DETECTION, Run
from senet_repro.core.cores import count_cores
from senet_repro.core.errors import ConfigError
from senet_repro.core.slow_work import SlowWork
from senet_repro.models.registry import network_of
from senet_repro.models.se import SEBlock

Counts = tuple[int, int]
"""Trainable parameters, and multiply-adds of one image."""

LAYERS = ("conv", "linear")
SQUEEZES = ("adaptive_avg_pool2d", "adaptive_max_pool2d")
# Fewer networks are counted before a new process has begun.
NETWORKS_PER_PROCESS = 3


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
    return _count_macs_of(copy.deepcopy(net), input_px)


def _count_macs_of(net: nn.Module, input_px: int) -> int:
    """Return the multiply-adds of a network whose values may be lost."""
    net.to_empty(device="cpu").eval()
    with warnings.catch_warnings():
        # fvcore scripts some of its own functions as it is imported.
        # The category is another one from release to release of torch.
        warnings.filterwarnings("ignore", r"`torch\.jit\.script` is deprecated")
        from fvcore.nn import FlopCountAnalysis
        from fvcore.nn.jit_handles import elementwise_flop_counter

    image = torch.zeros(1, 3, input_px, input_px, device="cpu")
    analysis = FlopCountAnalysis(net, image)
    # fvcore has no count of its own for a maximum; it counts an average as it counts this.
    analysis.set_op_handle("aten::adaptive_max_pool2d", elementwise_flop_counter(input_scale=1))
    analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
    try:
        by_module = analysis.by_module_and_operator()
    except RuntimeError as error:
        raise ConfigError(
            f"the network takes no input of {input_px} px: {str(error).splitlines()[0]}"
        ) from error

    # The empty name is the whole network's. Pools count in SE blocks only, not as the head of a network.
    macs = sum(int(by_module[""][layer]) for layer in LAYERS)
    for name, module in net.named_modules():
        if isinstance(module, SEBlock):
            macs += sum(int(by_module[name][squeeze]) for squeeze in SQUEEZES)
    return macs


def count_runs(runs: Sequence[Run]) -> list[Counts]:
    """Return the counts of the network of each run at its evaluation size; equal networks are counted once.

    A count takes a second or two of one core, most of it fvcore's tracing, so several share out all cores.
    """
    keys = [network_key(run) for run in runs]
    distinct = dict(zip(keys, runs, strict=True))
    processes = min(len(distinct) // NETWORKS_PER_PROCESS, count_cores())
    counts: Iterator[Counts] = map(count_run, distinct.values())
    if processes > 1:
        counts = _count_side_by_side(list(distinct.values()), processes)
    found: dict[str, Counts] = {}
    with SlowWork("counting multiply-adds, network by network") as work:
        for key, counted in zip(distinct, counts, strict=True):
            found[key] = counted
            work.count(len(found), len(distinct))
    return [found[key] for key in keys]


def _count_side_by_side(runs: Sequence[Run], processes: int) -> Iterator[Counts]:
    # New processes, since torch may have threads already and a fork would lose them; each with a thread of its own.
    spawn = multiprocessing.get_context("spawn")
    with spawn.Pool(processes, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        # One network at a time, since they differ much in size.
        yield from pool.imap(count_run, runs, chunksize=1)


def network_key(run: Run) -> str:
    """Return a key that runs share whose networks are built alike, for images of one size and as many classes.

    How their weights are trained, and which they begin with, makes no difference.
    """
    identity = build_identity(run)
    network = {
        "model": identity["model"],
        "se": identity["se"],
        "px": run.data.eval_px,
        "classes": run.data.classes,
    }
    if run.task == DETECTION:
        network["detection"] = {**identity["detection"], "most_px": run.data.most_px}
    return hash_identity(network)


# What this process has counted, by the network's key: the seeds of a sweep train one network.
_COUNTED: dict[str, Counts] = {}


def count_run(run: Run) -> Counts:
    """Return the counts of the network of a run at its evaluation size; a process counts each network once.

    Raises:
        ConfigError: the input is too small for the network.
    """
    key = network_key(run)
    if key not in _COUNTED and run.task == DETECTION:
        # Late: torchvision's detectors take a second to import.
        from senet_repro.models.detector_cost import count_detector

        _COUNTED[key] = count_detector(run)
    if key not in _COUNTED:
        with torch.device("meta"):
            net = network_of(run)
        _COUNTED[key] = (count_params(net), _count_macs_of(net, run.data.eval_px))
    return _COUNTED[key]
