"""All claims of all tables in one short table, for the first page of a document (report floor)."""

from __future__ import annotations

from collections.abc import Sequence

from senet_repro.config.paper_tables import label_table
from senet_repro.report.claims.judge import Judged, format_verdict
from senet_repro.report.claims.seeds_needed import SECOND_SEED, plan_seeds
from senet_repro.report.claims.words import NOT_RUN
from senet_repro.report.figures.captions import describe_standing
from senet_repro.report.tables.build import ResultTable
from senet_repro.report.text.markdown import align_columns, escape_markdown
from senet_repro.report.text.seeds_needed import describe_seeds_briefly
from senet_repro.report.text.verdicts import (
    Verdicts,
    count_claims,
    format_ours,
    format_published,
    list_items,
    list_missing,
)

HEADER = ("claim", "of", "paper", "ours", "n", "verdict", "seeds to settle it")

READING = (
    "Paper and ours: the first row of a claim minus the second, in points of its metric (of an error, below 0 is "
    "better) or in % of a size. Of more than two rows both are of the pair that decides, which the verdicts name."
)

ONE_SEED = (
    "2 at least: one seed does not tell how far seeds differ, so nobody can say yet how many it takes; in brackets the "
    "time of the second."
)

SETTLING = (
    "Seeds to settle it: so many in all give a verdict at 80 % power, first if the difference so far is the true one, "
    "then if it is at its lower bound; in brackets the time of the runs that are lacking, one after the other. `power` "
    "says more."
)


def format_claim_overview(found: Verdicts) -> str:
    """Return a line for each claim that was judged, with the paper's figure, ours and the verdict.

    Above stand the counts of the verdicts, below what all figures are of and what is missing. Claims whose rows were
    not run are left out.
    """
    lines: list[Sequence[str]] = [HEADER]
    goals: set[str] = set()
    for table, judged in found.tables:
        plans = plan_seeds(table)
        needed = {plan.judged.claim.says: describe_seeds_briefly(plan) for plan in plans}
        goals |= {plan.goal for plan in plans}
        for one in judged:
            if one.verdict != NOT_RUN:
                lines.append([*_list_cells(table, one), needed.get(one.claim.says, "")])
    counts = list_items(count_claims(found))
    if len(lines) == 1:
        return counts
    standings = dict.fromkeys(describe_standing(table) for table, _ in found.tables)
    notes = [READING, *(f"Data: {standing}." for standing in standings)]
    notes += list_missing(found)
    if SECOND_SEED in goals:
        notes.append(ONE_SEED)
    if any(goal != SECOND_SEED for goal in goals):
        notes.append(SETTLING)
    return "\n\n".join([counts, align_columns(lines), list_items(notes)])


def _list_cells(table: ResultTable, one: Judged) -> list[str]:
    return [
        escape_markdown(one.claim.says),
        label_table(table.paper),
        format_published(one),
        format_ours(one),
        str(one.n or ""),
        format_verdict(one),
    ]
