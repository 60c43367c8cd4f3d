"""The seeds that would settle claims, in sentences (report floor)."""

from __future__ import annotations

from collections.abc import Sequence

from senet_repro.core.durations import format_duration
from senet_repro.report.claims.comparisons import MetricClaim
from senet_repro.report.claims.equivalent import Equivalent
from senet_repro.report.claims.rivals import Rivals
from senet_repro.report.claims.seeds_needed import SECOND_SEED, SeedsNeeded, SupposedPlan
from senet_repro.report.claims.words import CONTRADICTED, NO_EFFECT
from senet_repro.report.tables.numbers import choose_difference_spec, choose_value_spec, count_seeds
from senet_repro.stats.power import MOST_SEEDS


def format_seeds_needed(found: Sequence[SeedsNeeded], power: float) -> str:
    """Return a line for each claim, without the heading of its table."""
    lines = []
    for one in found:
        need = describe_need(one, power)
        lines.append(f"- {one.judged.claim.says}: {need}")
    return "\n".join(lines)


def format_supposed_plans(plans: Sequence[SupposedPlan], power: float) -> str:
    """Return a line for all claims of a table that take the same, before anything is trained."""
    claims: dict[str, list[str]] = {}
    for plan in plans:
        need = _describe_supposed(plan, power)
        same = claims.setdefault(need, [])
        same.append(plan.kind.claim.says)
    lines = []
    for need, says in claims.items():
        listed = "; ".join(says)
        lines.append(f"- {listed}: {need}")
    return "\n".join(lines)


def describe_seeds_briefly(needed: SeedsNeeded) -> str:
    """Return the seeds that would settle a claim, in all: for the difference so far, and for its lower bound.

    In brackets stands the time of those yet to be trained, of the greater number where both are known.
    """
    time = f"({format_duration(needed.wall_s or 0.0)})"
    if needed.goal == SECOND_SEED:
        return f"{needed.seeds} at least {time}"
    too_many = f"more than {MOST_SEEDS:,}"
    if needed.hoped_seeds is None:
        return too_many
    if needed.seeds is None:
        return f"{needed.hoped_seeds} {time} or {too_many}"
    if needed.seeds == needed.hoped_seeds:
        return f"{needed.seeds} {time}"
    return f"{needed.hoped_seeds} to {needed.seeds} {time}"


def _describe_supposed(plan: SupposedPlan, power: float) -> str:
    if plan.seeds is None:
        seeds = f"more than {MOST_SEEDS:,} seeds, more than anybody trains"
    else:
        seeds = f"{plan.seeds} seeds at {power:.0%} power (level {plan.level:.2g})"
    numbers, effects = [], []
    for n, effect in plan.detectable.items():
        numbers.append(str(n))
        effects.append(_format_points(plan.kind, effect))
    with_seeds = f"with {', '.join(numbers)} seeds"
    name = _name_effect(plan.kind)
    shown = ", ".join(effects)
    unit = plan.kind.metric.difference_unit
    return f"{seeds}; {with_seeds} the {name} that shows is {shown} {unit}."


def describe_need(needed: SeedsNeeded, power: float) -> str:
    """Return the difference so far, and the seeds and the time that would settle a claim, as a sentence."""
    so_far = _describe_difference(needed)
    cost = _describe_cost(needed)
    if needed.goal == SECOND_SEED:
        if needed.seeds != 2:
            return f"{so_far}: all seeds alike, so a further one has to tell how far they differ; {cost}."
        return f"{so_far}: two seeds at least tell how far seeds differ; {cost}."
    assert needed.detectable is not None
    least = _format_points(needed.kind, needed.detectable)
    unit = needed.kind.metric.difference_unit
    n = count_seeds(needed.judged.n)
    name = _name_effect(needed.kind)
    limit = f"With {n} the {name} that shows is {least} {unit}."
    goal = f"{so_far}{_describe_goal(needed)}"
    if needed.hoped_seeds is None:
        return f"{goal} more than {MOST_SEEDS:,} seeds, more than anybody trains. {limit}"
    assert needed.level is not None
    at = f"at {power:.0%} power (level {needed.level:.2g})"
    if needed.seeds is None:
        hoped = f"{needed.hoped_seeds} seeds {at} if that is the true difference"
        bound = f"more than {MOST_SEEDS:,} by its lower bound"
        return f"{goal} {hoped}, {bound}; {cost}. {limit}"
    seeds = f"{needed.seeds} seeds {at} by its lower bound"
    hoped = f"{needed.hoped_seeds} if it is the true difference"
    return f"{goal} {seeds}, {hoped}; {cost}. {limit}"


def _describe_goal(needed: SeedsNeeded) -> str:
    """Return what the seeds are to show, after the difference so far."""
    if needed.goal == CONTRADICTED:
        where = needed.kind.against_in_words
        return f", {where}: more seeds would not reproduce it, to contradict it takes"
    if needed.goal == NO_EFFECT:
        return ", less than matters: to show that there is no effect takes"
    return ": to reproduce it takes"


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


def _name_effect(kind: MetricClaim) -> str:
    """Return what the least distance that seeds show is called."""
    return "least margin" if isinstance(kind, Equivalent | Rivals) else "least gain"


def _format_points(kind: MetricClaim, points: float) -> str:
    return f"{points:{choose_value_spec(kind.metric)}}"
