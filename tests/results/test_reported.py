"""Reported runs are named by their origin, and sorted into those that count, those re-run by us, and the others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from senet_repro.core.errors import ConfigError
from senet_repro.results.record import Record
from senet_repro.results.reported import (
    Origin,
    find_refusal,
    name_origin_folder,
    read_origin,
    read_origin_name,
    sort_reported,
    write_origin,
)
from senet_repro.results.store import load_results, write_status
from tests.records import make_record
from tests.reported_runs import AVG, LAB, MAX, find_run, leave_run, plan_campaign


@pytest.mark.parametrize("name", ["Lab X, 2026", "../../etc", "seed0", "实验室", "." * 80, "CON"])
def test_every_name_has_a_folder_of_its_own_that_leads_nowhere_else(name: str) -> None:
    folder = name_origin_folder(Path("campaign"), read_origin_name(name))
    assert folder.parent == Path("campaign/reported")
    assert folder.name.isascii()
    assert set(folder.name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert folder != name_origin_folder(Path("campaign"), f"{name}'")


def test_a_name_is_the_same_however_its_letters_and_blanks_are_written() -> None:
    assert read_origin_name(" Universite\u0301\t X ") == "Universit\u00e9 X"


@pytest.mark.parametrize("text", ["", " ", "a\u202eb", "a\x1b[2J", "us", "x" * 81])
def test_a_name_that_would_mislead_a_reader_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match='such as "Lab X, 2026"'):
        read_origin_name(text)


def test_an_origin_is_read_as_it_was_written_and_damage_is_named(
    tmp_path: Path,
) -> None:
    origin = Origin(name="Lab: #1", merged_at="2026-01-31T12:00:00+00:00", runs=3)
    write_origin(tmp_path, origin)
    assert read_origin(tmp_path) == origin
    file = tmp_path / "origin.yaml"
    text = file.read_text()
    for damaged, reason in (
        (text.replace("schema_version: 1", "schema_version: 9"), "newer senet_repro"),
        (text.replace("runs: 3", "runs: many"), "how many runs"),
        (text + "more: 1\n", "unknown key"),
        ("", "it lacks"),
    ):
        file.write_text(damaged)
        with pytest.raises(ConfigError, match=reason):
            read_origin(tmp_path)
    file.unlink()
    with pytest.raises(ConfigError, match="merge writes it"):
        read_origin(tmp_path)


def give_pictures(record: Record, fingerprint: str) -> Record:
    data = {**record.protocol["data"], "fingerprint": fingerprint}
    return replace(record, protocol={**record.protocol, "data": data})


def test_runs_on_other_pictures_and_of_no_plan_are_no_runs_of_the_campaign(
    tmp_path: Path,
) -> None:
    campaign = plan_campaign(tmp_path)
    record = make_record(AVG, seed=0, top1=3.0)
    assert find_refusal(record, campaign, []) is None
    ours = [give_pictures(record, "a" * 64)]
    assert find_refusal(give_pictures(record, "a" * 64), campaign, ours) is None
    other = find_refusal(give_pictures(record, "b" * 64), campaign, ours)
    assert other is not None
    assert "fingerprint bbbbbbbb, and ours have aaaaaaaa" in other
    assert "plan.yaml back" in str(find_refusal(record, None, []))
    assert "not known here, sorting" in str(
        find_refusal(replace(record, task="sorting"), campaign, [])
    )


def test_of_several_origins_the_first_that_finished_counts_whatever_came_out(
    tmp_path: Path,
) -> None:
    campaign = plan_campaign(tmp_path)
    record = make_record(AVG, seed=0, top1=3.0)
    plan = campaign.describe_plan(f"{record.name}-{record.run_key[:8]}", 0)
    late, early = (
        replace(record, plan=plan, origin=origin, finished_at=f"2026-01-0{day}T00:00:00+00:00")
        for origin, day in (("Lab A", 2), ("Lab B", 1))
    )
    runs, problems = sort_reported([late, early], {}, campaign)
    assert problems == []
    assert [(run.origin, run.counts) for run in runs] == [("Lab A", False), ("Lab B", True)]
    assert runs[0].why_not == "that of Lab B was finished first"
    # What was trained under no plan, or under another, never counts; beside ours nothing does.
    other = replace(late, plan={**(plan or {}), "sha256": "f" * 64})
    for stray, reason in ((replace(late, plan=None), "under none"), (other, "sha256 ffffffff")):
        ((run,), _) = sort_reported([stray], {}, campaign)
        assert not run.counts
        assert reason in (run.why_not or "")
    runs, _ = sort_reported([late, early], {(record.run_key, 0): record}, campaign)
    assert not any(run.counts for run in runs)
    assert [run.ours for run in runs] == [record, record]


def test_a_training_in_two_folders_is_no_second_one(tmp_path: Path) -> None:
    campaign = plan_campaign(tmp_path)
    record = replace(make_record(AVG, seed=0, top1=3.0), metrics_sha256="a" * 64)
    plan = campaign.describe_plan(f"{record.name}-{record.run_key[:8]}", 0)
    one, other = (replace(record, plan=plan, origin=origin) for origin in ("Lab A", "Lab B"))
    # Copied beside ours it would pass for run again here, and by another origin for confirmed.
    runs, problems = sort_reported([one], {(record.run_key, 0): record}, campaign)
    assert runs == []
    assert "the very training of" in problems[0]
    assert "is said to be of ours: keep it in the folder of those who trained it" in problems[0]
    runs, problems = sort_reported([one, other], {}, campaign)
    assert [run.origin for run in runs] == ["Lab A"]
    assert "is said to be of Lab A" in problems[0]


def test_a_results_folder_holds_what_counts_and_says_what_it_leaves_out(tmp_path: Path) -> None:
    campaign = plan_campaign(tmp_path)
    origin = name_origin_folder(tmp_path, LAB)
    leave_run(origin, campaign, AVG, 0, wrong=36)
    leave_run(origin, campaign, MAX, 0, wrong=36)
    # Without a name they are nobody's.
    results = load_results(tmp_path)
    assert (results.records, results.reported) == ([], [])
    assert "origin.yaml is not there" in results.unreadable[0]
    write_origin(origin, Origin(name=LAB, merged_at="2026-01-31T12:00:00+00:00", runs=2))
    results = load_results(tmp_path)
    assert [record.origin for record in results.records] == [LAB, LAB]
    assert set(results.folders.values()) == {find_run(origin, row, 0).path for row in (AVG, MAX)}
    # A run that diverges here is settled, and theirs is shown beside it.
    diverged = find_run(tmp_path, MAX, 0)
    diverged.path.mkdir(parents=True)
    key = results.reported[1].record.run_key
    write_status(diverged.path, run_key=key, seed=0, state="failed", diverged=True)
    results = load_results(tmp_path)
    assert [run.why_not for run in results.reported] == [None, "ours diverged, which counts"]
    assert len(results.records) == 1
    # Under a plan that was changed, nothing counts that was trained under it.
    file = tmp_path / "plan.yaml"
    file.write_text(file.read_text() + "\n")
    assert load_results(tmp_path).records == []
