"""Made-up costs: what `cost` would have left behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from senet_repro.results.costs import KINDS, CostSetting, MeasuredCost, hash_cost

SETTING = CostSetting(
    device="a CPU",
    device_type="cpu",
    precision="32-true",
    is_compiled=False,
    batch=8,
    threads=1,
    memory_format="channels_last",
    torch="2.14.1",
)
GPU = replace(SETTING, device="a GPU", device_type="cuda", threads=None, batch=256)


def make_cost(
    *, ratios: Sequence[float] = (1.09, 1.1, 1.11), network: str = "resnet50", **fields: Any
) -> MeasuredCost:
    """A network whose times and joules with SE are these multiples of those without, in each round."""
    plain_ms = [200.0 + 2 * number for number in range(len(ratios))]
    with_se_ms = [ratio * time_ms for ratio, time_ms in zip(ratios, plain_ms, strict=True)]
    stated: dict[str, Any] = {
        "network": network,
        "px": 224,
        "setting": SETTING,
        "is_quick": False,
        "params": [25_557_032, 28_088_024],
        "macs": [3_858_000_000, 3_866_000_000],
        "times_ms": {kind: [plain_ms, with_se_ms] for kind in KINDS},
        "memory_bytes": [900_000_000, 1_080_000_000],
        "memory_is": "Memory is what it is.",
        "energy_j": [],
        "energy_is": "Joules are not told.",
        "checked": "gradients within 1e-06",
        "machine": {
            "cores": 2,
            "load": 0.5,
            "versions": {"torch": "2.14.1"},
            "commit": "ab" * 20,
            "dirty": False,
            "measured_at": "2026-11-27T00:00:00+00:00",
        },
        **fields,
    }
    key = hash_cost(network, stated["px"], stated["setting"], stated["is_quick"])
    return MeasuredCost(key=key, **stated)
