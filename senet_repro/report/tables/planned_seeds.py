"""The seeds of some rows beside those that were planned before their training (report floor).

A seed that was added after a look at the results could be one that was waited for, so seeds that no plan holds are
shown and do not count; seeds that were planned and are not there could have been left out, so they are named.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from senet_repro.core.wording import choose_form
from senet_repro.results.campaign import MOST_GROWN_SEEDS, PLAN_FILE, Campaign
from senet_repro.results.record import Record

Plan = Mapping[str, Any]
"""A plan as the records of its runs hold it: id, written_at, seeds, grows_from, tables and sha256."""

# So many seeds in a row are written as a range.
_LEAST_RANGE = 3


@dataclass(frozen=True, kw_only=True)
class PlannedSeeds:
    """The seeds of some rows, and what their plan makes of each."""

    planned: list[int] | None  # None: no record has a plan
    written_at: str | None = None
    # The first look of a plan that may grow; None: a fixed number of seeds.
    grows_from: int | None = None
    found: list[int]  # those that all the rows with records have
    counted: list[int]  # those of `found` that are planned; all of them where there is no plan
    missing: list[int] = field(default_factory=list)  # planned, and not in `found`
    # Those of `missing` with which a run failed or diverged: the seeds that are left are those that went well.
    failed: list[int] = field(default_factory=list)
    # Found in a row, and not planned: shown, and not counted.
    unplanned: list[int] = field(default_factory=list)
    # Counted, but trained before the plan was written, or outside of it.
    trained_before: list[int] = field(default_factory=list)
    names_table: bool = True  # whether the table was planned, too
    # Whether the plan is for some of its runs another than the one that they were trained under.
    was_changed: bool = False

    @property
    def problems(self) -> list[str]:
        """Return why a verdict about these rows is provisional, in a reader's words; nothing where it is not."""
        if self.planned is None:
            return ["no plan was written before these runs"]
        found = []
        if self.missing:
            verb = choose_form(len(self.missing), "is", "are")
            found.append(f"planned {name_seeds(self.missing)} {verb} missing")
        if self.failed:
            found.append(self._describe_failed())
        if self.trained_before:
            verb = choose_form(len(self.trained_before), "was", "were")
            seeds = name_seeds(self.trained_before)
            found.append(f"{seeds} {verb} trained before the plan was written, or outside of it")
        if not self.names_table:
            found.append("the plan does not name this table")
        if self.was_changed:
            found.append("the plan was changed after runs of it were trained")
        return found

    def describe(self) -> str:
        """Return which seeds were planned and which are there, such as `Seeds planned 0-4, found 0-4.`"""
        if self.planned is None:
            return f"Seeds found {list_seeds(self.found)}; no plan was written before these runs."
        sentence = self._describe_planned()
        if self.grows_from is not None:
            sentence += f", from a plan that may grow, judged from {self.grows_from} seeds on"
        if self.unplanned:
            verb = choose_form(len(self.unplanned), "does", "do")
            seeds = list_seeds(self.unplanned)
            sentence += f"; {len(self.unplanned)} unplanned ({seeds}), which {verb} not count"
        if self.was_changed:
            sentence += "; the plan was changed after runs of it were trained"
        return f"{sentence}."

    def _describe_planned(self) -> str:
        """Return what there is of the planned seeds, as the beginning of a sentence."""
        assert self.planned is not None
        if not self.missing:
            return f"Seeds planned {list_seeds(self.planned)}, found {list_seeds(self.counted)}"
        counts = f"{len(self.counted)} of {len(self.planned)} planned seeds"
        sentence = f"{counts}: {list_seeds(self.counted)}; missing {list_seeds(self.missing)}"
        if self.failed:
            sentence += f"; {self._describe_failed()}"
        return sentence

    def _describe_failed(self) -> str:
        """Return with which planned seeds a run failed, as a part of a sentence."""
        return f"a run failed with {name_seeds(self.failed)}"


def choose_plan(records: Sequence[Record], table: str) -> Plan | None:
    """Return the plan by which the records of a table are judged; None where none was trained under a plan.

    It is one that names the table, if there is any; among those the campaign's, and otherwise the earliest. A record
    whose plan does not hold its own seed was edited, and its plan is nobody's.
    """
    plans = [
        record.plan
        for record in records
        if record.plan is not None and record.seed in _list_planned(record.plan, {record.seed})
    ]

    def rank_plan(plan: Plan) -> tuple[bool, bool, str, str]:
        names_table = table in plan["tables"]
        is_campaign = plan["id"] == PLAN_FILE
        return not names_table, not is_campaign, plan["written_at"], plan["id"]

    return min(plans, key=rank_plan, default=None)


