"""Write numbers as every table and sentence shows them (report floor)."""

from __future__ import annotations

from collections.abc import Iterable

from senet_repro.core.wording import count_noun
from senet_repro.results.metrics import Metric
from senet_repro.stats.estimates import Estimate


def format_number(value: float | None, spec: str) -> str:
    """Return a number by a format specification, or nothing for None."""
    if value is None:
        return ""
    return f"{value:{spec}}"


def format_interval(value: Estimate | None, spec: str = ".2f", unit: str = "") -> str:
    """Return a mean with half its 95 % interval, such as `3.50 ± 1.24`.

    Nothing is returned for None, and the mean alone for a single seed. `unit` follows the mean.
    """
    if value is None:
        return ""
    mean = f"{value.mean:{spec}}{unit}"
    if value.half_width is None:
        return mean
    # Half an interval has no sign.
    return f"{mean} ± {value.half_width:{spec.removeprefix('+')}}"


def format_p_value(value: float) -> str:
    """Return a p value as it stands in a sentence."""
    if value >= 0.001:
        return f"p = {value:.3f}"
    return "p < 0.001"


def format_p_cell(value: float) -> str:
    """Return a p value without its sign of equality, for a column headed p."""
    return format_p_value(value).removeprefix("p ").removeprefix("= ")


def choose_value_spec(metric: Metric) -> str:
    """Return the format specification of a metric's values."""
    return f".{metric.decimals}f"


def choose_difference_spec(metric: Metric) -> str:
    """Return the format specification of differences in a metric, which show their sign, and none of a zero's."""
    return f"+z.{metric.decimals}f"


def start_sentence(words: str) -> str:
    """Return words with a capital letter at their beginning, and the rest as it is."""
    return words[:1].upper() + words[1:]


def count_seeds(n: int) -> str:
    """Return a number of seeds in words, such as `1 seed`."""
    return count_noun(n, "seed")


def count_seeds_of_rows(counts: Iterable[int]) -> str:
    """Return how many seeds rows have, such as `3 seeds` or, where rows differ, `2 to 4 seeds`; of no row 0 seeds."""
    found = set(counts) or {0}
    fewest, most = min(found), max(found)
    if fewest == most:
        return count_seeds(most)
    return f"{fewest} to {count_seeds(most)}"
