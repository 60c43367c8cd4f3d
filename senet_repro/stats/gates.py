"""Numbers for what section 7.2 says of gates in words, with their uncertainty over images (stats floor).

Letters as in the shapes below: G groups of images, K classes, C channels of a block. Images are dealt into the groups
at random. Each figure is computed once from all of them and once without each group in turn; how far these values lie
apart gives its standard error (the jackknife that leaves a group out), so nothing is kept of a single image.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from senet_repro.stats.estimates import Estimate, build_estimate

NEAR_ONE = 0.9
"""A gate above this lets its channel pass almost as it is."""

_NAME = re.compile(r"SE_(?P<stage>\d+)_(?P<unit>\d+)(?P<letter>[a-z]?)")


@dataclass(frozen=True)
class GateSums:
    """Sums of the gates of one block over images; added or subtracted, they are those of more or fewer images."""

    counts: np.ndarray  # (K,) images
    sums: np.ndarray  # (K, C) of the gates
    squares: np.ndarray  # (C,) of the gates' squares
    near_one: float  # gates above NEAR_ONE, over all images and channels

    def __sub__(self, other: GateSums) -> GateSums:
        """Return the sums without those of some of the images."""
        return GateSums(
            self.counts - other.counts,
            self.sums - other.sums,
            self.squares - other.squares,
            self.near_one - other.near_one,
        )

    @property
    def images(self) -> int:
        """Return the number of images."""
        return int(self.counts.sum())

    @property
    def mean(self) -> np.ndarray:
        """Return the mean gate of each channel over all images (C,)."""
        mean: np.ndarray = self.sums.sum(axis=0) / self.images
        return mean

    @property
    def class_means(self) -> np.ndarray:
        """Return the mean gate of each channel in each class that has images (classes, C)."""
        has_images = self.counts > 0
        means: np.ndarray = self.sums[has_images] / self.counts[has_images, None]
        return means


@dataclass(frozen=True)
class GroupedSums:
    """Sums of the gates of one block over images, apart for each group of them."""

    counts: np.ndarray  # (G, K)
    sums: np.ndarray  # (G, K, C)
    squares: np.ndarray  # (G, C)
    near_one: np.ndarray  # (G,)

    def add_groups(self) -> GateSums:
        """Return the sums over all images."""
        return GateSums(
            self.counts.sum(axis=0),
            self.sums.sum(axis=0),
            self.squares.sum(axis=0),
            float(self.near_one.sum()),
        )

    def select_group(self, group: int) -> GateSums:
        """Return the sums over the images of one group."""
        near_one = float(self.near_one[group])
        return GateSums(self.counts[group], self.sums[group], self.squares[group], near_one)


def find_class_share(sums: GateSums) -> float:
    """Return the share of the variance of gates that lies between classes, over all channels: a one-way analysis.

    It is adjusted for chance (Kelley's epsilon squared): classes that do not differ have 0 on average, however few
    their images are, and less by chance. NaN where no class has two images, or no gate varies.
    """
    total, within = _find_squares(sums)
    classes = int((sums.counts > 0).sum())
    degrees = sums.images - classes
    if degrees <= 0 or total <= 0:
        return math.nan
    return 1 - (within / degrees) / (total / (sums.images - 1))


def find_within_sd(sums: GateSums) -> float:
    """Return the standard deviation of a channel's gate within a class, pooled over classes and channels."""
    _, within = _find_squares(sums)
    degrees = sums.images - int((sums.counts > 0).sum())
    if degrees <= 0:
        return math.nan
    return math.sqrt(within / degrees / sums.sums.shape[1])


def find_near_one_share(sums: GateSums) -> float:
    """Return the share of gates above NEAR_ONE, over images and channels."""
    channels: int = sums.sums.shape[1]
    return sums.near_one / (sums.images * channels)


def find_pattern_correlation(sums: GateSums) -> float:
    """Return how alike the classes' patterns over channels are: the mean correlation of a class with all images.

    Both are means of each channel's gate. It is 1 where every class has one pattern, whatever its scale and offset.
    """
    patterns, overall = _centre_patterns(sums)
    norms = np.linalg.norm(patterns, axis=1) * np.linalg.norm(overall)
    if not (norms > 0).all():
        return math.nan
    return float((patterns @ overall / norms).mean())


def find_scale_spread(sums: GateSums) -> float:
    """Return how far classes differ in the scale of their pattern: the standard deviation of their slopes.

    A slope is that of a class's mean gates over those of all images, channel by channel; a class at the usual scale
    has 1.
    """
    patterns, overall = _centre_patterns(sums)
    square = float(overall @ overall)
    if square == 0 or len(patterns) < 2:
        return math.nan
    return float((patterns @ overall / square).std(ddof=1))


BLOCK_FIGURES: dict[str, Callable[[GateSums], float]] = {
    "class_share": find_class_share,
    "near_one_share": find_near_one_share,
    "pattern_correlation": find_pattern_correlation,
    "scale_spread": find_scale_spread,
    "within_sd": find_within_sd,
}
"""The figures of a block, by name."""


@dataclass(frozen=True)
class BlockRoles:
    """The blocks that the paper speaks of, found in any network by where they stand (section 7.2).

    In SE-ResNet-50 early are SE_2_3 and SE_3_4, late SE_4_6 and SE_5_1, and the last two SE_5_2 and SE_5_3. In a
    network of other stages they are the last block of each stage but the last two; the last one of the stage before
    the last and the first of the last stage; and the last two of all.
    """

    early: list[str]
    late: list[str]
    last_but_one: str
    last: str


def find_roles(names: Sequence[str]) -> BlockRoles | None:
    """Return which of a network's blocks the paper's statements are about; None where it has too few stages or units.

    `names` are those of all blocks in their order, such as SE_2_1. It takes three stages, the last one of three units.
    """
    stages: dict[int, list[str]] = {}
    for name in names:
        match = _NAME.fullmatch(name)
        # Blocks on two branches of a unit are none that the paper speaks of.
        if match is None or match["letter"]:
            return None
        stages.setdefault(int(match["stage"]), []).append(name)
    rows = list(stages.values())
    if len(rows) < 3 or len(rows[-1]) < 3:
        return None
    return BlockRoles(
        early=[row[-1] for row in rows[:-2]],
        late=[rows[-2][-1], rows[-1][0]],
        last_but_one=rows[-1][-2],
        last=rows[-1][-1],
    )


def compute_figures(
    sums: Mapping[str, GateSums], harms: Mapping[str, float], roles: BlockRoles | None
) -> dict[str, float]:
    """Return the figures of each block, as `class_share/SE_2_3`, and those of the paper's statements by their names.

    `harms` holds by how many points the top-1 error rises where a block's gates are held at their means; it may be
    empty. A figure that these images cannot tell is NaN.
    """
    figures = {}
    for name, find_figure in BLOCK_FIGURES.items():
        for block, own in sums.items():
            figures[f"{name}/{block}"] = find_figure(own)
    for block, harm in harms.items():
        figures[f"harm/{block}"] = harm
    if roles is not None:
        figures |= _compare_roles(figures, roles, list(sums), bool(harms))
    return figures


def estimate_figures(
    grouped: Mapping[str, GroupedSums], harms: Sequence[Mapping[str, float]], groups: int
) -> dict[str, Estimate]:
    """Return the figures of a network with their standard errors over images; one that is not known is left out.

    `harms` are those of all images, and then of the images without each group; all are empty where nothing was held.
    """
    roles = find_roles(list(grouped))
    whole = {block: each.add_groups() for block, each in grouped.items()}
    figures = compute_figures(whole, harms[0], roles)
    replicates = []
    for group in range(groups):
        rest = {block: whole[block] - each.select_group(group) for block, each in grouped.items()}
        replicates.append(compute_figures(rest, harms[1 + group], roles))
    estimates = {}
    images = next(iter(whole.values())).images
    for name, value in figures.items():
        values = [replicate[name] for replicate in replicates]
        if math.isfinite(value) and all(map(math.isfinite, values)):
            estimates[name] = _estimate_jackknife(value, values, images)
    return estimates


def _estimate_jackknife(value: float, replicates: Sequence[float], images: int) -> Estimate:
    """Return the estimate of a figure from its values without each group of images in turn."""
    groups = len(replicates)
    mean = math.fsum(replicates) / groups
    squares = math.fsum((each - mean) ** 2 for each in replicates)
    standard_error = math.sqrt((groups - 1) / groups * squares)
    sd = standard_error * math.sqrt(images)
    # Of images and not of seeds: `n` counts what the spread is of.
    return build_estimate(images, value, sd, standard_error, groups - 1)


def _compare_roles(
    figures: Mapping[str, float], roles: BlockRoles, blocks: Sequence[str], has_harms: bool
) -> dict[str, float]:
    """Return the figures that the paper's statements are about."""

    def average(name: str, chosen: Sequence[str]) -> float:
        return math.fsum(figures[f"{name}/{block}"] for block in chosen) / len(chosen)

    last_two = [roles.last_but_one, roles.last]
    others = [block for block in blocks if block != roles.last_but_one]
    before = [block for block in blocks if block not in last_two]
    early, late = average("class_share", roles.early), average("class_share", roles.late)
    near_one = average("near_one_share", [roles.last_but_one])
    compared = {
        "early_class_share": early,
        "late_class_share": late,
        "late_less_early_class_share": late - early,
        "last_but_one_near_one_share": near_one,
        "last_but_one_less_others_near_one_share": near_one - average("near_one_share", others),
        "last_pattern_correlation": figures[f"pattern_correlation/{roles.last}"],
        "last_scale_spread": figures[f"scale_spread/{roles.last}"],
        "late_less_early_within_sd": average("within_sd", roles.late)
        - average("within_sd", roles.early),
    }
    if has_harms:
        compared["before_less_last_two_harm"] = average("harm", before) - average("harm", last_two)
    return compared


def _find_squares(sums: GateSums) -> tuple[float, float]:
    """Return the sum of squares of all gates about their channel's mean, and of those about their class's."""
    about_zero = float(sums.squares.sum())
    of_the_mean = sums.images * sums.mean**2
    counts = sums.counts[sums.counts > 0]
    of_class_means = counts[:, None] * sums.class_means**2
    total = about_zero - float(of_the_mean.sum())
    within = about_zero - float(of_class_means.sum())
    # Rounding may leave a trace of either sign where nothing varies.
    noise = 1e-12 * about_zero
    if total <= noise:
        total = 0.0
    if within <= noise:
        within = 0.0
    return total, within


def _centre_patterns(sums: GateSums) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean gates of each class (classes, C) and of all images (C,), less their mean over channels."""
    patterns = sums.class_means
    overall = sums.mean
    return patterns - patterns.mean(axis=1, keepdims=True), overall - overall.mean()
