"""Explanations of the words that verdicts are printed with, for who meets them for the first time (report floor)."""

from __future__ import annotations

from collections.abc import Sequence

from senet_repro.core.wording import choose_form, join_words
from senet_repro.report.claims.comparisons import MetricClaim
from senet_repro.report.claims.cost import Cost
from senet_repro.report.claims.judge import Judged
from senet_repro.report.claims.words import (
    CONTRADICTED,
    INCONCLUSIVE,
    NO_EFFECT,
    NOT_RUN,
    NOT_TESTABLE,
    REPRODUCED,
    SMALLER,
    VERDICTS,
)
from senet_repro.stats.estimates import LEVEL

MEANINGS = {
    REPRODUCED: "what is claimed is there.",
    SMALLER: "the gain is there, and it is less than half of the paper's.",
    NO_EFFECT: "whatever gain there is, it is too small to matter. A finding, and not a lack of runs.",
    CONTRADICTED: "the opposite of what is claimed is there.",
    INCONCLUSIVE: "too few runs, or runs that differ too much, to say any of the others.",
    NOT_TESTABLE: "these data could not tell, however many runs.",
    NOT_RUN: "a row that the claim needs has no runs.",
}
"""A sentence on each verdict."""

SIZES = " Of sizes: they were counted on another network than the paper's."
PROVISIONAL = "something else than chance may still change the verdict; its table says what."
DIFFERENCE = (
    "the first row minus the second, seed by seed (a seed is one training with random numbers of its own), and the "
    "mean of that."
)
BELOW = " An error is better where this is below 0."
SPREAD = (
    "half of the 95 % interval of that mean: as far as other seeds could move it, and other test images, too, where it "
    'says "over ... images".'
)
P_VALUE = (
    f"how often chance alone would show as much; {LEVEL:g} or less decides. Holm's method raises it where a table has "
    "several tests. A t test shows a difference; TOST (two tests, from above and from below) that one is small."
)
PLANNED = (
    "only seeds that were planned before their training count. Whoever adds seeds until a result looks right will "
    "find one that does."
)
MORE = "More: docs/tables-and-reports.md, Verdicts."


def explain_words(judged: Sequence[Judged]) -> str:
    """Return what the words and columns mean that these verdicts are printed with; nothing where there are none."""
    if not judged:
        return ""
    lines = [f"- {word}: {meaning}" for word, meaning in list_meanings(judged).items()]
    return "\n".join(["How to read this:", "", *lines, "", MORE])


def list_meanings(judged: Sequence[Judged]) -> dict[str, str]:
    """Return the meaning of each word and column that these verdicts are printed with."""
    given = {one.verdict for one in judged}
    meanings = {word: _explain_verdict(word, judged) for word in VERDICTS if word in given}
    if any(one.is_provisional for one in judged):
        meanings["provisional"] = PROVISIONAL
    if any(one.seeds is not None for one in judged):
        meanings |= {
            "ours": _explain_difference(judged),
            "±": SPREAD,
            "p": P_VALUE,
            "seeds": PLANNED,
        }
    return meanings


def _explain_difference(judged: Sequence[Judged]) -> str:
    """Return what the difference of two rows is, and on which side of 0 the first one is the better."""
    metrics = [one.kind.metric for one in judged if isinstance(one.kind, MetricClaim)]
    meaning = DIFFERENCE
    if any(metric.better == "lower" for metric in metrics):
        meaning += BELOW
    higher = dict.fromkeys(metric.title for metric in metrics if metric.better == "higher")
    if higher:
        verb = choose_form(len(higher), "is", "are")
        meaning += f" {join_words(higher, 'and')} {verb} better where this is above 0."
    return meaning


def _explain_verdict(verdict: str, judged: Sequence[Judged]) -> str:
    meaning = MEANINGS[verdict]
    if verdict == INCONCLUSIVE and any(
        one.verdict == verdict and isinstance(one.kind, Cost) for one in judged
    ):
        meaning += SIZES
    return meaning
