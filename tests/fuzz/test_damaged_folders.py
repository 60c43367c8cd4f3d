"""Whatever has happened to a run's folder: every verb shows the other runs, and names what it leaves out."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from senet_repro.config.composition import compose
from senet_repro.config.identity import run_dir
from senet_repro.results.epochs import hash_epochs
from senet_repro.results.record import write_record
from senet_repro.results.run_folder import RunFolder
from senet_repro.results.store import write_status
from tests.folders import leave_record
from tests.fuzz.answers import MOST_CPU_S, answer_commands, find_foreign_words
from tests.fuzz.damages import DAMAGES
from tests.records import add_outcomes, record_of

FOLDERS = 200
# Rows of one table, each with an error of its own by which the table shows it.
ROWS = {"r=2": 11.25, "r=4": 22.25, "r=8": 33.25, "r=16": 44.25}
VERBS = (
    ["table", "--format", "json"],
    ["verdict"],
    ["power"],
    ["status"],
    ["status", "--format", "json"],
    ["prune"],
)
TABLE = ["table", "--table", "10"]


@pytest.mark.slow
def test_a_damaged_run_costs_no_other_and_is_named(tmp_path: Path) -> None:
    random = Random(3)
    whole = write_results(tmp_path / "whole")
    damaged = [damage_a_copy(random, whole, tmp_path / str(number)) for number in range(FOLDERS)]
    commands = []
    for folder, _, _ in damaged:
        for words in (TABLE, random.choice(VERBS)):
            commands.append([*words, "--results", str(folder)])
    answers = answer_commands(commands, tmp_path)
    faults = [fault for answer in answers for fault in find_faults(answer)]
    for (_, row, damage), table in zip(damaged, answers[::2], strict=True):
        faults += [f"{damage} of {row}: {fault}" for fault in find_missing_rows(table, row)]
    assert not faults, "\n".join(faults)


def write_results(folder: Path) -> Path:
    """Write the folder of a run for each row, as training leaves them."""
    for row, error_pct in ROWS.items():
        run = compose(["+ablation=reduction_ratio", row, f"results_dir={folder}"])
        record = record_of(run, seed=0, top1=error_pct)
        leave_record(run, record)
        own = RunFolder.of(run)
        hits = np.arange(record.eval_images) >= 3
        record = replace(
            add_outcomes(record, own.path, hits),
            metrics=record.metrics,
            metrics_sha256=hash_epochs(own.epochs_file.read_bytes()),
        )
        write_record(own.path, record)
        write_status(run_dir(run), run_key=record.run_key, seed=0, state="done")
    return folder


def damage_a_copy(random: Random, whole: Path, folder: Path) -> tuple[Path, str, str]:
    """Damage a run of a copy of a results folder; returns the copy, the run's row and what was done to it."""
    shutil.copytree(whole, folder)
    row = random.choice(list(ROWS))
    (run,) = folder.glob(f"*-{row.replace('=', '')}-*/seed0")
    damage = random.choice(DAMAGES)
    damage(random, run)
    return folder, row, damage.__name__


def find_faults(answer: dict[str, Any]) -> list[str]:
    """Return what is wrong with a verb's answer, whatever the folder holds."""
    faults = find_foreign_words(answer)
    printed = answer["out"] + answer["err"]
    # `verdict` and `power` may say that the records do not suffice.
    if answer["exit_code"] not in (0, 1):
        faults.append(f"exit {answer['exit_code']}: {printed}")
    if answer["cpu_s"] > MOST_CPU_S:
        faults.append(f"takes {answer['cpu_s']:.1f} s")
    if not printed.replace("\n", "").isprintable():
        faults.append(f"prints what a terminal obeys: {printed!r}")
    return [f"{answer['words']}: {fault}" for fault in faults]


def find_missing_rows(table: dict[str, Any], victim: str) -> list[str]:
    """Return the rows that the table lost: all that were not damaged, and the damaged one if no message names it."""
    missing = [row for row, error_pct in ROWS.items() if str(error_pct) not in table["out"]]
    faults = [f"{row} is not shown" for row in missing if row != victim]
    if victim in missing and "skipped" not in table["out"]:
        faults.append(f"{victim} is neither shown nor named")
    return faults
