"""The verb plan, and what sweeps say of the plans that they write or find."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from senet_repro.cli import planning
from senet_repro.cli.planning import (
    Words,
    list_lacking_rows,
    plan_tables,
    read_words,
    refuse_begun,
)
from senet_repro.cli.points import Point
from senet_repro.cli.sweep_plans import print_plans, say_unplanned, write_plans
from senet_repro.cli.verbs import call_verb, plan
from senet_repro.config.identity import run_dir
from senet_repro.config.schema import Run
from senet_repro.core.checkout import Commit
from senet_repro.core.errors import ConfigError
from senet_repro.results.campaign import Campaign, SmallestEffect, read_campaign, write_campaign
from senet_repro.results.run_folder import RunFolder
from tests.folders import finish
from tests.records import compose_once

SQUEEZE = "+ablation=squeeze"
ROBUST = "it matters little which squeeze"


def set_commit(monkeypatch: pytest.MonkeyPatch, dirty: bool | None) -> None:
    monkeypatch.setattr(planning, "read_commit", lambda: Commit("c" * 40, dirty))


def rows(results_dir: Path) -> list[Run]:
    runs = [replace(compose_once(SQUEEZE), squeeze=value) for value in ("max", "avg")]
    return [replace(run, results_dir=str(results_dir)) for run in runs]


def campaign_of(results_dir: Path, seeds: Sequence[int], grows_from: int | None = None) -> Campaign:
    tables = plan_tables(Words([SQUEEZE], list(seeds)), rows(results_dir), grows_from, [])
    now = "2026-01-01T12:00:00+00:00"
    return Campaign(name="x", written_at=now, commit=None, tables=tables)


def test_a_campaign_is_planned_told_and_not_changed_once_it_was_begun(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_commit(monkeypatch, dirty=False)
    words = ["-m", SQUEEZE, "recipe.epochs=2", "seed=0,1,2", f"results_dir={tmp_path}"]
    effects = ["--smallest-effect", "0.5 because ten seeds see it"]
    assert call_verb("plan", [*words, "--grows-from", "2", *effects]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == (
        "Table 11 squeeze: 2 rows, seeds 0-2: 6 runs; seeds may be added, with a first look at 2; "
        "claims: 0.5 points matter, because ten seeds see it"
    )
    assert shlex.split(lines[-1]) == ["python", "-m", "senet_repro", *words]
    campaign = read_campaign(tmp_path)
    assert campaign is not None
    assert (campaign.name, campaign.commit) == (tmp_path.name, "c" * 40)
    table = campaign.tables["squeeze"]
    assert (table.overrides, table.seeds, table.grows_from) == (["recipe.epochs=2"], [0, 1, 2], 2)
    assert table.smallest_effects == {"*": SmallestEffect(points=0.5, because="ten seeds see it")}
    assert ROBUST in table.claims

    begun = RunFolder(tmp_path / table.runs[0] / "seed1")
    begun.path.mkdir(parents=True)
    begun.status_file.write_text("{}")
    # Composing takes long, and gives the same rows again.
    runs = [replace(run, recipe=replace(run.recipe, epochs=2)) for run in rows(tmp_path)]
    monkeypatch.setattr(plan, "compose_rows", lambda _: runs)
    # The same words plan nothing new, also where the code has changed since.
    set_commit(monkeypatch, dirty=True)
    assert call_verb("plan", [*words, "--grows-from", "2", *effects]) == 0
    with pytest.raises(ConfigError, match="seed1 was begun already"):
        call_verb("plan", words)
    assert read_campaign(tmp_path) == campaign


def test_code_that_is_not_committed_plans_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "compose_rows", lambda _: rows(tmp_path))
    words = [SQUEEZE, f"results_dir={tmp_path}"]
    set_commit(monkeypatch, dirty=True)
    with pytest.raises(ConfigError, match="commit them first"):
        call_verb("plan", words)
    dry = [replace(run, dry=True) for run in rows(tmp_path)]
    monkeypatch.setattr(plan, "compose_rows", lambda _: dry)
    assert call_verb("plan", [*words, "dry=true"]) == 0
    assert read_campaign(tmp_path) is None


def test_tables_are_added_before_the_first_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_campaign(tmp_path, campaign_of(tmp_path, [0, 1]))
    set_commit(monkeypatch, dirty=None)
    run = replace(compose_once("+ablation=stages"), results_dir=str(tmp_path))
    monkeypatch.setattr(plan, "compose_rows", lambda _: [run])
    assert call_verb("plan", ["+ablation=stages", "seed=3"]) == 0
    campaign = read_campaign(tmp_path)
    assert campaign is not None
    assert {name: table.seeds for name, table in campaign.tables.items()} == {
        "squeeze": [0, 1],
        "stages": [3],
    }


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["seed=0,1"], "plan: give the tables to plan"),
        ([SQUEEZE, "seed=a,b"], "seed is ['a', 'b']: give whole numbers"),
        ([SQUEEZE, "seed=1,1"], "seed is [1, 1]: give whole numbers from 0 on, each once"),
        ([SQUEEZE, "sed=1"], "unknown key 'sed'"),
    ],
)
def test_words_that_plan_nothing_are_refused(words: list[str], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_words(words)
    assert message in str(caught.value)


def test_the_protocol_is_what_decides_numbers() -> None:
    words = ["recipe.epochs=2", "seed=range(0,4)", "results_dir=x", SQUEEZE, "hydra/launcher=slurm"]
    found = read_words([*words, "dry=true", "data.root=somewhere"])
    assert found.seeds == [0, 1, 2, 3]
    assert found.protocol == ["recipe.epochs=2", "data.root=somewhere"]
    assert read_words([SQUEEZE]).seeds == [0]


@pytest.mark.parametrize(
    ("seeds", "grows_from", "effects", "message"),
    [
        ([0, 1], 3, [], "--grows-from is 3: give the seeds at the first look, from 2 to 2"),
        ([0, 2], 2, [], "--grows-from needs two seeds or more, from 0 on and without a gap"),
        ([0], 2, [], "--grows-from needs two seeds or more"),
        ([0], None, ["much"], "not much"),
        ([0], None, ["-1 because so"], "points above 0 with a reason"),
        ([0], None, ["nan because so"], "points above 0 with a reason"),
        ([0], None, ["nonsense: 1 because so"], "the claim=nonsense: give *, "),
    ],
)
def test_a_plan_that_cannot_be_is_refused(
    seeds: list[int], grows_from: int | None, effects: list[str], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as caught:
        plan_tables(Words([SQUEEZE], seeds), rows(tmp_path), grows_from, effects)
    assert message in str(caught.value)


def test_a_smallest_effect_may_be_of_one_claim(tmp_path: Path) -> None:
    effects = ["1 because of noise", f"{ROBUST}: 0.2 because it is: half"]
    table = plan_tables(Words([SQUEEZE], [0]), rows(tmp_path), None, effects)["squeeze"]
    assert table.smallest_effects == {
        "*": SmallestEffect(points=1.0, because="of noise"),
        ROBUST: SmallestEffect(points=0.2, because="it is: half"),
    }


def test_claims_about_rows_of_other_tables_are_told(tmp_path: Path) -> None:
    tables = campaign_of(tmp_path, [0]).tables
    lines = list_lacking_rows(rows(tmp_path), tables)
    assert lines == [
        "squeeze: some of its claims are about ResNet-50, of tables that are not planned"
    ]
    plain = replace(rows(tmp_path)[0], stages="none", squeeze="avg")
    stages = replace(tables["squeeze"], runs=[run_dir(plain).parent.name])
    assert list_lacking_rows(rows(tmp_path), {**tables, "stages": stages}) == []


def test_only_a_run_that_is_planned_stands_in_the_way(tmp_path: Path) -> None:
    finish(tmp_path, SQUEEZE, "seed=7")
    (tmp_path / "notes" / "seed0").mkdir(parents=True)
    refuse_begun(tmp_path, campaign_of(tmp_path, [0, 1, 2]).tables)
    for seeds, grows_from in (([7], None), ([0, 1], 2)):
        with pytest.raises(ConfigError, match="seed7 was begun already"):
            refuse_begun(tmp_path, campaign_of(tmp_path, seeds, grows_from).tables)


def test_a_sweep_says_what_its_campaign_does_not_plan(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = [replace(run, seed=seed) for run in rows(tmp_path) for seed in (0, 1, 2)]
    say_unplanned(runs)
    assert capsys.readouterr().err == ""
    write_campaign(tmp_path, campaign_of(tmp_path, [0, 1]))
    say_unplanned(runs[:2])
    assert capsys.readouterr().err == ""
    say_unplanned(runs)
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "2 of 6 runs to train are not planned in" in said
    # One that has its record is not trained.
    finish(tmp_path, SQUEEZE, "seed=7")
    say_unplanned([replace(rows(tmp_path)[1], seed=7)])
    assert capsys.readouterr().err == ""


def test_a_dry_sweep_says_which_plan_the_other_writes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    points = [Point(["squeeze=max"], rows(tmp_path)[0]), Point(["squeeze=avg"], rows(tmp_path)[1])]
    dry = [Point([*point.overrides, "dry=true"], point.run) for point in points]
    print_plans(dry)
    said = capsys.readouterr().out
    assert said.startswith("Plan: 2 runs of squeeze, seed 0; ")
    assert said.endswith(".json, to be written before the first run.\n")
    write_plans(points)
    print_plans(dry)
    assert ".json, written at 20" in capsys.readouterr().out
