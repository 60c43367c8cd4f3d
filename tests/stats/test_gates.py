"""Figures of gates against loops over single images, and against populations whose figures are known."""

from __future__ import annotations

import math
from statistics import fmean

import numpy as np
import pytest

from senet_repro.stats.gates import (
    BLOCK_FIGURES,
    BlockRoles,
    GateSums,
    GroupedSums,
    compute_figures,
    estimate_figures,
    find_roles,
)

GROUPS = 5


def add_up(gates: np.ndarray, labels: np.ndarray, groups: np.ndarray, classes: int) -> GroupedSums:
    """The sums of gates (N, C), image by image."""
    channels = gates.shape[1]
    counts = np.zeros((GROUPS, classes))
    sums = np.zeros((GROUPS, classes, channels))
    squares = np.zeros((GROUPS, channels))
    near_one = np.zeros(GROUPS)
    for own, label, group in zip(gates, labels, groups, strict=True):
        counts[group, label] += 1
        sums[group, label] += own
        squares[group] += own**2
        near_one[group] += (own > 0.9).sum()
    return GroupedSums(counts, sums, squares, near_one)


def draw(images: int, classes: int, channels: int, effect: float, seed: int = 0) -> GateSums:
    """Gates whose classes differ by so much, in standard deviations within a class."""
    generator = np.random.default_rng(seed)
    labels = np.arange(images) % classes
    centres = effect * generator.standard_normal((classes, channels))
    gates = centres[labels] + generator.standard_normal((images, channels))
    return add_up(gates, labels, np.zeros(images, dtype=int), classes).add_groups()


def test_figures_are_those_of_loops_over_images() -> None:
    generator = np.random.default_rng(1)
    labels = np.array([0, 0, 0, 1, 1, 2, 2, 2, 2])
    gates = generator.random((9, 4)) + labels[:, None] * np.array([0.3, 0.0, 0.1, 0.2])
    sums = add_up(gates, labels, np.arange(9) % GROUPS, 4).add_groups()
    within = total = 0.0
    for channel in range(4):
        own = gates[:, channel]
        total += sum((own - own.mean()) ** 2)
        for label in range(3):
            part = own[labels == label]
            within += sum((part - part.mean()) ** 2)
    expected_share = 1 - (within / 6) / (total / 8)
    means = np.array([gates[labels == label].mean(axis=0) for label in range(3)])
    overall = gates.mean(axis=0)
    correlations = [np.corrcoef(row, overall)[0, 1] for row in means]
    slopes = [np.polyfit(overall, row, 1)[0] for row in means]
    found = {name: find_figure(sums) for name, find_figure in BLOCK_FIGURES.items()}
    assert found == pytest.approx(
        {
            "class_share": expected_share,
            "near_one_share": (gates > 0.9).mean(),
            "pattern_correlation": fmean(correlations),
            "scale_spread": np.std(slopes, ddof=1),
            "within_sd": math.sqrt(within / 6 / 4),
        }
    )


@pytest.mark.parametrize(("effect", "share"), [(0.0, 0.0), (0.5, 0.2), (1.0, 0.5)])
@pytest.mark.parametrize("images", [60, 2000])
def test_the_share_between_classes_does_not_grow_with_few_images(
    effect: float, share: float, images: int
) -> None:
    found = [BLOCK_FIGURES["class_share"](draw(images, 20, 200, effect, seed)) for seed in range(4)]
    assert fmean(found) == pytest.approx(share, abs=0.03)


@pytest.mark.parametrize(
    ("counts", "unknown"),
    [([1, 1, 1], {"class_share", "within_sd"}), ([3, 0, 0], {"scale_spread"})],
)
def test_figures_that_the_images_cannot_tell_are_no_numbers(
    counts: list[int], unknown: set[str]
) -> None:
    labels = np.repeat(np.arange(3), counts)
    gates = np.random.default_rng(2).random((3, 5))
    sums = add_up(gates, labels, np.zeros(3, dtype=int), 3).add_groups()
    found = {name for name, find in BLOCK_FIGURES.items() if math.isnan(find(sums))}
    assert found == unknown


