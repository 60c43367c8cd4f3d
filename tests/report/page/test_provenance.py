"""The command beside a number is the one that trained it, over all of its seeds."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from senet_repro.config.composition import compose
from senet_repro.config.identity import run_key
from senet_repro.report.page.provenance import (
    PROGRAM,
    describe_selection,
    list_machines,
    write_command,
)
from senet_repro.results.record import Record
from senet_repro.results.store import load_results
from tests.conftest import ROOT
from tests.records import make_record
from tests.report.pages import make_trained_record


def _train_seeds(overrides: Sequence[str], *seeds: int) -> list[Record]:
    return [make_trained_record(overrides, seed=seed, top1=3.0) for seed in seeds]


@pytest.mark.parametrize(
    "overrides",
    [
        ["stages=all_but_last"],
        ["+ablation=stages", "stages=[2, 3]", "protocol=cifar100", "se.bias=true"],
        ["+ablation=reduction_ratio", "r=none", "protocol=cifar10", "data.root=some where"],
        ["+experiment=cifar10", "model=wrn16_8", "stages=none", "recipe.cutout_px=16"],
    ],
)
def test_a_command_composes_to_the_run_that_it_repeats(overrides: list[str]) -> None:
    records = _train_seeds(overrides, 1, 0)
    text = write_command(records)
    assert text is not None
    *words, seeds = shlex.split(text.removeprefix(f"{PROGRAM} -m "))
    assert words == overrides
    assert seeds == "seed=0,1"
    assert run_key(compose(words)) == records[0].run_key


def test_a_single_seed_needs_no_sweep() -> None:
    assert write_command(_train_seeds(["r=4"], 2)) == f"{PROGRAM} r=4 seed=2"


def test_a_table_whose_axes_are_not_named_is_not_swept_for_the_sake_of_seeds() -> None:
    text = write_command(_train_seeds(["+ablation=squeeze"], 0, 1))
    assert text == (f"{PROGRAM} +ablation=squeeze seed=0\n{PROGRAM} +ablation=squeeze seed=1")


def test_where_results_went_is_no_part_of_the_command() -> None:
    records = [
        replace(record, overrides=["results_dir=elsewhere", "+r=4", f"seed={record.seed}"])
        for record in _train_seeds(["r=4"], 0, 1)
    ]
    assert write_command(records) == f"{PROGRAM} -m +r=4 seed=0,1"


def test_one_record_with_a_command_speaks_for_the_run() -> None:
    old, new = _train_seeds(["r=4"], 0, 1)
    assert write_command([replace(old, overrides=None), new]) == f"{PROGRAM} -m r=4 seed=0,1"


def test_records_of_schema_1_have_no_command_but_an_origin() -> None:
    records = load_results(Path(ROOT / "experiments" / "cifar10-first")).records
    assert records
    assert all(write_command([record]) is None for record in records)
    assert all("protocol" in describe_selection(record) for record in records)


def test_an_altered_record_still_has_a_page() -> None:
    record = replace(make_record([], seed=0, top1=3.0), overrides=None, config={})
    assert write_command([record]) is None
    assert describe_selection(record) == "table and protocol unknown"


def test_machines_are_told_apart_by_hardware_and_versions() -> None:
    record = make_record([], seed=0, top1=3.0)
    other = replace(record, versions={"torch": "3"})
    machine = "a processor cpu, devices 1, threads 1"
    found = list_machines([record, other, record])
    assert found == [f"{machine}; torch 2", f"{machine}; torch 3"]