def compare_with_plan(
    rows: Sequence[Sequence[Record]],
    table: str,
    plan: Plan | None,
    campaign: Campaign | None = None,
    failed: Collection[int] = (),
) -> PlannedSeeds:
    """Return the seeds of the rows beside those of a plan; rows without records are left out.

    `plan` is what `choose_plan` made of the table's records. `campaign` is the campaign's plan as it lies in the
    results folder now, where the caller has it: one that was changed since is told. `failed` are the seeds with which
    a run of these rows failed or diverged.
    """
    seeds_of_rows = [_collect_seeds(row) for row in rows if row]
    found: set[int] = set()
    present: set[int] = set()
    if seeds_of_rows:
        found = set.intersection(*seeds_of_rows)
        present = set.union(*seeds_of_rows)
    if plan is None:
        return PlannedSeeds(planned=None, found=sorted(found), counted=sorted(found))
    planned = _list_planned(plan, present)
    records = list(chain.from_iterable(rows))
    counted = found & planned
    missing = planned - found
    before = _collect_seeds(record for record in records if _is_outside(record, plan))
    return PlannedSeeds(
        planned=sorted(planned),
        written_at=plan["written_at"],
        grows_from=plan["grows_from"],
        found=sorted(found),
        counted=sorted(counted),
        missing=sorted(missing),
        failed=sorted(missing.intersection(failed)),
        unplanned=sorted(present - planned),
        trained_before=sorted(before & counted),
        names_table=table in plan["tables"],
        was_changed=_was_changed(records, plan, campaign),
    )


def select_planned(
    records: Sequence[Record], plan: Plan | None
) -> tuple[list[Record], list[Record]]:
    """Return the records of a row whose seeds count, and those of seeds that the plan does not hold."""
    if plan is None:
        return list(records), []
    planned = _list_planned(plan, _collect_seeds(records))
    counted, unplanned = [], []
    for record in records:
        if record.seed in planned:
            counted.append(record)
        else:
            unplanned.append(record)
    return counted, unplanned


def list_seeds(seeds: Iterable[int]) -> str:
    """Return seeds as a sentence lists them: `0-4`, `0, 1, 4`; `none` where there are none."""
    parts = []
    for first, last in _find_runs(sorted(seeds)):
        if last - first + 1 >= _LEAST_RANGE:
            parts.append(f"{first}-{last}")
        else:
            parts += [str(seed) for seed in range(first, last + 1)]
    return ", ".join(parts) or "none"


def name_seeds(seeds: Sequence[int]) -> str:
    """Return seeds with their noun: `seed 3`, `seeds 0-2, 7`."""
    noun = choose_form(len(seeds), "seed", "seeds")
    return f"{noun} {list_seeds(seeds)}"


def _collect_seeds(records: Iterable[Record]) -> set[int]:
    return {record.seed for record in records}


def _list_planned(plan: Plan, present: set[int]) -> set[int]:
    """Return the seeds that a plan holds; of one that may grow, every seed up to the greatest that is there."""
    if plan["grows_from"] is None:
        return set(plan["seeds"])
    # Whoever looks at seed 7 has to show the ones before it.
    count = min(plan["grows_from"], MOST_GROWN_SEEDS)
    for seed in present:
        if count <= seed < MOST_GROWN_SEEDS:
            count = seed + 1
    return set(range(count))


def _is_outside(record: Record, plan: Plan) -> bool:
    """Return whether a run was trained before a plan was written, or outside of every plan."""
    own = record.plan
    if own is None:
        return True
    # Whatever the clocks of two machines say: it knew the plan.
    if _agree(own, plan, "id", "written_at"):
        return False
    # Tables share runs. One that an earlier plan of the same seeds had trained was no reason to choose these.
    if _agree(own, plan, "seeds", "grows_from"):
        return False
    return record.finished_at < str(plan["written_at"])


def _agree(one: Plan, other: Plan, *keys: str) -> bool:
    return all(one[key] == other[key] for key in keys)


def _was_changed(records: Sequence[Record], plan: Plan, campaign: Campaign | None) -> bool:
    """Return whether runs were trained under other contents of the plan than now, or than others of its runs."""
    contents = {plan["sha256"]}
    for record in records:
        own = record.plan
        if own is not None and own["id"] == plan["id"]:
            contents.add(own["sha256"])
    if campaign is not None and plan["id"] == PLAN_FILE:
        contents.add(campaign.sha256)
    return len(contents) > 1


def _find_runs(seeds: Sequence[int]) -> list[tuple[int, int]]:
    """Return the first and the last of each stretch of sorted seeds that follow one another."""
    stretches: list[tuple[int, int]] = []
    for seed in seeds:
        if stretches:
            first, last = stretches[-1]
            if seed == last + 1:
                stretches[-1] = (first, seed)
                continue
        stretches.append((seed, seed))
    return stretches
