"""Means over seeds and images, both of them samples (stats floor).

A mean over seeds alone speaks of these very images: with more seeds its interval shrinks to nothing, also around a
difference that other images of the same kind would not show. Here seeds and images are crossed random effects, as in
Clark's analysis of "words as a fixed effect" (1973): value = mean + seed + image + rest.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from senet_repro.stats.estimates import Estimate, build_estimate, least_sd_pct

if TYPE_CHECKING:
    import numpy as np

# Of the one-sided tests that the degrees of freedom are made for: the strictest that a family of claims asks for.
_QUANTILE = 0.999


def estimate_crossed(values: np.ndarray) -> Estimate:
    """Return the mean of a figure of each seed and image, with the uncertainty that both of them bring.

    `values` are (seeds, images), two of each at least: in percent points, such as 100 times the difference of two
    networks' errors. The variance of the mean is that over seeds plus that of the images, where the latter is
    (MS_images - MS_error) / (seeds * images) of the analysis of variance; the rest is in the seeds' already.

    Satterthwaite's degrees of freedom are not used: where two or three seeds happen to agree, they take the many
    degrees of the images, and a test at 5 % is wrong in up to 8 % of cases. Banerjee's interval (1960) never is: its
    half width is the root of the sum of squares of the half widths of seeds and images, each by its own Student's t.
    The degrees returned are those of the one Student's t that is as wide, at a level of one in a thousand.

    Simulated, networks that are equal on their population are told apart, one-sided at 5 %, in 0 (2 seeds) to 5 % of
    cases (10 and more), with 300 to 10,000 images; by the interval over seeds alone in up to 30 %.
    """
    seeds, images = values.shape
    mean = float(values.mean())
    seed_means, image_means = values.mean(axis=1), values.mean(axis=0)

    # The sums of squares of the analysis of variance, of two crossed factors with one value in each cell.
    squares = _sum_squares(values - mean)
    squares_seeds = images * _sum_squares(seed_means - mean)
    squares_images = seeds * _sum_squares(image_means - mean)
    squares_error = squares - squares_seeds - squares_images
    degrees_seeds, degrees_images = seeds - 1, images - 1
    mean_square_images = squares_images / degrees_images
    mean_square_error = squares_error / (degrees_seeds * degrees_images)

    # Seeds that agree by chance are credited with a spread of one image, as everywhere.
    observed_sd = math.sqrt(_sum_squares(seed_means - mean) / degrees_seeds)
    sd = max(observed_sd, least_sd_pct(images))
    variance_seeds = sd**2 / seeds
    # The difference of two estimates may fall below 0, which no variance does.
    excess_images = max(0.0, mean_square_images - mean_square_error)
    variance_images = excess_images / (seeds * images)
    standard_error = math.sqrt(variance_seeds + variance_images)
    over_seeds = (variance_seeds, degrees_seeds)
    over_images = (variance_images, degrees_images)
    degrees = _match_degrees(over_seeds, over_images)
    return build_estimate(seeds, mean, sd, standard_error, degrees)


def _sum_squares(deviations: np.ndarray) -> float:
    return float((deviations**2).sum())


def _match_degrees(*parts: tuple[float, int]) -> float:
    """Return the degrees of freedom of the Student's t that is as wide as Banerjee's interval.

    Each part is a variance of the mean with its degrees of freedom.
    """
    from scipy.special import stdtridf, stdtrit

    total = 0.0
    squared_width = 0.0
    for variance, degrees in parts:
        total += variance
        quantile = float(stdtrit(degrees, _QUANTILE))
        squared_width += variance * quantile**2
    matching = math.sqrt(squared_width / total)
    matched = float(stdtridf(_QUANTILE, matching))
    fewest, most = sorted(degrees for _, degrees in parts)
    # The search for them ends within rounding of its bounds.
    return min(max(matched, fewest), most)
