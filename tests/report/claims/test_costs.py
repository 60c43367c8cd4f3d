"""Section 4's claims about time: judged by borders that were fixed before, and by figures of their own device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from senet_repro.config.network_pairs import list_network_pairs
from senet_repro.config.studies import load_study
from senet_repro.report.claims.borders import BorderVerdict
from senet_repro.report.claims.costs import STUDY, judge_costs
from senet_repro.report.tables.costs import build_cost_tables
from senet_repro.results.costs import KINDS, ONE_IMAGE, TRAINING_STEP, MeasuredCost
from tests.costs import GPU, make_cost

TRAINING, IMAGE = (claim.figure for claim in load_study(STUDY).claims)


def _judge(*costs: MeasuredCost) -> dict[str, BorderVerdict]:
    (table,) = build_cost_tables(costs)
    return {one.claim.figure: one for one in judge_costs(table)}


def _spread(middle: float, by: float = 0.002) -> Sequence[float]:
    return [middle - by, middle, middle + by, middle]


def test_the_borders_hold_the_published_ratios_and_the_figures_are_measured() -> None:
    published = {"training_step.resnet50": 209 / 190, "one_image.resnet50": 167 / 164}
    claims = {claim.figure: claim for claim in load_study(STUDY).claims}
    assert claims.keys() == published.keys()
    for figure, ratio in published.items():
        claim = claims[figure]
        assert claim.published == pytest.approx(ratio, abs=0.0005)
        assert (claim.at_least or 0) < ratio < (claim.at_most or 9)
        kind, _, network = figure.partition(".")
        assert kind in KINDS
        assert network in list_network_pairs()


@pytest.mark.parametrize(
    ("ratio", "training", "image"),
    [
        (1.10, "reproduced", "contradicted"),
        (1.06, "reproduced", "contradicted"),
        (1.05, "inconclusive", "contradicted"),
        (1.02, "contradicted", "reproduced"),
        (1.036, "contradicted", "inconclusive"),
        (1.16, "contradicted", "contradicted"),
    ],
)
def test_a_ratio_is_judged_on_either_side_of_a_border_and_not_at_it(
    ratio: float, training: str, image: str
) -> None:
    found = _judge(make_cost(ratios=_spread(ratio)))
    assert (found[TRAINING].verdict, found[IMAGE].verdict) == (training, image)


def test_rounds_that_differ_widely_or_a_single_one_settle_nothing() -> None:
    for ratios in (_spread(1.10, by=0.2), [1.10]):
        found = _judge(make_cost(ratios=ratios))
        assert {one.verdict for one in found.values()} == {"inconclusive"}


def test_what_was_not_measured_here_or_on_another_device_is_not_testable() -> None:
    other = _judge(make_cost(network="vgg16"))
    assert {one.verdict for one in other.values()} == {"not testable"}
    assert "SE-ResNet-50 was not measured" in other[TRAINING].obstacle
    on_gpu = _judge(make_cost(setting=GPU, ratios=_spread(1.1)))
    assert on_gpu[TRAINING].verdict == "reproduced"
    assert on_gpu[IMAGE].verdict == "not testable"
    assert "is of a CPU" in on_gpu[IMAGE].obstacle


def test_a_rehearsal_is_judged_by_nothing() -> None:
    assert _judge(make_cost(is_quick=True)) == {}


def test_each_kind_of_call_has_its_own_ratio() -> None:
    cost = make_cost(ratios=_spread(1.1))
    times = {**cost.times_ms, ONE_IMAGE: [[1.0, 1.0], [1.01, 1.02]]}
    found = _judge(replace(cost, times_ms=times))
    assert found[f"{TRAINING_STEP}.resnet50"].estimate != found[IMAGE].estimate
    image = found[IMAGE].estimate
    assert image is not None
    assert image.mean == pytest.approx(1.015)
