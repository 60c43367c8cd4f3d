"""Studies of gates as the command would have left them behind, with chosen figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from senet_repro.config.studies import load_study
from senet_repro.results.excitation import BlockCurves, GateStudy

BLOCKS = [f"SE_{stage}_{unit}" for stage in (2, 3, 4) for unit in (1, 2, 3)]
FIGURES = {claim.figure: 0.5 for claim in load_study("excitation").claims}


def make_study(
    seed: int | None = 0, figures: Mapping[str, float] = FIGURES, **changes: Any
) -> GateStudy:
    """A study of a run of a seed, or of a file of weights, with these values and a standard error of 0.01."""
    run = None if seed is None else {"name": "cifar10-x", "run_key": "ab" * 32, "seed": seed}
    curves = BlockCurves(
        block="SE_2_1",
        channels=[1, 5],
        overall=[0.2, 0.4],
        means=[[0.1, 0.3], [0.3, 0.5], [0.2, 0.6]],
        sds=[[0.0, 0.1]] * 3,
        picture=[0.2, 0.9],
    )
    values: dict[str, Any] = {
        "key": "cd" * 32,
        "network": "resnet29",
        "se": {"squeeze": "avg", "excitation": "sigmoid", "placement": "standard", "r": 16},
        "weights": {"file": "w", "sha256": "ef" * 32, "source": None, "released_as": "theirs"},
        "run": run,
        "data": {
            "name": "cifar10",
            "title": "CIFAR-10",
            "whole_images": 10_000,
            "fingerprint": "12" * 32,
            "skipped": [],
            "proxy": "CIFAR-10 (16x16)",
        },
        "size_px": 16,
        "resize_px": None,
        "trainer": {
            "precision": "32-true",
            "channels_last": True,
            "batch_size": 10,
            "devices": 1,
        },
        "notes": [],
        "images": 10_000,
        "top1_err_pct": 36.5,
        "classes": [{"label": 0, "name": name, "images": 50} for name in ("<b>", "cat", "dog")],
        "picture": {"index": 3, "class": "<b>", "opened": {"SE_2_1": [[5, 0.9]]}},
        "draw_seed": 0,
        "blocks": BLOCKS,
        "curves": [curves],
        "figures": {
            name: {"value": value, "standard_error": 0.01, "degrees": 9}
            for name, value in figures.items()
        },
        "commit": None,
        "dirty": None,
        "versions": {},
        "hardware": {"device": "cpu", "name": "CPU"},
        "finished_at": "2026-01-01T00:00:00+00:00",
    }
    return GateStudy(**{**values, **changes})
