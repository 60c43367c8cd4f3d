"""The words for what records make of a claim (report floor)."""

from __future__ import annotations

from collections.abc import Mapping

REPRODUCED = "reproduced"
SMALLER = "smaller than published"
NO_EFFECT = "no effect"
CONTRADICTED = "contradicted"
INCONCLUSIVE = "inconclusive"
NOT_TESTABLE = "not testable"
NOT_RUN = "not run"

VERDICTS = (
    REPRODUCED,
    SMALLER,
    NO_EFFECT,
    CONTRADICTED,
    INCONCLUSIVE,
    NOT_TESTABLE,
    NOT_RUN,
)
"""From the best to what says nothing, as they are counted below tables."""


def tally_verdicts(counts: Mapping[str, int]) -> str:
    """Return how often each verdict was given, those left out that never were; `none` where none was."""
    given = [f"{counts[verdict]} {verdict}" for verdict in VERDICTS if counts.get(verdict)]
    return ", ".join(given) or "none"
