"""The seeds that would settle claims, in sentences (report floor)."""

from __future__ import annotations

from collections.abc import Sequence

from senet_repro.report.claims.seeds_needed import SECOND_SEED, SeedsNeeded
from senet_repro.report.claims.words import CONTRADICTED
from senet_repro.report.tables.numbers import choose_difference_spec, choose_value_spec, count_seeds
from senet_repro.stats.power import MOST_SEEDS

UNITS_S = {"days": 86_400.0, "hours": 3600.0, "minutes": 60.0}


def format_seeds_needed(found: Sequence[SeedsNeeded], power: float) -> str:
    """Return a line for each claim, without the heading of its table."""
    lines = []
    for one in found:
        need = _describe_need(one, power)
        lines.append(f"- {one.judged.claim.says}: {need}")
    return "\n".join(lines)


def format_duration(seconds: float) -> str:
    """Return a time in the unit that fits it: seconds, minutes, hours or days."""
    for unit, length_s in UNITS_S.items():
        # Less than two of a unit read better in the next smaller one.
        if seconds >= 2 * length_s:
            return f"{seconds / length_s:.1f} {unit}"
    return f"{seconds:.0f} seconds"


def _describe_need(needed: SeedsNeeded, power: float) -> str:
    so_far = _describe_difference(needed)
    cost = _describe_cost(needed)
    if needed.goal == SECOND_SEED:
        return f"{so_far}: two seeds at least tell how far seeds differ; {cost}."
    if needed.goal == CONTRADICTED:
        where = needed.kind.against_in_words
        goal = f", {where}: more seeds would not reproduce it, to contradict it takes"
    else:
        goal = ": to reproduce it takes"
    if needed.seeds is None:
        return f"{so_far}{goal} more than {MOST_SEEDS:,} seeds, more than anybody trains."
    assert needed.level is not None
    seeds = f"{needed.seeds} seeds at {power:.0%} power (level {needed.level:.2g})"
    return f"{so_far}{goal} {seeds}; {cost}."


def _describe_difference(needed: SeedsNeeded) -> str:
    """Return the difference so far, with its standard deviation over seeds."""
    difference = needed.judged.difference
    if difference is None:
        return "no seed in common"
    metric = needed.kind.metric
    mean = f"{difference.mean:{choose_difference_spec(metric)}} {metric.difference_unit}"
    if difference.sd is not None:
        mean += f" with a standard deviation of {difference.sd:{choose_value_spec(metric)}}"
    return f"{mean} over {count_seeds(difference.n)}"


def _describe_cost(needed: SeedsNeeded) -> str:
    runs = []
    for row, number in needed.missing.items():
        if number:
            runs.append(f"{number} of {row}")
    duration = format_duration(needed.wall_s or 0.0)
    return f"to be trained: {', '.join(runs)}, {duration}"
