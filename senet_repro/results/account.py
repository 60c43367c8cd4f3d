"""The account of a campaign: what became of every run that its plan holds (results floor)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from senet_repro.core.errors import ConfigError
from senet_repro.results.campaign import Campaign
from senet_repro.results.plan import read_kept_plan
from senet_repro.results.reported import ReportedRun, list_origin_folders
from senet_repro.results.run_folder import RunFolder
from senet_repro.results.run_states import RunState, read_run_states
from senet_repro.results.starts import count_starts
from senet_repro.results.store import load_results, read_status

S_PER_H = 3600


@dataclass(frozen=True)
class AccountedRun:
    """One run of the plan, and how far it is."""

    folder_name: str  # the name of its folder, <name>-<first 8 digits of the run key>
    seed: int
    state: RunState
    diverged: bool  # failed, and would fail again
    starts: int | None  # None for a run of a version that did not count

    @property
    def is_settled(self) -> bool:
        """Return whether nothing is left to train: the run has its record, or would diverge again."""
        return self.state.state == "done" or self.diverged

    @property
    def restarts(self) -> int:
        """Return how often the run is known to have been taken up again."""
        return max((self.starts or 1) - 1, 0)


@dataclass(frozen=True)
class Account:
    """Every run of a campaign, in the order in which they are trained, and what else lies in its results folder."""

    runs: list[AccountedRun]
    unplanned: list[Path]  # folders of further runs
    problems: list[str]  # a message for each file that is left out
    # Runs that others trained, of the campaign's own folder: they settle none of ours.
    reported: list[ReportedRun] = field(default_factory=list)

    @property
    def seeds(self) -> list[int]:
        """Return the seeds of the rounds, in their order."""
        return list(dict.fromkeys(run.seed for run in self.runs))

    @property
    def unsettled(self) -> list[AccountedRun]:
        """Return the runs that are left to train."""
        return [run for run in self.runs if not run.is_settled]

    @property
    def failed(self) -> list[AccountedRun]:
        """Return the runs that failed, those that diverged among them."""
        return [run for run in self.runs if run.state.state == "failed"]

    @property
    def spent_h(self) -> float:
        """Return the hours of all finished runs, one after the other."""
        return sum(run.state.wall_s or 0.0 for run in self.runs) / S_PER_H

    @property
    def left_h(self) -> float | None:
        """Return about how many hours are left of all runs, one after the other; None before a first run is done.

        A run that is left takes as long as those that are done, less the epochs that it has behind it.
        """
        done_s = [run.state.wall_s for run in self.runs if run.state.wall_s is not None]
        if not done_s:
            return None
        shares = [1 - _share_behind(run.state) for run in self.unsettled]
        return sum(shares) * sum(done_s) / len(done_s) / S_PER_H


def list_planned(campaign: Campaign) -> list[tuple[str, int]]:
    """Return the folder's name and the seed of each run of a campaign, once, in rounds: all rows of a seed together."""
    seeds = sorted({seed for table in campaign.tables.values() for seed in table.seeds})
    planned: dict[tuple[str, int], None] = {}
    for seed in seeds:
        for table in campaign.tables.values():
            if seed in table.seeds:
                planned.update(dict.fromkeys((run, seed) for run in table.runs))
    return list(planned)


def read_account(results_dir: Path, campaign: Campaign, collected: Path | None = None) -> Account:
    """Return what became of every run of a campaign that is trained in `results_dir`.

    A run that is settled in `collected`, the campaign's own folder, is so wherever it is cloned, unless `results_dir`
    holds it settled, too, or it is being trained there.
    """
    states, problems = read_run_states(results_dir)
    by_folder = {state.folder: state for state in states}
    settled_runs: dict[tuple[str, int], AccountedRun] = {}
    if collected is None:
        reported = _read_reported(results_dir, problems)
    else:
        of_collected = read_account(collected, campaign)
        problems += of_collected.problems
        reported = of_collected.reported
        for run in of_collected.runs:
            if run.is_settled:
                settled_runs[run.folder_name, run.seed] = run
    runs = []
    for name, seed in list_planned(campaign):
        folder = results_dir / name / f"seed{seed}"
        state = by_folder.pop(folder, None) or _await_run(folder, name, seed)
        run = _account_for(name, seed, state)
        if not run.is_settled and state.state != "running":
            run = settled_runs.get((name, seed), run)
        runs.append(run)
    return Account(runs, _list_begun(by_folder.values()), problems, reported)


def refuse_other_plans(account: Account, campaign: Campaign) -> None:
    """Accept an account whose runs were all begun under the campaign's plan.

    Raises:
        ConfigError: one was begun before the plan was written, or under another; the message names it.
    """
    for run in account.runs:
        folder = RunFolder(run.state.folder)
        # Refused before it had its plan, as where its pictures are not there any more, a run has trained nothing.
        was_refused = (
            run.state.state == "failed" and not run.diverged and not folder.plan_file.exists()
        )
        if run.state.state == "waiting" or was_refused:
            continue
        plan = read_kept_plan(folder) or {}
        if plan.get("sha256") != campaign.sha256:
            raise ConfigError(
                f"{run.state.folder} was not begun under the plan of {campaign.name}, and counts for nothing there: "
                "give another folder for the campaign's runs, --results DIR, or plan another campaign"
            )


def _read_reported(results_dir: Path, problems: list[str]) -> list[ReportedRun]:
    """Return the runs that others reported to a campaign; a message is added for each that is left out."""
    # Hardly any campaign has some, and all records would be read once more.
    if not list_origin_folders(results_dir):
        return []
    results = load_results(results_dir)
    problems += [message for message in results.unreadable if message not in problems]
    return results.reported


def _await_run(folder: Path, name: str, seed: int) -> RunState:
    """Return the state of a run that was never begun."""
    return RunState(folder=folder, name=name.rpartition("-")[0], seed=seed, state="waiting")


def _account_for(name: str, seed: int, state: RunState) -> AccountedRun:
    diverged = state.state == "failed" and read_status(state.folder).get("diverged") is True
    return AccountedRun(name, seed, state, diverged, count_starts(state.folder))


def _list_begun(states: Iterable[RunState]) -> list[Path]:
    return [state.folder for state in states if state.state != "waiting"]


def _share_behind(state: RunState) -> float:
    """Return which share of its epochs a run has behind it."""
    if not state.epochs:
        return 0.0
    return min((state.epoch + state.epoch_share) / state.epochs, 1.0)
