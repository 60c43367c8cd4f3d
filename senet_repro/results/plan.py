"""The plans of sweeps, written before the first run, and the plan of a run (results floor).

Others see in them which runs are pending, and a run keeps in its record which plan it was trained under.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from senet_repro.config.identity import run_dir, run_name
from senet_repro.config.schema import Run
from senet_repro.core.checkout import read_commit
from senet_repro.core.files import read_object, read_text, write_json
from senet_repro.core.lock import hold_lock
from senet_repro.results.access import explain_access
from senet_repro.results.campaign import is_time, read_campaign
from senet_repro.results.record_rules import are_texts, is_count, is_name
from senet_repro.results.run_folder import RunFolder

PLANS = ".plans"
"""The folder of the plans, below the results folder."""

SCHEMA_VERSION = 2
"""2 says when and at which commit a plan was written, and keeps runs that were dropped from it."""

_OF_PLAN = ("written_at", "commit", "dirty", "runs")


class PlanError(Exception):
    """A file that is no plan, or none for this version; the message names it."""


@dataclass(frozen=True, kw_only=True)
class PlannedRun:
    """A run that a sweep is going to train."""

    folder: str  # relative to the results folder
    name: str
    seed: int
    epochs: int
    table: str | None  # the table that it was planned for
    overrides: list[str]  # of the command that trains it alone


@dataclass(frozen=True, kw_only=True)
class SweepPlan:
    """Everything that a sweep is going to train, as it was written down before the first run."""

    written_at: str  # UTC, ISO 8601
    commit: str | None  # None for an installed package, and in schema 1
    dirty: bool | None  # tracked files differed from the commit
    runs: list[PlannedRun]
    dropped: list[str] = field(
        default_factory=list
    )  # folders of runs that nobody waits for any more

    @property
    def seeds(self) -> list[int]:
        """Return the seeds of all its runs, each once."""
        return sorted({run.seed for run in self.runs})

    @property
    def tables(self) -> list[str]:
        """Return the tables that its runs were planned for, each once."""
        return list(dict.fromkeys(run.table for run in self.runs if run.table is not None))

    @property
    def protocol(self) -> list[str]:
        """Return the overrides that all of its runs have."""
        shared = set(self.runs[0].overrides)
        for run in self.runs:
            shared.intersection_update(run.overrides)
        # In the order of the command.
        return [text for text in self.runs[0].overrides if text in shared]

    @property
    def pending(self) -> list[PlannedRun]:
        """Return its runs, without those that were dropped."""
        return [run for run in self.runs if run.folder not in self.dropped]

    @property
    def sha256(self) -> str:
        """Return the hash of what was planned; runs that are dropped later do not change it."""
        content = asdict(self)
        return _hash_json({key: content[key] for key in _OF_PLAN})


def plan_run(run: Run, overrides: Sequence[str]) -> PlannedRun:
    """Return a run as a plan holds it; `overrides` are those of the command that trains it alone."""
    return PlannedRun(
        folder=str(run_dir(run).relative_to(run.results_dir)),
        name=run_name(run),
        seed=run.seed,
        epochs=run.recipe.epochs,
        table=run.table.name if run.table else None,
        overrides=list(overrides),
    )


def name_plan(results_dir: Path, runs: Sequence[PlannedRun]) -> Path:
    """Return the file of a sweep's plan, there or not: it is named by its content."""
    digest = _hash_json([asdict(run) for run in runs])
    return results_dir / PLANS / f"{digest[:12]}.json"


def write_plan(results_dir: Path, runs: Sequence[PlannedRun]) -> Path:
    """Write a sweep's plan and return its file; a sweep that is begun again has its plan already, and keeps it."""
    path = name_plan(results_dir, runs)
    # Two sweeps that begin at the same moment share one plan: the first's.
    with hold_lock(path.parent):
        plan = _read_earlier(path, runs) or _draw_up_plan(runs)
        _write_file(path, replace(plan, dropped=[]))
    return path


def read_plans(results_dir: Path) -> tuple[list[PlannedRun], list[str]]:
    """Return every run that a sweep is going to train, once, and a message per plan that cannot be read."""
    plans, messages = read_sweep_plans(results_dir)
    found: dict[str, PlannedRun] = {}
    for plan in plans.values():
        for run in plan.pending:
            # The oldest plan of a run decides where it stands.
            found.setdefault(run.folder, run)
    return list(found.values()), messages


def read_sweep_plans(results_dir: Path) -> tuple[dict[Path, SweepPlan], list[str]]:
    """Return the plans of sweeps by their files, the oldest first, and a message per plan that cannot be read."""
    plans: dict[Path, SweepPlan] = {}
    messages = []
    for path in _find_plans(results_dir):
        try:
            plans[path] = _read_file(path)
        except PlanError as error:
            messages.append(str(error))
    by_age = sorted(plans.items(), key=lambda item: (item[1].written_at, item[0].name))
    return dict(by_age), messages


def drop_planned(results_dir: Path, folders: Collection[str]) -> None:
    """Mark the runs of these folders as dropped in every plan that can be read, and remove plans of no other runs.

    A plan that keeps a run stays what it was, since records may refer to it.
    """
    for path in _find_plans(results_dir):
        # A plan of a newer version may hold more than this one knows, so it stays as it is.
        with suppress(PlanError):
            plan = _read_file(path)
            newly_dropped = [run.folder for run in plan.pending if run.folder in folders]
            plan = replace(plan, dropped=plan.dropped + newly_dropped)
            if not plan.pending:
                path.unlink()
            elif newly_dropped:
                _write_file(path, plan)


