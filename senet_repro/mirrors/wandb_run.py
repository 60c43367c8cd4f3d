"""Describe a trained run as W&B shall show it, from the files in its folder (mirrors floor).

The files are whole at any moment, so a copy can be made of a run under way, of one that was killed and of one that is
finished, and training takes no part in it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from senet_repro.config.identity import AXES
from senet_repro.config.schema import Logger
from senet_repro.core.printing import print_line
from senet_repro.mirrors.wandb_data import WandbRun
from senet_repro.results.epochs import read_epochs
from senet_repro.results.record import NoRecordError, Record, RecordError, read_record
from senet_repro.results.run_folder import RunFolder
from senet_repro.results.seed_folders import list_seed_folders
from senet_repro.results.store import read_status


def describe_logged_runs(results_dir: Path, project: str | None = None) -> Iterator[WandbRun]:
    """Yield every run below `results_dir` that was begun with logger=wandb.

    They go to `project`, or each to the project in its settings. A run whose files are damaged is left out, with a line
    on standard error.
    """
    for path in list_seed_folders(results_dir).paths:
        try:
            run = describe_if_logged(RunFolder(path), project)
        # Whoever loads the records for tables names these, of all loggers.
        except RecordError:
            continue
        # A damaged file fails in any way it happens to, and costs the copies of no other run.
        except Exception as error:
            reason = f"not files as senet_repro writes them ({type(error).__name__})"
            print_line(f"W&B: {path} is left out: {reason}", file=sys.stderr)
            continue
        if run is not None:
            yield run


def describe_if_logged(folder: RunFolder, project: str | None) -> WandbRun | None:
    """Return the run in a folder, or None where it was not begun with logger=wandb."""
    record = read_record_if_there(folder)
    settings = record.config if record else read_plain_settings(folder)
    own_project = read_project(settings)
    if own_project is None:
        return None
    return describe_run(folder, settings, record, project or own_project)


def read_project(settings: Mapping[str, Any]) -> str | None:
    """Return the project that the settings of a run with logger=wandb name; None for any other logger."""
    logger = settings.get("logger")
    if not isinstance(logger, dict) or logger.get("name") != "wandb":
        return None
    project = logger.get("project")
    if isinstance(project, str):
        return project
    return Logger().project


def read_record_if_there(folder: RunFolder) -> Record | None:
    """Return the record of a run, or None where there is none.

    Raises:
        RecordError: there is one that cannot be believed.
    """
    try:
        return read_record(folder.record_file)
    except NoRecordError:
        return None


def read_plain_settings(folder: RunFolder) -> dict[str, Any]:
    """Return the settings of a run as its record will keep them, unchecked; none where the run was not begun."""
    if not folder.settings_file.is_file():
        return {}
    settings: Any = OmegaConf.to_container(folder.load_settings())
    table = settings.get("table")
    return {**settings, "table": table and table["name"]}


def describe_run(
    folder: RunFolder, settings: dict[str, Any], record: Record | None, project: str
) -> WandbRun:
    """Return a run with its epochs and, once it has a record, its row of the error table.

    It is grouped by the table that it was trained for, or else by its protocol.
    """
    row = build_result_row(record) if record else {}
    state = "done" if record else read_status(folder.path).get("state", "running")
    return WandbRun(
        folder=folder.path,
        run_id=f"{folder.key_start}-seed{folder.seed}",
        project=project,
        name=f"{folder.name} seed {folder.seed}",
        group=settings.get("table") or settings["protocol"]["name"],
        config=build_run_config(settings, record),
        history=read_epochs(folder.path),
        tables={"result": [row]} if row else {},
        summary={**row, "state": state},
        is_finished=record is not None,
    )


def build_run_config(settings: dict[str, Any], record: Record | None) -> dict[str, Any]:
    """Return the settings of a run and, once it is finished, what it ran on."""
    if record is None:
        return settings
    # Records of older versions lack them, and their copies stay as they were sent.
    kept_beside = {"plan": record.plan, "outcomes": record.outcomes}
    return {
        **settings,
        **{name: value for name, value in kept_beside.items() if value is not None},
        "run_key": record.run_key,
        "commit": record.commit,
        "versions": record.versions,
        "hardware": record.hardware,
    }


def build_result_row(record: Record) -> dict[str, Any]:
    """Return a run's row of the error table: its point of the grid, every metric of its record, size and cost."""
    # A network without SE has no reduction ratio, and nothing to say on the other axes.
    axes = record.axes or {"r": "none"}
    point = {axis: str(axes.get(axis, "")) for axis in AXES}
    return {
        "run": record.name,
        "seed": record.seed,
        **point,
        **record.metrics,
        "params": record.params,
        "macs": record.macs,
        "epochs": record.epochs,
        "wall_s": record.wall_s,
    }
