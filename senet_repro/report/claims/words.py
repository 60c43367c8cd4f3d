"""The words for what records make of a claim (report floor)."""

from __future__ import annotations

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
