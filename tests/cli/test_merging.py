"""Runs of others are taken into a campaign once they were checked, and shown by whose they are."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from senet_repro.cli.merging import merge_runs
from senet_repro.cli.verbs import call_verb
from senet_repro.core.errors import ConfigError
from senet_repro.results import foreign_runs
from senet_repro.results.campaign import Campaign
from senet_repro.results.epochs import hash_epochs
from senet_repro.results.record import read_record
from senet_repro.results.reported import name_origin_folder, read_origin
from senet_repro.results.run_folder import RunFolder
from senet_repro.results.store import load_results, write_status
from tests.reported_runs import AVG, LAB, MAX, PLAIN, find_run, leave_run, plan_campaign


@dataclass(frozen=True)
class Sides:
    """A campaign of ours and the results of others."""

    ours: Path
    theirs: Path
    campaign: Campaign

    def merge(self, *words: str, name: str = LAB) -> int:
        command = [str(self.theirs), "--into", str(self.ours), "--from", name, *words]
        return call_verb("merge", command)

    @property
    def reported(self) -> Path:
        return name_origin_folder(self.ours, LAB)


@pytest.fixture
def sides(tmp_path: Path) -> Sides:
    """Ours has one row with a seed; theirs the same, another row of which we have nothing, and seed 1 of ours."""
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    campaign = plan_campaign(ours)
    leave_run(ours, campaign, AVG, 0, wrong=36)
    leave_run(theirs, campaign, AVG, 0, wrong=45, epoch_s=2.0)
    leave_run(theirs, campaign, PLAIN, 0, wrong=72, epoch_s=2.1)
    return Sides(ours, theirs, campaign)


def edit_record(folder: RunFolder, **fields: Any) -> None:
    content = json.loads(folder.record_file.read_text())
    folder.record_file.write_text(json.dumps({**content, **fields}))


def test_runs_are_taken_once_and_ours_counts_where_both_are_there(
    sides: Sides, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sides.merge("--check") == 0
    assert "2 runs of Lab X, 2026 would be taken" in capsys.readouterr().out
    assert not (sides.ours / "reported").exists()

    assert sides.merge() == 0
    printed = capsys.readouterr().out
    assert "seed 0: re-run by us, so that ours counts" in printed
    assert "seed 0: counts, since only they trained it" in printed
    origin = read_origin(sides.reported)
    assert (origin.name, origin.runs) == (LAB, 2)

    results = load_results(sides.ours)
    whose = {(record.name, record.origin) for record in results.records}
    assert whose == {("digits-resnet11-r16", None), ("digits-resnet11-plain", LAB)}
    assert [run.ours is not None for run in results.reported] == [False, True]
    assert len(load_results(sides.ours, only_ours=True).records) == 1

    # Once more everything is there, and nothing is changed.
    before = {path: path.read_bytes() for path in sides.ours.rglob("*") if path.is_file()}
    assert sides.merge() == 0
    assert "0 runs of Lab X, 2026 taken into" in capsys.readouterr().out
    assert {path: path.read_bytes() for path in sides.ours.rglob("*") if path.is_file()} == before

    # Once we train it, ours counts.
    leave_run(sides.ours, sides.campaign, PLAIN, 0, wrong=70, epoch_s=3.0)
    records = load_results(sides.ours).records
    assert [record.origin for record in records] == [None, None]


def test_tables_verdicts_and_the_account_say_whose_runs_they_rest_on(
    sides: Sides, capsys: pytest.CaptureFixture[str]
) -> None:
    edit_record(find_run(sides.theirs, PLAIN, 0), dirty=True)
    leave_run(sides.theirs, sides.campaign, MAX, 1, wrong=40, epoch_s=2.2, plan=None)
    assert sides.merge() == 0
    (table,) = [path for path in (sides.ours / "tables").iterdir() if "11" in path.name]
    text = table.read_text()
    assert "By origin, of 2 runs: 1 ours, 1 of them re-run by us" in text
    assert "Reported by Lab X, 2026: ResNet-50 (seed 0, with uncommitted changes)." in text
    assert "and not trained here" in text
    assert "avg, seed 0: ours 10.00, that of Lab X, 2026 12.50 (+2.50)" in text
    assert "max, seed 1: 11.11 of Lab X, 2026, not under this plan: under none" in text
    assert "origin (ours: avg; Lab X, 2026: ResNet-50)" in text

    account = (sides.ours / "account.md").read_text()
    assert "## By origin" in account
    assert "| Lab X, 2026 |    3 |       1 |            1 |           1 |" in account
    capsys.readouterr()
    command = ["status", str(sides.ours), "--results", str(sides.ours.parent / "runs")]
    assert call_verb("campaign", command) == 0
    printed = capsys.readouterr().out
    # Theirs settles nothing.
    assert "1 done, 5 waiting, of 6 runs" in printed
    assert "1 run not done here is reported by Lab X, 2026" in printed

    words = ["--results", str(sides.ours), "--table", "squeeze"]
    call_verb("verdict", words)
    sentence = "It rests on 1 run reported by Lab X, 2026, checked in form, which was not trained"
    assert sentence in capsys.readouterr().out
    call_verb("table", [*words, "--format", "csv"])
    assert "reported_seeds" in capsys.readouterr().out
    for verb in ("table", "verdict"):
        call_verb(verb, [*words, "--ours"])
        assert LAB not in capsys.readouterr().out
    paper = ["--form", "paper", "--output", str(sides.ours.parent / "paper")]
    for only, is_named in (([], True), (["--ours"], False)):
        call_verb("report", [*words, *paper, *only])
        text = (sides.ours.parent / "paper" / "paper.md").read_text()
        assert (LAB in text) == is_named


def test_no_place_of_their_machine_and_no_settings_are_taken(sides: Sides) -> None:
    theirs = find_run(sides.theirs, PLAIN, 0)
    content = json.loads(theirs.record_file.read_text())
    content["config"]["data"]["root"] = "/home/them/pictures"
    edit_record(
        theirs,
        config=content["config"],
        overrides=["data.root=/home/them/pictures", "stages=none"],
        skipped={"train": ["/home/them/pictures/a/1.png"]},
        extra="/home/them",
    )
    theirs.settings_file.write_text("a: ${oc.env:HOME}")
    theirs.status_file.write_text("{}")
    assert sides.merge() == 0
    taken = find_run(sides.reported, PLAIN, 0)
    names = {path.name for path in taken.path.iterdir()}
    assert names == {"record.json", "metrics.jsonl", "outcomes.npz"}
    assert "/home" not in taken.record_file.read_text()
    record = read_record(taken.record_file)
    assert record.overrides == ["data.root=pictures", "stages=none"]
    assert record.skipped == {"train": ["a/1.png"]}


def _append_epoch(run: RunFolder) -> None:
    run.epochs_file.write_text(run.epochs_file.read_text() * 2)


def _better_figure(run: RunFolder) -> None:
    """Tell another error wherever it stands, but in the outcomes."""
    metrics = json.loads(run.record_file.read_text())["metrics"]
    metrics["top1_err_pct"] = 19.0
    text = json.dumps({"epoch": 1, **metrics}) + "\n"
    run.epochs_file.write_text(text)
    edit_record(run, metrics=metrics, metrics_sha256=hash_epochs(text.encode()))


def _replace_by_link(run: RunFolder) -> None:
    run.outcomes_file.rename(run.path.parent / "elsewhere")
    run.outcomes_file.symlink_to(run.path.parent / "elsewhere")


def _replace_by_pipe(run: RunFolder) -> None:
    run.epochs_file.unlink()
    os.mkfifo(run.epochs_file)


def _change_plan(run: RunFolder) -> None:
    plan = json.loads(run.record_file.read_text())["plan"]
    edit_record(run, plan={**plan, "seeds": [0]})


def _take_other_outcomes(run: RunFolder) -> None:
    shutil.copy(find_run(run.path.parents[1], AVG, 0).outcomes_file, run.outcomes_file)


def _move_to_other_name(run: RunFolder) -> None:
    run.path.parent.rename(run.path.parents[1] / "digits-resnet11-plain-00000000")


REFUSALS: dict[str, tuple[Callable[[RunFolder], object], str]] = {
    "other epochs": (_append_epoch, "record.json: damaged, since metrics.jsonl beside it"),
    "no epochs": (lambda run: run.epochs_file.unlink(), "metrics.jsonl is not beside it"),
    "other figure": (_better_figure, "its top1_err_pct is 19, and 20 by its outcomes.npz"),
    "no outcomes": (lambda run: run.outcomes_file.unlink(), "send outcomes.npz, too"),
    "other outcomes": (_take_other_outcomes, "not the one that its record was made with"),
    "cut outcomes": (lambda run: run.outcomes_file.write_bytes(b"PK"), "outcomes.npz: no outcomes"),
    "a link": (_replace_by_link, "outcomes.npz is a link"),
    "a pipe": (_replace_by_pipe, "metrics.jsonl is a link, a pipe"),
    "too large": (
        lambda run: os.truncate(run.record_file, foreign_runs.MOST_RECORD_BYTES + 1),
        "record.json has 2 MB",
    ),
    "newer": (lambda run: edit_record(run, schema_version=99), "newer than 3; update"),
    "other key": (lambda run: edit_record(run, run_key="a" * 64), "run_key disagrees"),
    "other task": (lambda run: edit_record(run, task="sorting"), "task disagrees"),
    "a told plan": (_change_plan, "names this campaign's plan and tells it otherwise"),
    "no hashes": (lambda run: edit_record(run, outcomes=None), "no hash of its epochs or outcomes"),
    "other seed": (lambda run: edit_record(run, seed=7), "the record of seed 7"),
    "another clock": (
        lambda run: edit_record(run, finished_at="2026-01-31T12:00:00+02:00"),
        "'2026-01-31T12:00:00+02:00', which is no time in UTC",
    ),
    "other name": (_move_to_other_name, "in the folder of another"),
    "no JSON": (lambda run: run.record_file.write_text("{"), "not a readable record"),
}


@pytest.mark.parametrize(("spoil", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_what_cannot_be_believed_is_refused_and_costs_no_other_run(
    spoil: Callable[[RunFolder], object],
    reason: str,
    sides: Sides,
    capsys: pytest.CaptureFixture[str],
) -> None:
    spoil(find_run(sides.theirs, PLAIN, 0))
    assert sides.merge("--check") == 1
    printed = capsys.readouterr()
    (refusal,) = [line for line in printed.err.splitlines() if line.startswith("refused ")]
    assert refusal.startswith(f"refused {sides.theirs}/digits-resnet11-plain-")
    assert reason in refusal
    assert "1 run of Lab X, 2026 would be taken" in printed.out


def test_runs_of_no_plan_of_other_pictures_and_copies_are_refused(
    sides: Sides, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = find_run(sides.ours, AVG, 0)
    leave_run(sides.theirs, sides.campaign, AVG, 7, wrong=1, plan=None)
    leave_run(sides.theirs, sides.campaign, ("r=4",), 0, wrong=1, plan=None)
    # Ours under another seed: the times of its epochs give it away.
    copy = find_run(sides.theirs, AVG, 1)
    shutil.copytree(ours.path, copy.path)
    plan = sides.campaign.describe_plan(copy.path.parent.name, 1)
    edit_record(copy, seed=1, plan=plan)
    (sides.theirs / "digits-linked").symlink_to(sides.ours)
    assert sides.merge("--check") == 1
    refused = capsys.readouterr().err
    for reason in (
        "seed 7 is not planned: the plan holds seeds 0, 1 of this run",
        "the plan holds no such run",
        "its epochs are those of our digits-resnet11-r16",
        "digits-linked: a link",
    ):
        assert reason in refused


def test_another_record_of_a_run_is_refused_from_the_same_origin_alone(
    sides: Sides, capsys: pytest.CaptureFixture[str]
) -> None:
    sides.merge()
    shutil.rmtree(sides.theirs)
    leave_run(sides.theirs, sides.campaign, PLAIN, 0, wrong=60, epoch_s=9.0)
    with pytest.raises(ConfigError, match="nothing to take from"):
        sides.merge()
    assert "holds another record of it: a run counts once" in capsys.readouterr().err
    assert sides.merge(name="Lab Y") == 0
    printed = capsys.readouterr().out
    assert "does not count: that of Lab X, 2026 was finished first" in printed
    assert len(load_results(sides.ours).records) == 2


def test_where_ours_diverged_theirs_is_shown_and_does_not_count(
    sides: Sides, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = read_record(find_run(sides.theirs, PLAIN, 0).record_file)
    own = find_run(sides.ours, PLAIN, 0).path
    own.mkdir(parents=True)
    write_status(own, run_key=theirs.run_key, seed=0, state="failed", diverged=True)
    for words in (["--check"], []):
        sides.merge(*words)
        printed = capsys.readouterr().out
        assert "seed 0: shown, and does not count: ours diverged, which counts" in printed
    assert [record.origin for record in load_results(sides.ours).records] == [None]


def test_our_own_runs_in_a_clone_are_nobodys_report(sides: Sides) -> None:
    shutil.rmtree(sides.theirs)
    shutil.copytree(sides.ours, sides.theirs)
    with pytest.raises(ConfigError, match="1 our own"):
        sides.merge()
    assert not (sides.ours / "reported").exists()


def test_a_merge_that_was_cut_short_is_completed_by_the_same_command(sides: Sides) -> None:
    sides.merge()
    (sides.reported / "origin.yaml").unlink()
    shutil.rmtree(find_run(sides.reported, PLAIN, 0).path)
    assert load_results(sides.ours).reported == []
    assert sides.merge() == 0
    assert len(load_results(sides.ours).reported) == 2
    assert read_origin(sides.reported).runs == 2


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["nowhere", "ours", LAB], "no such folder"),
        (["ours", "ours", LAB], "are one folder"),
        (["theirs", "theirs", LAB], "plan.yaml is not there"),
        (["theirs", "ours", "two\nlines\x1b"], "can be printed"),
        (["theirs", "ours", "x" * 81], "1 to 80 characters"),
        (["theirs", "ours", "Ours"], "take the runs for ours"),
        (["empty", "ours", LAB], "holds no run"),
    ],
)
def test_a_command_that_cannot_be_names_the_mend(
    words: list[str], reason: str, sides: Sides
) -> None:
    (sides.theirs.parent / "empty").mkdir()
    folder, into, name = words
    with pytest.raises(ConfigError, match=reason):
        merge_runs(sides.theirs.parent / folder, sides.theirs.parent / into, name, only_check=True)


@pytest.mark.parametrize("is_origin", [False, True], ids=["reported", "the origin's"])
def test_nothing_is_written_through_a_link(is_origin: bool, sides: Sides) -> None:
    elsewhere = sides.theirs.parent / "elsewhere"
    elsewhere.mkdir()
    link = sides.reported if is_origin else sides.reported.parent
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(elsewhere)
    with pytest.raises(ConfigError, match="is a link"):
        sides.merge()
    assert list(elsewhere.iterdir()) == []
