"""How many seeds a claim needs, were the true means and standard deviations those given (stats floor).

A claim of several pairs holds where all of its tests are passed, so what is planned is the chance of passing them all:
at the seeds that give each of six tests 80 %, all six are passed in 41 %. The tests of a claim share rows and hence
seeds, so their joint chance is simulated.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from senet_repro.stats.estimates import LEVEL

if TYPE_CHECKING:
    import numpy as np

MOST_SEEDS = 1000
"""Beyond this nobody trains; the answer is that more seeds are no way."""

# Equal shares of the distribution of the standard deviation that the power is averaged over.
_SHARES = 2000

# Campaigns that are simulated for a claim: 0.8 is met within 0.01.
_DRAWS = 5000

# How sure the lower bound of an effect is. Perugini et al. (2014) plan from it and call that safeguard power.
_SAFEGUARD = 0.8


@dataclass(frozen=True, kw_only=True)
class OneSidedTest:
    """A test that a claim takes: a weighted sum of rows is shown to lie below a bound."""

    weights: Mapping[str, float]  # of the rows whose runs differ from seed to seed
    distance: float  # by which the true sum lies below its bound; negative above it
    sd: float  # of the sum over seeds
    images_error: float = 0.0  # the standard error that the images alone leave, however many seeds
    seeds: int = 0  # that the distance was estimated from; 0: it is supposed


Level = Callable[[int], float]
"""The level of each test by the number of seeds: it falls where seeds are added after looks."""


def power_between(
    n: int, mean: float, sd: float, bounds: tuple[float, float], level: float = LEVEL
) -> float:
    """Return how often n values show their mean between two bounds, each held by a one-sided t test at `level`.

    One bound at infinity makes it the t test of the other, whose power is that of the noncentral t; two make it TOST.
    The mean is normal and independent of the standard deviation of the values, so the power is its chance to be far
    enough from both bounds, averaged over equal shares of the distribution of that standard deviation.
    """
    import numpy as np
    from scipy.special import chdtri, ndtr, stdtrit

    # The middle of each share, and the observed standard deviation there, in units of the true one.
    middles = (np.arange(_SHARES) + 0.5) / _SHARES
    observed_sd = np.sqrt(chdtri(n - 1, middles) / (n - 1))
    # How far from a bound the mean must be to pass its test, and where the bounds lie, in true standard errors.
    needed = float(stdtrit(n - 1, 1 - level)) * observed_sd
    low = (bounds[0] - mean) * math.sqrt(n) / sd
    high = (bounds[1] - mean) * math.sqrt(n) / sd
    chances = ndtr(high - needed) - ndtr(low + needed)
    # A standard deviation so large that no mean passes both tests has a negative difference.
    return float(np.mean(np.maximum(chances, 0.0)))


def simulate_power(
    n: int, tests: Sequence[OneSidedTest], level: float = LEVEL, is_any_enough: bool = False
) -> float:
    """Return how often n seeds pass all of the tests of a claim, or any of them where that is enough.

    The runs of a row vary alike and independently of those of other rows, so that tests correlate by the rows that
    they share. One test over seeds alone has the exact power of Student's t.
    """
    if len(tests) == 1 and not tests[0].images_error:
        (test,) = tests
        return power_between(n, -test.distance, test.sd, (-math.inf, 0.0), level)
    distances = [test.distance for test in tests]
    passed = _draw_needed_distances(n, tests, level) <= distances
    enough = passed.any(axis=1) if is_any_enough else passed.all(axis=1)
    return float(enough.mean())


def find_detectable(
    n: int, tests: Sequence[OneSidedTest], power: float, level: float = LEVEL
) -> float:
    """Return the minimum detectable effect of n seeds: the least distance from every bound that passes all tests.

    For an equivalence it is the least margin within which n seeds show rows that do not differ.
    """
    import numpy as np
    from scipy.special import nctdtrinc, stdtrit

    if len(tests) == 1 and not tests[0].images_error:
        # The noncentral t that exceeds what the test asks for with this power.
        standard_error = tests[0].sd / math.sqrt(n)
        asked = stdtrit(n - 1, 1 - level)
        noncentrality = nctdtrinc(n - 1, 1 - power, asked)
        return float(noncentrality) * standard_error
    hardest = _draw_needed_distances(n, tests, level).max(axis=1)
    return float(np.quantile(hardest, power))


def count_seeds_jointly(
    tests: Sequence[OneSidedTest], power: float, level: Level, is_any_enough: bool = False
) -> int | None:
    """Return the fewest seeds that pass all the tests of a claim with this power, or any where that is enough.

    None is returned if MOST_SEEDS are not enough.
    """
    is_hopeful = [test.distance > 0 for test in tests]
    if not (any(is_hopeful) if is_any_enough else all(is_hopeful)):
        return None
    too_few, enough = 1, 2
    # Most claims take few seeds, so their number is doubled until it is enough, and halved from there.
    while simulate_power(enough, tests, level(enough), is_any_enough) < power:
        too_few, enough = enough, 2 * enough
        if too_few >= MOST_SEEDS:
            return None
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        if simulate_power(middle, tests, level(middle), is_any_enough) < power:
            too_few = middle
        else:
            enough = middle
    return enough if enough <= MOST_SEEDS else None


def bound_distance(test: OneSidedTest) -> OneSidedTest:
    """Return a test with the lower bound of its distance for the distance, which is so great with 80 % confidence.

    A few seeds tell neither a mean nor its standard deviation well. Of plans from three seeds 45 % have a power below
    one half if the estimates are taken for true, and 18 % by this bound, as simulated. It is that of the distance in
    standard deviations, by the noncentral t.
    """
    from scipy.special import nctdtrinc

    standard_error = math.hypot(test.sd / math.sqrt(test.seeds), test.images_error)
    observed = test.distance / standard_error
    least = float(nctdtrinc(test.seeds - 1, _SAFEGUARD, observed))
    return replace(test, distance=least * standard_error)


def _draw_needed_distances(n: int, tests: Sequence[OneSidedTest], level: float) -> np.ndarray:
    """Return how far from its bound the true sum of each test had to be to pass, in simulated campaigns of n seeds.

    The shape is (draws, tests). Where images add their part, a test needs what Banerjee's interval of
    `estimate_crossed` does.
    """
    import numpy as np
    from scipy.special import ndtri, stdtrit

    rows, weights = _weigh_rows(tests)
    means, image_means, spreads = _draw_rows(n, rows)
    deviations = np.array([test.sd for test in tests])
    images_errors = np.array([test.images_error for test in tests])
    standard_errors = deviations / math.sqrt(n)

    missed_by_seeds = means @ weights.T * standard_errors
    missed_by_images = image_means @ weights.T * images_errors

    # The spread of a weighted sum of rows is the same sum of the rows' spreads.
    sums = np.einsum("drs,tr->dts", spreads, weights)
    squares = (sums**2).sum(axis=2)
    observed_errors = np.sqrt(squares / (n - 1)) * standard_errors
    over_seeds = stdtrit(n - 1, 1 - level) * observed_errors
    over_images = ndtri(1 - level) * images_errors
    reach = np.hypot(over_seeds, over_images)
    needed: np.ndarray = missed_by_seeds + missed_by_images + reach
    return needed


def _weigh_rows(tests: Sequence[OneSidedTest]) -> tuple[int, np.ndarray]:
    """Return the number of rows and the weights of each test, (tests, rows), of a length of 1."""
    import numpy as np

    names: dict[str, None] = {}
    for test in tests:
        names |= dict.fromkeys(test.weights)
    weights = np.zeros((len(tests), len(names)))
    for index, test in enumerate(tests):
        for column, name in enumerate(names):
            weights[index, column] = test.weights.get(name, 0.0)
    lengths = np.linalg.norm(weights, axis=1)
    weights /= lengths[:, np.newaxis]
    return len(names), weights


# The draws of one number of seeds serve all claims of a table.
@lru_cache(maxsize=32)
def _draw_rows(n: int, rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what n seeds of independent rows show, in units of a standard deviation or error; the same each time.

    That is the means over seeds and over images, each (draws, rows), and the deviations of the seeds, turned into as
    few columns as tell their sums of squares and products (Bartlett): (draws, rows, columns).
    """
    import numpy as np

    rng = np.random.default_rng(n)
    degrees = n - 1
    columns = min(rows, degrees)
    deviates = rng.normal(size=(_DRAWS, rows, columns))
    spreads = np.tril(deviates)
    for index in range(columns):
        squares = rng.chisquare(degrees - index, _DRAWS)
        spreads[:, index, index] = np.sqrt(squares)
    shape = (_DRAWS, rows)
    means = rng.normal(size=shape)
    image_means = rng.normal(size=shape)
    return means, image_means, spreads
