"""The kinds of claims: all but cost compare a metric of rows, cost their sizes, and rivals both (report floor)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from senet_repro.config.schema import Claim, PaperTable
from senet_repro.core.choice import require_choice
from senet_repro.report.claims.below import Below
from senet_repro.report.claims.comparisons import MetricClaim
from senet_repro.report.claims.cost import Cost
from senet_repro.report.claims.equivalent import Equivalent
from senet_repro.report.claims.lower import Lower
from senet_repro.report.claims.rivals import Rivals

ClaimKind = MetricClaim | Cost
"""A claim that is tested over seeds, or one that is counted."""

KINDS: dict[str, Callable[[PaperTable, Claim], ClaimKind]] = {
    "lower": Lower,
    "equivalent": Equivalent,
    "cost": Cost,
    "rivals": Rivals,
    "below": Below,
}
"""By the word for the kind in the paper's YAML."""


# The YAML's words are looked up here alone: whatever differs between kinds is a method of theirs.
def read_claim(paper: PaperTable, claim: Claim) -> ClaimKind:
    """Return a claim of a table as its kind.

    Raises:
        ConfigError: there is no such kind.
    """
    require_choice("kind", claim.kind, KINDS)
    return KINDS[claim.kind](paper, claim)


def find_paper_difference(kind: ClaimKind, names: Sequence[str] = ()) -> float | None:
    """Return the paper's own difference of a claim's rows, in percent for a cost; None where a figure is missing.

    `names` are those of its rows that are meant; without them it is of all.
    """
    rows = {**kind.paper.beside, **kind.paper.rows}
    figures = []
    for name in names or kind.claim.rows:
        figure = rows[name].published(kind.figure_name)
        if figure is None:
            return None
        figures.append(figure)
    return kind.compare_figures(figures)
