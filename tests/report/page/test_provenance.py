"""The command beside a number is the one that makes it: it composes to the record's own run."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from senet_repro.config.composition import compose
from senet_repro.config.identity import run_key
from senet_repro.report.page.provenance import PROGRAM, command, environments
from senet_repro.results.store import load_results
from tests.conftest import ROOT
from tests.records import make_record


@pytest.mark.parametrize(
    "overrides",
    [
        ["stages=all_but_last"],
        ["+ablation=stages", "stages=[2,3]", "protocol=cifar100", "se.bias=true"],
        [
            "+ablation=reduction_ratio",
            "r=none",
            "protocol=cifar10",
            "model=resnet11",
            "data.root=some where",
        ],
        [
            "+experiment=cifar10",
            "model=wrn16_8",
            "stages=none",
            "recipe.epochs=5",
            "recipe.cutout_px=16",
        ],
        [
            "+experiment=cifar10",
            "r=4",
            "recipe.schedule.kind=cosine",
            "trainer.precision=bf16-mixed",
            "data=digits",
        ],
        [
            "+experiment=imagenet",
            "model=resnet50",
            "model.options.stride_on=conv3x3",
            "recipe.schedule.drops=[1,2]",
        ],
    ],
)
def test_a_command_composes_to_the_run_that_it_repeats(overrides: list[str]) -> None:
    records = [make_record(overrides, seed=seed, top1=3.0) for seed in (1, 0)]
    text = command(records)
    assert text is not None
    assert text.startswith(f"{PROGRAM} -m ")
    *words, seeds = shlex.split(text.removeprefix(f"{PROGRAM} -m "))
    assert seeds == "seed=0,1"
    assert run_key(compose(words)) == records[0].run_key
    assert command(records[:1]) == text.replace(" -m +", " +").replace(
        " -m protocol", " protocol"
    ).replace("0,1", "1")


def test_a_sweeping_command_names_what_its_table_sweeps() -> None:
    text = command(
        [make_record(["+ablation=reduction_ratio", "r=16"], seed=seed, top1=3.0) for seed in (0, 1)]
    )
    assert text == f"{PROGRAM} -m +ablation=reduction_ratio protocol=demo r=16 seed=0,1"
    text = command([make_record(["+experiment=cifar10"], seed=seed, top1=3.0) for seed in (0, 1)])
    assert text == f"{PROGRAM} -m +experiment=cifar10 model=resnet110 stages=all seed=0,1"


def test_a_record_that_no_command_of_this_version_makes_has_none() -> None:
    record = make_record([], seed=0, top1=3.0)
    assert command([replace(record, run_key="0" * 64)]) is None
    assert command([replace(record, config={})]) is None
    assert (
        command([replace(record, config={**record.config, "model": {"name": "forgotten"}})]) is None
    )


@pytest.mark.parametrize("campaign", ["demo", "cifar10-first"])
def test_every_committed_record_has_its_command(campaign: str) -> None:
    records = load_results(Path(ROOT / "experiments" / campaign)).records
    assert records
    assert all(command([record]) for record in records)


def test_machines_are_told_apart_by_hardware_and_versions() -> None:
    record = make_record([], seed=0, top1=3.0)
    other = replace(record, versions={"torch": "3"})
    assert environments([record, other, record]) == ["cpu; torch 2", "cpu; torch 3"]
