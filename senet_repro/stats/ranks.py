"""Whether two lists of figures have one order (stats floor)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

MOST_ENUMERATED = 8
"""Up to so many items all orders are counted; of more items a sample of orders is drawn."""

DRAWS = 20_000
"""Orders in such a sample."""


@dataclass(frozen=True)
class RankAgreement:
    """Kendall's tau-b of two lists, and how often chance alone would agree at least as well."""

    n: int
    tau: float
    p_value: float  # one-sided, of all orders of one list
    exact: bool  # all orders were counted; else a seeded sample of them


def rank_agreement(first: Sequence[float], second: Sequence[float]) -> RankAgreement | None:
    """Return how well two lists of figures agree in their order.

    None is returned for fewer than three items, since two items have two orders, of which a coin finds one; and for a
    list of one value. Equal figures say nothing about the order of their items.
    """
    import numpy as np

    n = len(first)
    first_signs = _compare_pairs(first)
    second_signs = _compare_pairs(second)
    if n < 3 or not first_signs.any() or not second_signs.any():
        return None
    agreement = int((first_signs * second_signs).sum())

    is_exact = n <= MOST_ENUMERATED
    orders = _list_orders(n) if is_exact else _draw_orders(n)
    by_chance = _count_agreements(first_signs, second_signs, orders)
    at_least = int((by_chance >= agreement).sum())
    counted = len(orders)
    # A sample counts the order that was found, too: else its p could be 0.
    if not is_exact:
        at_least += 1
        counted += 1
    p_value = at_least / counted

    first_pairs = np.abs(first_signs).sum()
    second_pairs = np.abs(second_signs).sum()
    tau = agreement / float(np.sqrt(first_pairs * second_pairs))
    return RankAgreement(n, tau, p_value, is_exact)


def _list_orders(n: int) -> np.ndarray:
    """Return every order of n items, (n!, n)."""
    import numpy as np

    return np.array(list(permutations(range(n))))


def _draw_orders(n: int) -> np.ndarray:
    """Return a sample of the orders of n items, (DRAWS, n); the same one every time."""
    import numpy as np

    unshuffled = np.tile(np.arange(n), (DRAWS, 1))
    return np.random.default_rng(0).permuted(unshuffled, axis=1)


def _compare_pairs(values: Sequence[float]) -> np.ndarray:
    """Return for each two of the values which is greater: (n, n) of -1, 0 and 1."""
    import numpy as np

    # Errors of the same number of images differ in the last bits.
    rounded = np.round(np.asarray(values, dtype=float), 9)
    differences = rounded[:, None] - rounded[None, :]
    signs: np.ndarray = np.sign(differences).astype(int)
    return signs


def _count_agreements(first: np.ndarray, second: np.ndarray, orders: np.ndarray) -> np.ndarray:
    """Return for each order of the second list its agreeing less its disagreeing pairs, each pair counted twice."""
    import numpy as np

    total = np.zeros(len(orders), dtype=int)
    # Pair by pair over all orders at once: there are few pairs and many orders.
    for i, j in zip(*np.nonzero(first), strict=True):
        # The items that each order puts in the places of this pair.
        ones, others = orders[:, i], orders[:, j]
        total += first[i, j] * second[ones, others]
    return total
