"""Made-up findings: what `importance` would have left behind."""

from __future__ import annotations

from typing import Any

from senet_repro.config.importance import MEASURES, SHARES_PCT
from senet_repro.results.importance import Importance
from tests.evaluations import SE


def make_finding(seed: int = 0, **fields: Any) -> Importance:
    """A finding of a seed, with any field replaced: random masks are wrong by 60 %, all other measures by 40 %."""
    errors = {
        measure: [[60.0 if measure == "random" else 40.0] * len(SHARES_PCT)] for measure in MEASURES
    }
    stated: dict[str, Any] = {
        "key": f"{seed:064x}",
        "network": "resnet29",
        "se": SE,
        "weights": {"file": "last.ckpt", "sha256": f"{seed:064x}", "source": None},
        "run": {"name": "cifar10-resnet29-r16", "run_key": "ab" * 32, "seed": seed},
        "data": {"name": "cifar10", "title": "CIFAR-10", "fingerprint": "cd" * 32},
        "measured_images": 5000,
        "scored_images": 5000,
        "shares_pct": [*SHARES_PCT],
        "unmasked_err_pct": 30.0,
        "errors_pct": {"2": errors, "all": errors},
        "cut": None,
        "notes": [],
        "trainer": {"precision": "32-true"},
        "commit": None,
        "dirty": None,
        "versions": {"torch": "2.14.1"},
        "hardware": {"device": "cpu"},
        "finished_at": "2026-11-27T00:00:00+00:00",
    }
    return Importance(**{**stated, **fields})
