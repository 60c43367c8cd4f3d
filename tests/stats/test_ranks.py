"""Agreement of two orders against hand numbers and scipy."""

from __future__ import annotations

import math

import pytest
from scipy.stats import kendalltau

from senet_repro.stats.ranks import rank_agreement


def test_the_same_order_of_three_rows_is_one_chance_in_six() -> None:
    found = rank_agreement([1.0, 2.0, 3.0], [10.0, 20.0, 40.0])
    assert found is not None
    assert (found.n, found.tau, found.p_value, found.exact) == (3, 1.0, pytest.approx(1 / 6), True)


@pytest.mark.parametrize(
    "order", [[1, 0, 2, 3], [3, 2, 1, 0], [0, 2, 1, 4, 3, 5], [0, 1, 2, 3, 5, 4, 7, 6]]
)
def test_tau_and_p_of_some_orders_are_those_of_scipy(order: list[float]) -> None:
    found = rank_agreement(range(len(order)), order)
    oracle = kendalltau(range(len(order)), order, alternative="greater", method="exact")
    assert found is not None
    assert (found.tau, found.p_value) == pytest.approx((oracle.statistic, oracle.pvalue))


def test_ties_count_for_neither_order() -> None:
    first, second = [1.0, 2.0, 3.0, 4.0], [1.0, 1.0 + 1e-12, 3.0, 2.0]
    found = rank_agreement(first, second)
    assert found is not None
    assert found.tau == pytest.approx(kendalltau(first, [1.0, 1.0, 3.0, 2.0]).statistic)


def test_more_rows_than_can_be_counted_are_sampled_the_same_each_time() -> None:
    found = rank_agreement(range(9), range(9))
    assert found is not None
    assert (found.exact, found.tau) == (False, 1.0)
    assert math.factorial(9) ** -1 < found.p_value < 0.001
    assert found == rank_agreement(range(9), range(9))
    mixed, oracle = (
        rank_agreement(range(9), [1, 0, 3, 2, 5, 4, 8, 7, 6]),
        [1, 0, 3, 2, 5, 4, 8, 7, 6],
    )
    assert mixed is not None
    exact = kendalltau(range(9), oracle, alternative="greater", method="exact").pvalue
    assert mixed.p_value == pytest.approx(exact, abs=0.003)


@pytest.mark.parametrize("second", [[1.0, 2.0], [3.0, 3.0, 3.0]])
def test_two_rows_or_equal_figures_have_no_order_to_agree_in(second: list[float]) -> None:
    assert rank_agreement(range(len(second)), second) is None
