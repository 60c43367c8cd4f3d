"""Set a network with channels cut out beside the whole one: size, time and logits (execution floor; torch)."""

from __future__ import annotations

import copy
import time
from collections.abc import Mapping
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn

from senet_repro.config.evaluation import CropRule
from senet_repro.execution.loaded_target import LoadedTarget
from senet_repro.models.cost import count_macs, count_params
from senet_repro.models.cutting import cut_channels
from senet_repro.models.gates import find_se_blocks
from senet_repro.models.layers import Classifier
from senet_repro.models.masking import mask_channels

ROUNDS = 25
BATCH = 16
TOLERANCE = 1e-9
"""How far logits of the cut network may lie from the masked one's, in float64, as a share of the largest."""


@torch.no_grad()
def compare_cut(
    loaded: LoadedTarget, rule: CropRule, dropped: Mapping[str, Tensor]
) -> dict[str, Any]:
    """Return sizes, times and the difference in logits of a network without channels and the whole one.

    Pairs of figures begin with the cut network's. A time is that of a batch, the median over rounds in which both are
    timed in turn; the ratio is cut to whole.

    Raises:
        RuntimeError: the logits differ, so that the cut is wrong.
    """
    net = loaded.net
    pair = (cut_channels(net, dropped), net)
    pictures = torch.randn(BATCH, 3, rule.size_px, rule.size_px, device=loaded.device)
    difference = _find_difference(net, dropped, pictures)
    if not difference <= TOLERANCE:
        raise RuntimeError(
            f"a cut network's logits differ from the masked one's by {difference:.2g}"
        )
    rounds = _time_pair(loaded, pair, pictures)
    ratios = [own / whole for own, whole in rounds]
    return {
        "params": [count_params(one) for one in pair],
        "macs": [count_macs(one, rule.size_px) for one in pair],
        "ms": [median(times) for times in zip(*rounds, strict=True)],
        "ratio": median(ratios),
        "lowest": min(ratios),
        "highest": max(ratios),
        "rounds": ROUNDS,
        "batch": BATCH,
        "difference": difference,
    }


def _find_difference(net: Classifier, dropped: Mapping[str, Tensor], pictures: Tensor) -> float:
    """Return how far the logits of the cut network lie from the masked one's, as a share of the largest."""
    exact = copy.deepcopy(net).double()
    placed = {name: drop.to(pictures.device) for name, drop in dropped.items()}
    with mask_channels(find_se_blocks(exact), placed):
        masked = exact(pictures.double())
    cut = cut_channels(exact, dropped)(pictures.double())
    return float((cut - masked).abs().max() / masked.abs().max())


def _time_pair(
    loaded: LoadedTarget, pair: tuple[nn.Module, nn.Module], pictures: Tensor
) -> list[tuple[float, float]]:
    """Return the milliseconds of a batch of both in each round."""
    # Libraries choose algorithms at the first call.
    for net in pair:
        _time_batch(loaded, net, pictures)
    rounds = []
    for number in range(ROUNDS):
        # Every other round begins with the second: neither always finds the caches of the other.
        order = pair if number % 2 == 0 else pair[::-1]
        taken = {net: _time_batch(loaded, net, pictures) for net in order}
        rounds.append((taken[pair[0]], taken[pair[1]]))
    return rounds


def _time_batch(loaded: LoadedTarget, net: nn.Module, pictures: Tensor) -> float:
    is_on_gpu = loaded.device.type == "cuda"
    if is_on_gpu:
        torch.cuda.synchronize(loaded.device)
    started_s = time.perf_counter()
    with loaded.choose_precision():
        net(pictures)
    if is_on_gpu:
        torch.cuda.synchronize(loaded.device)
    return 1000 * (time.perf_counter() - started_s)
