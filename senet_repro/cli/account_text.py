"""The account of a campaign in lines for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from senet_repro.cli.origin_text import describe_awaited, list_origin_parts
from senet_repro.core.durations import format_duration
from senet_repro.core.printing import escape_controls
from senet_repro.core.wording import choose_form, count_noun
from senet_repro.report.text.markdown import align_columns, escape_markdown
from senet_repro.results.account import S_PER_H, Account, AccountedRun
from senet_repro.results.campaign import Campaign
from senet_repro.results.campaign_file import CampaignFile
from senet_repro.results.run_states import STATES, first_line

DIVERGED = "diverged"


def describe_account(account: Account, budget_h: float) -> str:
    """Return how far a campaign is: a line for each round, what failed and was taken up again, and the time."""
    lines = []
    for seed in account.seeds:
        of_seed = [run for run in account.runs if run.seed == seed]
        lines.append(f"seed {seed}: {_count_states(of_seed)}")
    for run in account.failed:
        lines.append(f"{_name_state(run)}: {run.state.folder}: {first_line(run.state.reason)}")
    lines.append(f"{_count_states(account.runs)}, of {count_noun(len(account.runs), 'run')}")
    lines.append(_describe_restarts(account.runs))
    lines.append(_describe_time(account, budget_h))
    if account.unplanned:
        runs = count_noun(len(account.unplanned), "run")
        verb = choose_form(len(account.unplanned), "is", "are")
        lines.append(f"{runs} beside them {verb} of no plan, and left out")
    lines += describe_awaited(account)
    return "\n".join(lines)


def _name_state(run: AccountedRun) -> str:
    if run.diverged:
        return DIVERGED
    return run.state.state


def _count_states(runs: Iterable[AccountedRun]) -> str:
    """Return how many runs are done, and how many are in each other state that one is in."""
    counts = Counter(map(_name_state, runs))
    parts = [f"{counts['done']} done"]
    for state in (*STATES[1:], DIVERGED):
        if counts[state]:
            parts.append(f"{counts[state]} {state}")
    return ", ".join(parts)


def _describe_restarts(runs: Iterable[AccountedRun]) -> str:
    restarts = [run.restarts for run in runs if run.restarts]
    if not restarts:
        return "no run was taken up again"
    verb = choose_form(len(restarts), "was", "were")
    times = count_noun(sum(restarts), "time")
    return f"{count_noun(len(restarts), 'run')} {verb} taken up again after a stop or a failure, {times} in all"


def _describe_time(account: Account, budget_h: float) -> str:
    """Return the time of the finished runs against the budget, and about how much is left; one run after the other."""
    line = f"{account.spent_h:.2f} of {budget_h:g} hours in finished runs, as if one went after the other"
    if account.spent_h + (account.left_h or 0) > budget_h:
        line += ", and more in all than was planned"
    if not account.unsettled:
        return f"{line}; nothing is left to train"
    if account.left_h is None:
        return f"{line}; the first run tells how long the others take"
    side_by_side = sum(run.state.state == "running" for run in account.runs)
    left = format_duration(account.left_h * S_PER_H / max(side_by_side, 1))
    return f"{line}; about {left} left with {side_by_side or 'one'} at a time"


def format_account(account: Account, campaign: Campaign, source: CampaignFile) -> str:
    """Return the account of a campaign in Markdown, from what was collected of it."""
    rounds: list[Sequence[str]] = [("seed", "done", "failed", "diverged", "to come")]
    for seed in account.seeds:
        counts = Counter(_name_state(run) for run in account.runs if run.seed == seed)
        to_come = counts.total() - counts["done"] - counts["failed"] - counts[DIVERGED]
        numbers = (seed, counts["done"], counts["failed"], counts[DIVERGED], to_come)
        rounds.append([str(number) for number in numbers])
    parts = [
        f"# What became of the planned runs of {escape_markdown(campaign.name)}",
        escape_markdown(source.question),
        f"Planned at {campaign.written_at} with the code of commit {campaign.commit or 'unknown'}. Every run of the "
        "plan counts once: `python -m senet_repro campaign collect` wrote this from the files beside it.",
        align_columns(rounds),
        f"{account.spent_h:.2f} hours for the finished runs, as if one went after the other; {source.budget_h:g} were "
        f"planned for all. Of those that are here, {_describe_restarts(account.runs)}.",
    ]
    notable = [run for run in account.runs if run.restarts or run.state.state == "failed"]
    if notable:
        lines: list[Sequence[str]] = [("run", "seed", "state", "starts", "reason")]
        for run in notable:
            reason = ""
            if run.state.state == "failed":
                reason = escape_markdown(first_line(run.state.reason))
            cells = (
                run.folder_name,
                str(run.seed),
                _name_state(run),
                str(run.starts or ""),
                reason,
            )
            lines.append(cells)
        parts.append(align_columns(lines))
    parts += list_origin_parts(account)
    return escape_controls("\n\n".join(parts)) + "\n"
