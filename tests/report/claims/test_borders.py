"""Claims on measured figures, judged by the borders that they keep or cross."""

from __future__ import annotations

import pytest

from senet_repro.config.studies import StudyClaim
from senet_repro.report.claims.borders import judge_by_borders
from senet_repro.report.claims.words import (
    CONTRADICTED,
    INCONCLUSIVE,
    NOT_TESTABLE,
    REPRODUCED,
)
from senet_repro.report.text.borders import (
    collect_border_verdicts,
    describe_border,
    format_border_verdicts,
)
from senet_repro.stats.estimates import Estimate, build_estimate


def make_claim(figure: str = "x", **borders: float) -> StudyClaim:
    return StudyClaim(section="1", says=f"{figure} is so", figure=figure, because="why", **borders)


def make_estimate(mean: float, standard_error: float = 1.0) -> Estimate:
    return build_estimate(10, mean, standard_error, standard_error, 9)


@pytest.mark.parametrize(
    ("borders", "mean", "expected"),
    [
        # The one-sided 5 % quantile of t with 9 degrees is 1.833; two tests at once need 2.262 of one.
        ({"at_least": 0.0}, 2.3, REPRODUCED),
        ({"at_least": 0.0}, 2.2, INCONCLUSIVE),
        ({"at_least": 0.0}, -2.2, INCONCLUSIVE),
        ({"at_least": 0.0}, -2.3, CONTRADICTED),
        ({"at_most": 0.0}, -2.3, REPRODUCED),
        ({"at_most": 0.0}, 2.3, CONTRADICTED),
        ({"at_least": -3.0, "at_most": 3.0}, 0.0, REPRODUCED),
        ({"at_least": -2.0, "at_most": 2.0}, 0.0, INCONCLUSIVE),
        ({"at_least": -3.0, "at_most": 3.0}, 6.0, CONTRADICTED),
        ({"at_least": -3.0, "at_most": 3.0}, -6.0, CONTRADICTED),
        # Either side would contradict, which costs the factor two once more: 2.685 of a t.
        ({"at_least": -3.0, "at_most": 3.0}, 5.6, INCONCLUSIVE),
    ],
)
def test_a_figure_decides_where_it_lies_beyond_a_border_for_sure(
    borders: dict[str, float], mean: float, expected: str
) -> None:
    (verdict,) = judge_by_borders([make_claim(**borders)], {"x": make_estimate(mean)}, {})
    assert verdict.verdict == expected


def test_more_claims_of_a_study_ask_for_more() -> None:
    claims = [make_claim(figure, at_least=0.0) for figure in "xyz"]
    alone = judge_by_borders(claims[:1], {"x": make_estimate(2.4)}, {})
    together = judge_by_borders(
        claims, {"x": make_estimate(2.4), "y": make_estimate(0), "z": make_estimate(0)}, {}
    )
    assert alone[0].verdict == REPRODUCED
    assert together[0].verdict == INCONCLUSIVE
    assert alone[0].p_value is not None
    # Of six p values instead of two, the least is multiplied by six.
    assert together[0].p_value == pytest.approx(3 * alone[0].p_value)


@pytest.mark.parametrize(
    ("estimate", "verdict", "words"),
    [
        (Estimate(1, 5.0), INCONCLUSIVE, "A single value tells nothing of its spread."),
        (make_estimate(5.0, 0.0), INCONCLUSIVE, "All values are alike"),
        (None, NOT_TESTABLE, "It was not there."),
    ],
)
def test_a_figure_without_spread_or_without_a_value_is_no_evidence(
    estimate: Estimate | None, verdict: str, words: str
) -> None:
    estimates = {} if estimate is None else {"x": estimate}
    obstacles = {} if estimate is not None else {"x": "It was not there."}
    (one,) = judge_by_borders([make_claim(at_least=0.0)], estimates, obstacles)
    assert one.verdict == verdict
    assert one.p_value is None
    assert one.obstacle.startswith(words)


def test_a_verdict_is_printed_with_its_border_and_its_reason_and_collected_for_json() -> None:
    claim = StudyClaim(
        section="4",
        says="a | b",
        figure="x",
        at_least=1.0,
        at_most=2.5,
        because="<so>",
        published=1.1,
        is_conjecture=True,
    )
    verdicts = judge_by_borders([claim], {"x": make_estimate(1.75, 0.1)}, {})
    line, reason = format_border_verdicts(verdicts).splitlines()[2::2]
    cells = [cell.strip() for cell in line.strip("|").split(" | ")]
    assert cells == [
        "a \\| b (conjecture)",
        "4",
        REPRODUCED,
        "1.1",
        "1.750 ± 0.226",
        "1 to 2.5",
        "p < 0.001",
    ]
    assert reason == "- a \\| b (conjecture): 1 to 2.5, because &lt;so>."
    (data,) = collect_border_verdicts(verdicts)
    assert (data["verdict"], data["ours"], data["published"]) == (REPRODUCED, 1.75, 1.1)
    assert describe_border(make_claim(at_most=0.25)) == "≤ 0.25"
