"""Claims about the sizes of networks, which are counted and not tested (report floor)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from senet_repro.config.schema import Claim, PaperTable
from senet_repro.core.choice import require_choice
from senet_repro.report.tables.build import ResultRow
from senet_repro.report.tables.numbers import format_interval
from senet_repro.stats.estimates import Estimate


@dataclass(frozen=True)
class Size:
    """A size of a network, counted on ours and published by the paper."""

    title: str
    count: Callable[[ResultRow], int | None]


SIZES = {
    "params_m": Size("parameters", lambda row: row.params),
    "gflops": Size("multiply-adds", lambda row: row.macs),
}
"""By the name of the published figure."""


@dataclass(frozen=True)
class Cost:
    """Claim that the first row's size exceeds the second's by a percentage; sizes are counted and not tested."""

    paper: PaperTable
    claim: Claim

    @property
    def figure_name(self) -> str:
        """Return the name of the figure that the claim is about."""
        require_choice("figure", self.claim.figure, SIZES)
        return str(self.claim.figure)

    @property
    def counted_size(self) -> Size:
        """Return the size that the claim is about."""
        return SIZES[self.figure_name]

    @property
    def increase_pct(self) -> float:
        """Return the claimed increase, in percent."""
        assert self.claim.increase_pct is not None
        return self.claim.increase_pct

    @property
    def margin(self) -> float:
        """Return by how many percent points an increase may miss the claimed one."""
        assert self.claim.margin is not None
        return self.claim.margin

    def is_met_by(self, increase_pct: float) -> bool:
        """Return whether an increase is the claimed one, within the margin."""
        return abs(increase_pct - self.increase_pct) <= self.margin

    def compare_figures(self, figures: Sequence[float]) -> float:
        """Return the increase of the paper's own figures, in percent."""
        return 100 * (figures[0] / figures[-1] - 1)

    def format_paper(self, increase_pct: float | None) -> str:
        """Return the increase of the paper's own figures as it is printed; without those, the claimed one."""
        if increase_pct is None:
            return f"{self.increase_pct:+g} %"
        return f"{increase_pct:+.2f} %"

    def format_ours(self, increase_pct: Estimate) -> str:
        """Return our increase as it is printed."""
        return format_interval(increase_pct, "+.2f", " %")
