"""Whose runs a campaign has, in its account."""

from __future__ import annotations

from collections.abc import Sequence

from senet_repro.core.wording import choose_form, count_noun, join_words
from senet_repro.report.text.markdown import align_columns, escape_markdown
from senet_repro.report.text.origins import CAUTION, list_figures
from senet_repro.results.account import Account
from senet_repro.results.metrics import printed_metrics
from senet_repro.results.reported import (
    OURS,
    ReportedRun,
    group_by_origin,
    mark_code,
    name_run_folder,
)
from senet_repro.tasks import find_task

ORIGIN_HEADER = ("origin", "runs", "counted", "re-run by us", "not counted")
RUN_HEADER = ("run", "seed", "reported by", "figure", "theirs", "ours", "difference", "what it is")


def describe_awaited(account: Account) -> list[str]:
    """Return a line on the planned runs that others trained and we did not; nothing where there are none."""
    done = {(run.folder_name, run.seed) for run in account.runs if run.state.state == "done"}
    # Of several that reported one run, one counts.
    awaited = [run for run in account.reported if run.counts and _name_run(run) not in done]
    if not awaited:
        return []
    origins = join_words(group_by_origin(awaited), "and")
    are = choose_form(len(awaited), "is", "are")
    return [
        f"{count_noun(len(awaited), 'run')} not done here {are} reported by {origins}: counted in tables until ours "
        "is there, and trained all the same"
    ]


def list_origin_parts(account: Account) -> list[str]:
    """Return the section of an account on whose runs there are, in Markdown; nothing where all are ours."""
    if not account.reported:
        return []
    done = sum(run.state.state == "done" for run in account.runs)
    lines: list[Sequence[str]] = [ORIGIN_HEADER, (OURS, str(done), str(done), "", "")]
    for name, runs in group_by_origin(account.reported).items():
        counted = sum(run.counts for run in runs)
        rerun = sum(run.ours is not None for run in runs)
        numbers = (len(runs), counted, rerun, len(runs) - counted - rerun)
        lines.append([escape_markdown(name), *map(str, numbers)])
    cells: list[Sequence[str]] = [RUN_HEADER]
    cells += [_list_run_cells(run) for run in account.reported]
    return [
        "## By origin",
        align_columns(lines),
        f"{CAUTION} A reported run settles none of the plan: it is trained here all the same, and ours counts from "
        "then on.",
        align_columns(cells),
    ]


def _list_run_cells(run: ReportedRun) -> list[str]:
    metric = printed_metrics(find_task(run.record.task).metrics)[0]
    name, seed = _name_run(run)
    figures = list_figures(run, metric)
    role = "counted"
    if run.ours is not None:
        role = "re-run by us"
    elif run.why_not is not None:
        role = "not counted"
    remarks = [role, run.why_not, mark_code(run.record)]
    words = "; ".join(remark for remark in remarks if remark)
    origin = escape_markdown(run.origin)
    return [name, str(seed), origin, metric.heading, *figures, escape_markdown(words)]


def _name_run(run: ReportedRun) -> tuple[str, int]:
    """Return the name of the folder of a run, and its seed."""
    return name_run_folder(run.record), run.record.seed