NAMES_50 = [f"SE_{s}_{u}" for s, n in ((2, 3), (3, 4), (4, 6), (5, 3)) for u in range(1, n + 1)]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (NAMES_50, BlockRoles(["SE_2_3", "SE_3_4"], ["SE_4_6", "SE_5_1"], "SE_5_2", "SE_5_3")),
        (
            [f"SE_{s}_{u}" for s in (2, 3, 4) for u in (1, 2, 3)],
            BlockRoles(["SE_2_3"], ["SE_3_3", "SE_4_1"], "SE_4_2", "SE_4_3"),
        ),
        (["SE_2_1", "SE_3_1", "SE_4_1"], None),
        (["SE_4_1", "SE_4_2", "SE_4_3"], None),
        (["SE_2_1a", "SE_2_1b", "SE_3_1a", "SE_4_1a"], None),
    ],
)
def test_roles_are_the_papers_blocks_and_those_in_their_place(
    names: list[str], expected: BlockRoles | None
) -> None:
    assert find_roles(names) == expected


def test_statements_are_about_the_blocks_in_their_roles() -> None:
    names = [f"SE_{s}_{u}" for s in (2, 3, 4) for u in (1, 2, 3)]
    sums = {name: draw(90, 3, 6, 0.1 * place, place) for place, name in enumerate(names)}
    harms = {name: float(place) for place, name in enumerate(names)}
    found = compute_figures(sums, harms, find_roles(names))
    share = {name: found[f"class_share/{name}"] for name in names}
    late = fmean([share["SE_3_3"], share["SE_4_1"]])
    assert found["early_class_share"] == share["SE_2_3"]
    assert found["late_less_early_class_share"] == pytest.approx(late - share["SE_2_3"])
    # The blocks before the last two have 0 to 6, those 7 and 8.
    assert found["before_less_last_two_harm"] == pytest.approx(3.0 - 7.5)
    without = compute_figures(sums, {}, find_roles(names))
    assert "before_less_last_two_harm" not in without


def test_standard_errors_are_those_of_the_jackknife_by_hand() -> None:
    generator = np.random.default_rng(3)
    labels = np.arange(40) % 2
    groups = np.arange(40) // 2 % GROUPS
    gates = generator.random((40, 3))
    grouped = {"SE_2_1": add_up(gates, labels, groups, 2)}
    harms = [{"SE_2_1": 1.0 + group} for group in range(GROUPS + 1)]
    estimates = estimate_figures(grouped, harms, GROUPS)
    parts = []
    for group in range(GROUPS):
        kept = groups != group
        own = add_up(gates[kept], labels[kept], groups[kept], 2).add_groups()
        parts.append(BLOCK_FIGURES["within_sd"](own))
    expected = math.sqrt((GROUPS - 1) / GROUPS * sum((part - fmean(parts)) ** 2 for part in parts))
    found = estimates["within_sd/SE_2_1"]
    assert found.standard_error == pytest.approx(expected)
    assert (found.n, found.degrees) == (40, GROUPS - 1)
    # 2 to 6 without each group: their squares about 4 add up to 10.
    assert estimates["harm/SE_2_1"].standard_error == pytest.approx(math.sqrt(0.8 * 10))


def test_the_jackknife_covers_the_mean_gate_as_a_t_interval_should() -> None:
    covered = 0
    for seed in range(200):
        generator = np.random.default_rng(seed)
        gates = generator.normal(0.9, 0.2, (100, 1))
        labels = np.arange(100) % 2
        grouped = {"SE_2_1": add_up(gates, labels, np.arange(100) // 2 % GROUPS, 2)}
        found = estimate_figures(grouped, [{}] * (GROUPS + 1), GROUPS)["near_one_share/SE_2_1"]
        assert found.half_width is not None
        covered += abs(found.mean - 0.5) <= found.half_width
    # 95 % of 200 is 190; fixed seeds make it the same number at each run.
    assert 184 <= covered <= 196