def keep_plan(run: Run) -> dict[str, Any] | None:
    """Return the plan that a run is trained under, as its record is to hold it, and keep it in the run's folder.

    A run that goes on from a checkpoint is trained under the plan that it was begun under: one that was written since
    may have been written because of how the run began. None is returned for a run that no plan holds.

    Raises:
        ConfigError: the campaign's plan is damaged.
    """
    folder = RunFolder.of(run)
    if folder.has_checkpoint():
        return read_kept_plan(folder)
    plan = find_plan(run)
    write_json(folder.plan_file, plan)
    return plan


def read_kept_plan(folder: RunFolder) -> dict[str, Any] | None:
    """Return the plan that a run was begun under; None for a run that no plan held."""
    return read_object(folder.plan_file) or None


def find_plan(run: Run) -> dict[str, Any] | None:
    """Return the plan of a run as its record is to hold it; None where no plan holds the run.

    It is the campaign's, if that holds the run, and otherwise the oldest of the sweeps' plans that do.

    Raises:
        ConfigError: the campaign's plan is damaged.
    """
    results_dir = Path(run.results_dir)
    folder = run_dir(run)
    campaign = read_campaign(results_dir)
    described = campaign and campaign.describe_plan(folder.parent.name, run.seed)
    if described:
        return described
    wanted = str(folder.relative_to(results_dir))
    # A plan that cannot be read is told by those who list them.
    plans, _ = read_sweep_plans(results_dir)
    for path, plan in plans.items():
        folders = [planned.folder for planned in plan.runs]
        if wanted in folders:
            return _describe_sweep_plan(path, plan)
    return None


def _describe_sweep_plan(path: Path, plan: SweepPlan) -> dict[str, Any]:
    """Return a sweep's plan as the records of its runs hold it."""
    return {
        "id": f"{PLANS}/{path.name}",
        "written_at": plan.written_at,
        "seeds": plan.seeds,
        "grows_from": None,
        "tables": plan.tables,
        "sha256": plan.sha256,
    }


def _read_earlier(path: Path, runs: Sequence[PlannedRun]) -> SweepPlan | None:
    """Return the plan that an earlier call of a sweep wrote; None where there is none of these runs."""
    with suppress(PlanError):
        plan = _read_file(path)
        if plan.runs == list(runs):
            return plan
    return None


def _draw_up_plan(runs: Sequence[PlannedRun]) -> SweepPlan:
    commit = read_commit()
    written_at = datetime.now(UTC).isoformat(timespec="seconds")
    return SweepPlan(
        written_at=written_at, commit=commit.revision, dirty=commit.dirty, runs=list(runs)
    )


def _find_plans(results_dir: Path) -> list[Path]:
    try:
        return sorted((results_dir / PLANS).glob("*.json"))
    # Whoever may not look into the folder sees no plans.
    except OSError:
        return []


def _write_file(path: Path, plan: SweepPlan) -> None:
    content = {
        "schema_version": SCHEMA_VERSION,
        "written_at": plan.written_at,
        "commit": plan.commit,
        "dirty": plan.dirty,
        # For people: all three follow from the runs.
        "tables": plan.tables,
        "seeds": plan.seeds,
        "protocol": plan.protocol,
        "runs": [asdict(run) for run in plan.runs],
        "dropped": plan.dropped,
    }
    write_json(path, content)


def _read_file(path: Path) -> SweepPlan:
    try:
        plan = json.loads(read_text(path))
        if plan["schema_version"] > SCHEMA_VERSION:
            raise PlanError(f"{path}: of a newer senet_repro; update it")
        if plan["schema_version"] == 1:
            plan |= {"written_at": _read_age(path), "commit": None, "dirty": None, "dropped": []}
        return _parse_plan(plan)
    except OSError as error:
        raise PlanError(explain_access(path, error)) from error
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise PlanError(f"{path}: not a plan as senet_repro writes it") from error


def _parse_plan(content: dict[str, Any]) -> SweepPlan:
    plan = SweepPlan(
        written_at=content["written_at"],
        commit=content["commit"],
        dirty=content["dirty"],
        runs=[_parse_run(point) for point in content["runs"]],
        dropped=content["dropped"],
    )
    has_commit = is_name(plan.commit or "none") and isinstance(plan.dirty, bool | None)
    if not is_time(plan.written_at) or not has_commit or not are_texts(plan.dropped):
        raise TypeError("not a plan")
    return plan


def _parse_run(point: dict[str, Any]) -> PlannedRun:
    run = PlannedRun(**{field.name: point[field.name] for field in fields(PlannedRun)})
    names = (run.folder, run.name, run.table or "none")
    numbers = (run.seed, run.epochs)
    is_sound = all(map(is_name, names)) and all(map(is_count, numbers))
    if not is_sound or not are_texts(run.overrides) or not _is_below(run.folder):
        raise TypeError("not a planned run")
    return run


def _read_age(path: Path) -> str:
    """Return when a plan of schema 1, which does not say so itself, was written last."""
    changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return changed.isoformat(timespec="seconds")


def _is_below(folder: str) -> bool:
    """Return whether a run's folder lies below the results folder, as all do."""
    path = Path(folder)
    return not path.is_absolute() and ".." not in path.parts


def _hash_json(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
