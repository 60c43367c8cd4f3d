"""Whether two lists of figures have one order (results floor)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

MOST_ENUMERATED = 8
"""Items whose orders are all counted; of more, a sample is drawn."""

DRAWS = 20_000


@dataclass(frozen=True)
class RankAgreement:
    """Kendall's tau-b of two lists, and how often chance alone would agree at least as well."""

    n: int
    tau: float
    p_value: float  # one-sided, of all orders of one list
    exact: bool  # all orders were counted; else a seeded sample of them


def rank_agreement(first: Sequence[float], second: Sequence[float]) -> RankAgreement | None:
    """How well two lists of figures agree in their order; none for fewer than three items or a list of one value.

    Equal figures say nothing about the order of their items. Two items have two orders, of which a coin finds one.
    """
    import numpy as np

    n = len(first)
    one, other = _signs(first), _signs(second)
    if n < 3 or not one.any() or not other.any():
        return None
    exact = n <= MOST_ENUMERATED
    if exact:
        orders = np.array(list(permutations(range(n))))
    else:
        orders = np.random.default_rng(0).permuted(np.tile(np.arange(n), (DRAWS, 1)), axis=1)
    found = int((one * other).sum())
    at_least = int((_agreements(one, other, orders) >= found).sum())
    # A sample counts the order that was found, too: else its p could be 0.
    p_value = at_least / len(orders) if exact else (at_least + 1) / (DRAWS + 1)
    tau = found / float(np.sqrt(np.abs(one).sum() * np.abs(other).sum()))
    return RankAgreement(n, tau, p_value, exact)


def _signs(values: Sequence[float]) -> np.ndarray:
    """For each two of the values, which is greater."""
    import numpy as np

    # What was counted as the same number of images differs in the last bits.
    rounded = np.round(np.asarray(values, dtype=float), 9)
    signs: np.ndarray = np.sign(rounded[:, None] - rounded[None, :]).astype(int)
    return signs


def _agreements(one: np.ndarray, other: np.ndarray, orders: np.ndarray) -> np.ndarray:
    """The sum of agreeing less disagreeing pairs, each twice, for each order of the second list."""
    import numpy as np

    total = np.zeros(len(orders), dtype=int)
    for i, j in zip(*np.nonzero(one), strict=True):
        total += one[i, j] * other[orders[:, i], orders[:, j]]
    return total
