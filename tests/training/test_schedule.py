"""Learning rates at named points of a training."""

from __future__ import annotations

import pytest

from senet_repro.config.composition import compose
from senet_repro.training.schedule import lr_factor


@pytest.mark.parametrize(
    ("recipe", "unit", "expected"),
    [
        # epochs of 270 and of 100, iterations of 64k
        ("imagenet_ablation", 270, {0: 1, 124.9: 1, 125: 0.1, 199: 0.1, 200: 0.01, 250: 0.001, 269: 0.001}),
        ("imagenet", 100, {0: 1, 29: 1, 30: 0.1, 60: 0.01, 90: 0.001}),
        ("cifar_resnet", 64000, {0: 1, 31999: 1, 32000: 0.1, 47999: 0.1, 48000: 0.01}),
        ("demo", 1, {0: 1, 0.5: 0.5, 1: 0}),
    ],
)
def test_the_rate_falls_where_the_recipe_says(recipe: str, unit: int, expected: dict[float, float]) -> None:
    factor = lr_factor(compose([f"recipe={recipe}"]).recipe.schedule)
    assert {at: factor(at / unit) for at in expected} == pytest.approx(expected, rel=1e-9, abs=1e-12)
