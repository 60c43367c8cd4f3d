"""Made-up evaluations: what `evaluate` would have left behind."""

from __future__ import annotations

from typing import Any

from senet_repro.config.identity import hash_identity
from senet_repro.results.evaluation import RELEASED, Evaluation

SE = {
    "r": 16,
    "squeeze": "avg",
    "excitation": "sigmoid",
    "stages": [2, 3, 4, 5],
    "placement": "standard",
    "fc": "linear",
    "bias": True,
}


def make_evaluation(**fields: Any) -> Evaluation:
    """An evaluation of timm's SENet-154 on all of ImageNet, with any field replaced."""
    stated: dict[str, Any] = {
        "kind": RELEASED,
        "network": "senet154",
        "options": {},
        "se": SE,
        "task": "classification",
        "weights": {
            "file": "senet154.safetensors",
            "sha256": "ab" * 32,
            "source": "timm",
            "released_as": "legacy_senet154",
        },
        "run": None,
        "data": {
            "name": "imagenet",
            "title": "ImageNet",
            "whole_images": 50_000,
            "fingerprint": "cd" * 32,
            "skipped": [],
        },
        "trained_px": 224,
        "size_px": 224,
        "resize_px": 256,
        "preprocessing": {
            "mean": [123.675, 116.28, 103.53],
            "std": [58.395, 57.12, 57.375],
            "interpolation": "bilinear",
            "antialias": True,
            "published_by": "timm",
        },
        "notes": [],
        "trainer": {
            "precision": "32-true",
            "channels_last": True,
            "batch_size": 256,
            "devices": 1,
        },
        "metrics": {"top1_err_pct": 18.7, "top5_err_pct": 4.5},
        "intervals": {"top1_err_pct": [18.4, 19.0], "top5_err_pct": [4.3, 4.7]},
        "interval": "Wilson score interval, 95 %, over images",
        "images": 50_000,
        "outcomes": {"sha256": "ef" * 32, "images": 50_000, "ranks": 5},
        "commit": None,
        "dirty": None,
        "versions": {"torch": "2.14.1"},
        "hardware": {"device": "cpu", "devices": 1, "name": "a CPU", "threads": 1},
        "finished_at": "2026-11-26T00:00:00+00:00",
        **fields,
    }
    deciding = {name: stated[name] for name in ("weights", "size_px", "resize_px", "run")}
    return Evaluation(key=hash_identity(deciding), **stated)
