"""Claims about one measured figure, judged by the border that it keeps or crosses (report floor).

A study (`config.studies`) measures networks without training them. Each of its claims says between which borders a
figure lies. The claim is *reproduced* where a one-sided t test shows the figure on the claimed side of each border, and
*contradicted* where it shows it beyond one. All these tests of a study make one family, whose p values Holm adjusts: in
at most 5 % of cases any verdict of the study is wrong in either direction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from senet_repro.config.studies import StudyClaim
from senet_repro.report.claims.words import (
    CONTRADICTED,
    INCONCLUSIVE,
    NOT_TESTABLE,
    REPRODUCED,
)
from senet_repro.stats.estimates import LEVEL, Estimate, adjust_holm, p_above, p_below


@dataclass(frozen=True, kw_only=True)
class BorderVerdict:
    """A claim of a study with its verdict and what speaks for it."""

    claim: StudyClaim
    verdict: str  # of claims.words.VERDICTS
    # The figure; None where it could not be measured.
    estimate: Estimate | None = None
    # Adjusted within the study, of the verdict given, or of REPRODUCED where it is inconclusive; None without a test.
    p_value: float | None = None
    obstacle: str = ""  # why there is no test, as a sentence


def judge_by_borders(
    claims: Sequence[StudyClaim],
    estimates: Mapping[str, Estimate],
    obstacles: Mapping[str, str],
) -> list[BorderVerdict]:
    """Return the verdict on each claim of a study, in their order.

    `estimates` holds the figures by name. Of a figure that is not there, `obstacles` says in a sentence why; one whose
    estimate has no standard error, or one of 0, is no evidence, and leaves its claim inconclusive.
    """
    tested = [claim for claim in claims if _is_tested(estimates.get(claim.figure))]
    p_holds = [_find_p_holds(claim, estimates[claim.figure]) for claim in tested]
    p_fails = [_find_p_fails(claim, estimates[claim.figure]) for claim in tested]
    adjusted = adjust_holm([*p_holds, *p_fails])
    by_figure = {}
    for index, claim in enumerate(tested):
        by_figure[claim.says] = (adjusted[index], adjusted[len(tested) + index])
    verdicts = []
    for claim in claims:
        estimate = estimates.get(claim.figure)
        if claim.says in by_figure:
            verdicts.append(_decide(claim, estimate, *by_figure[claim.says]))
        else:
            verdicts.append(_explain(claim, estimate, obstacles.get(claim.figure, "")))
    return verdicts


def _is_tested(estimate: Estimate | None) -> bool:
    # Values that happen to be alike would make any distance from a border certain.
    return estimate is not None and bool(estimate.standard_error)


def _find_p_holds(claim: StudyClaim, estimate: Estimate) -> float:
    """Return the p of a figure on the claimed side of its borders: the greater one, where there are two."""
    p_values = []
    if claim.at_least is not None:
        p_values.append(p_above(estimate, claim.at_least))
    if claim.at_most is not None:
        p_values.append(p_below(estimate, claim.at_most))
    return max(p_values)


def _find_p_fails(claim: StudyClaim, estimate: Estimate) -> float:
    """Return the p of a figure beyond a border: the least one times their number, since either would do."""
    p_values = []
    if claim.at_least is not None:
        p_values.append(p_below(estimate, claim.at_least))
    if claim.at_most is not None:
        p_values.append(p_above(estimate, claim.at_most))
    return min(1.0, len(p_values) * min(p_values))


def _decide(
    claim: StudyClaim, estimate: Estimate | None, p_holds: float, p_fails: float
) -> BorderVerdict:
    verdict, p_value = INCONCLUSIVE, p_holds
    if p_holds <= LEVEL:
        verdict = REPRODUCED
    elif p_fails <= LEVEL:
        verdict, p_value = CONTRADICTED, p_fails
    return BorderVerdict(claim=claim, verdict=verdict, estimate=estimate, p_value=p_value)


def _explain(claim: StudyClaim, estimate: Estimate | None, obstacle: str) -> BorderVerdict:
    """Return the verdict on a claim that could not be tested."""
    if estimate is None:
        return BorderVerdict(claim=claim, verdict=NOT_TESTABLE, obstacle=obstacle)
    return BorderVerdict(
        claim=claim,
        verdict=INCONCLUSIVE,
        estimate=estimate,
        obstacle=obstacle or _explain_spread(estimate),
    )


def _explain_spread(estimate: Estimate) -> str:
    """Return why an estimate is no evidence."""
    if estimate.standard_error is None:
        return "A single value tells nothing of its spread."
    return "All values are alike, which tells nothing of their spread."
