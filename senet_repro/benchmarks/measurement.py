"""A measured ratio: ours and its yardstick timed in turn, with the spread of their paired rounds (benchmarks floor)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """Holds what was measured beside what, in one run.

    `ratio` is the median over the rounds of ours divided by the yardstick of the same round, so that a machine whose
    speed drifts slows both; `lowest` and `highest` are the extremes of these ratios.
    """

    what: str  # such as "training step, SE-ResNet-50, batch 16, float32"
    yardstick: str  # what it is set beside, such as "timm's legacy_seresnet50"
    unit: str  # of both figures: "ms" or "images/s"
    ours: float  # median over the rounds
    theirs: float  # likewise, of the yardstick
    ratio: float
    lowest: float
    highest: float
    rounds: int
    # What the ratio should be at most or, where more is better, at least; None: it is only told.
    goal: float | None = None
    is_more_better: bool = False
    # What was found equal before it was timed, in words, such as "logits within 1e-5 of timm's".
    check: str = ""

    @property
    def meets_goal(self) -> bool | None:
        """Return whether the ratio is as good as its goal; None without a goal."""
        if self.goal is None:
            return None
        return self.ratio >= self.goal if self.is_more_better else self.ratio <= self.goal


def measure_in_turn(
    time_ours: Callable[[], float],
    time_yardstick: Callable[[], float],
    rounds: int,
    *,
    what: str,
    yardstick: str,
    unit: str = "ms",
    goal: float | None = None,
    is_more_better: bool = False,
    check: str = "",
) -> Measurement:
    """Return the measurement of two figures, each taken once in every round, in turn.

    `time_ours` and `time_yardstick` return one figure in `unit`, after warming up by themselves.
    """
    ours, theirs = take_rounds(time_ours, time_yardstick, rounds)
    ratios = [own / other for own, other in zip(ours, theirs, strict=True)]
    return Measurement(
        what=what,
        yardstick=yardstick,
        unit=unit,
        ours=median(ours),
        theirs=median(theirs),
        ratio=median(ratios),
        lowest=min(ratios),
        highest=max(ratios),
        rounds=rounds,
        goal=goal,
        is_more_better=is_more_better,
        check=check,
    )


def take_rounds(
    time_ours: Callable[[], float],
    time_yardstick: Callable[[], float],
    rounds: int,
    report: Callable[[int], None] | None = None,
) -> tuple[list[float], list[float]]:
    """Return two figures of every round, each taken once in it, in turn.

    After each round `report` is told how many there were.
    """
    ours: list[float] = []
    theirs: list[float] = []
    for round_number in range(rounds):
        # Every other round begins with the yardstick: neither always finds the caches of the other.
        order = [(time_ours, ours), (time_yardstick, theirs)]
        for take_figure, figures in order if round_number % 2 == 0 else reversed(order):
            figures.append(take_figure())
        if report is not None:
            report(round_number + 1)
    return ours, theirs


def require_agreement(name: str, difference: float, tolerance: float) -> str:
    """Return in words how closely two ways agree, for `Measurement.check`.

    Raises:
        RuntimeError: they differ by more than the tolerance, so that the faster one may be wrong.
    """
    if not difference <= tolerance:
        raise RuntimeError(
            f"{name} differ by {difference:.2g}, more than {tolerance:.2g}: a fast wrong answer is not timed"
        )
    return f"{name} within {tolerance:.0e}"
