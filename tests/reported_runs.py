"""A small campaign with records of ours, and a folder of results as others send it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from senet_repro.results.campaign import Campaign, PlannedTable, read_campaign, write_campaign
from senet_repro.results.campaign_claims import write_claims
from senet_repro.results.epochs import append_epoch, hash_epochs
from senet_repro.results.record import Record, write_record
from senet_repro.results.reported import name_run_folder
from senet_repro.results.run_folder import RunFolder
from tests.records import add_outcomes, make_record

FILE = """\
question: Does it matter which squeeze?
sweep: +ablation=squeeze
seeds: [0, 1]
budget_h: 1
"""
LAB = "Lab X, 2026"
IMAGES = 360
MAX = ("squeeze=max",)
AVG = ("squeeze=avg",)
PLAIN = ("stages=none",)
ROWS = (MAX, AVG, PLAIN)


def plan_campaign(folder: Path, seeds: Sequence[int] = (0, 1)) -> Campaign:
    """The campaign that is planned in a folder: three rows of Table 11."""
    runs = [name_run_folder(make_record(row, seed=0, top1=0.0)) for row in ROWS]
    table = PlannedTable(overrides=[], seeds=list(seeds), runs=runs)
    campaign = Campaign(
        name=folder.name,
        written_at="2025-12-31T00:00:00+00:00",
        commit="0" * 40,
        tables={"squeeze": table},
    )
    write_campaign(folder, campaign)
    write_claims(folder, campaign)
    (folder / "campaign.yaml").write_text(FILE)
    planned = read_campaign(folder)
    assert planned is not None
    return planned


def leave_run(
    results_dir: Path,
    campaign: Campaign,
    row: Sequence[str],
    seed: int,
    *,
    wrong: int,
    epoch_s: float = 1.0,
    **fields: Any,
) -> Record:
    """The record of a finished run with its epochs and outcomes; so many of 360 images are wrong."""
    record = replace(make_record(row, seed=seed, top1=0.0, eval_images=IMAGES), **fields)
    name = name_run_folder(record)
    folder = results_dir / name / f"seed{seed}"
    record = add_outcomes(record, folder, [False] * wrong + [True] * (IMAGES - wrong))
    for epoch in range(1, 3):
        append_epoch(folder, {"epoch": epoch, "epoch_s": epoch_s, **record.metrics})
    digest = hash_epochs(RunFolder(folder).epochs_file.read_bytes())
    plan = fields.get("plan", campaign.describe_plan(name, seed))
    record = replace(record, metrics_sha256=digest, plan=plan)
    write_record(folder, record)
    return record


def find_run(results_dir: Path, row: Sequence[str], seed: int) -> RunFolder:
    """The folder of a run that was left by `leave_run`."""
    name = name_run_folder(make_record(row, seed=seed, top1=0.0))
    return RunFolder(results_dir / name / f"seed{seed}")
