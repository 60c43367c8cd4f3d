"""The verb compare on folders and commits: what it prints, what it refuses, and its exit codes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import gettempdir

import pytest

from senet_repro.cli.verbs import call_verb
from senet_repro.core.errors import ConfigError
from senet_repro.results.record import write_record
from senet_repro.results.reported import Origin, name_origin_folder, write_origin
from tests.checkouts import git
from tests.conftest import ROOT
from tests.records import make_record
from tests.reported_runs import AVG, LAB, MAX, leave_run, plan_campaign

SAME = {"r=4": [3.0, 3.3, 3.1], "squeeze=max": [4.0, 4.2, 4.1]}
MOVED = {"r=4": [9.0, 9.3, 9.1], "squeeze=max": [4.1, 4.1, 4.2]}


def write_runs(folder: Path, errors: Mapping[str, Sequence[float]], finished_at: str) -> Path:
    for row, values in errors.items():
        for seed, error in enumerate(values):
            record = make_record([row], seed=seed, top1=error)
            target = folder / f"{record.name}-{record.run_key[:8]}" / f"seed{seed}"
            target.mkdir(parents=True)
            write_record(target, replace(record, finished_at=finished_at))
    return folder


@pytest.fixture
def first(tmp_path: Path) -> Path:
    return write_runs(tmp_path / "first", SAME, "2026-01-01")


@pytest.fixture
def checkout(first: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout that has the records in first/ committed, and a later change of them that is not."""
    root = first.parent
    git(root, "init", "--quiet")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message", "results")
    path = next(first.glob("*-r4-*/seed0/record.json"))
    record = make_record(["r=4"], seed=0, top1=2.0)
    write_record(path.parent, record)
    monkeypatch.chdir(root)
    return root


def read_words(text: str) -> dict[str, str]:
    """Return the word of each row of a Markdown table."""
    words = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| digits"):
            words[cells[0]] = cells[-1]
    return words


def list_temporary_folders() -> set[Path]:
    return set(Path(gettempdir()).glob("senet_repro-compare-*"))


def test_a_folder_that_moved_is_told_row_by_row_and_in_the_exit_code(
    first: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    second = write_runs(tmp_path / "second", MOVED, "2027-01-01")
    assert call_verb("compare", [str(first), str(second)]) == 1
    text = capsys.readouterr().out
    assert read_words(text) == {
        "digits-resnet11-r4": "different",
        "digits-resnet11-r16-max": "within noise",
    }
    assert f"A: {first}; B: {second}" in text
    assert "2 rows: 0 equal, 1 within noise, 1 different." in text
    assert "Single runs moved by at most 6.00 points of top-1 error, 4.24 in root mean" in text
    assert "over 6 pairs of runs" in text
    # Of the rows of one table alone.
    assert call_verb("compare", [str(first), str(second), "--table", "11"]) == 0
    assert list(read_words(capsys.readouterr().out)) == ["digits-resnet11-r16-max"]


def test_rows_and_seeds_of_one_side_are_named(
    first: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    second = write_runs(tmp_path / "second", {"r=4": [3.0], "r=8": [3.0]}, "2026-01-01")
    assert call_verb("compare", [str(first), str(second)]) == 0
    text = capsys.readouterr().out
    assert "In A only (1 row): digits-resnet11-r16-max." in text
    assert "In B only (1 row): digits-resnet11-r8." in text
    assert "Seeds 1 and 2 in A only (1 row): digits-resnet11-r4." in text
    assert "All pairs of runs" not in text
    assert "The one pair of runs is copied from one training (1)" in text


def test_json_is_data_alone(
    first: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    second = write_runs(tmp_path / "second", MOVED, "2027-01-01")
    assert call_verb("compare", [str(first), str(second), "--format", "json"]) == 1
    data = json.loads(capsys.readouterr().out)
    assert data["counts"] == {"equal": 0, "within noise": 1, "different": 1, "moved": 0}
    assert data["a"] == {"given": str(first), "commit": None}
    (row,) = (row for row in data["rows"] if row["word"] == "different")
    assert row["seeds"] == [0, 1, 2]
    assert row["metrics"]["top1_err_pct"]["difference"]["mean"] == pytest.approx(6.0)
    assert data["moves"][0]["metric"] == "top1_err_pct"


@pytest.mark.parametrize(
    "words",
    [["first", "HEAD:first"], ["first", "HEAD", "--results", "first"]],
    ids=["the folder with the commit", "the folder apart"],
)
def test_a_commit_is_compared_and_leaves_no_file(
    words: list[str], checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = list_temporary_folders()
    assert call_verb("compare", words) == 0
    text = capsys.readouterr().out
    commit = git(checkout, "rev-parse", "HEAD")
    assert f"A: first; B: HEAD:first (as committed in {commit[:7]})" in text
    assert read_words(text) == {
        "digits-resnet11-r4": "within noise",
        "digits-resnet11-r16-max": "equal",
    }
    assert "5 more pairs are copied from one training" in text
    assert list_temporary_folders() <= before


def test_a_commit_has_the_runs_that_others_reported_as_its_folder_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "campaign"
    campaign = plan_campaign(folder)
    leave_run(folder, campaign, AVG, 0, wrong=36)
    origin = name_origin_folder(folder, LAB)
    leave_run(origin, campaign, MAX, 0, wrong=30)
    write_origin(origin, Origin(name=LAB, merged_at="2026-01-31T12:00:00+00:00", runs=1))
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "merged")
    monkeypatch.chdir(tmp_path)
    assert call_verb("compare", ["HEAD:campaign", "campaign"]) == 0
    text = capsys.readouterr().out
    assert "only" not in text
    assert "2 rows: 2 equal" in text
    # Without a plan nobody knows what counts, and the commit is named by what it was called.
    (folder / "plan.yaml").write_text("no: plan\n")
    git(tmp_path, "commit", "--quiet", "--all", "--message", "damaged")
    with pytest.raises(ConfigError, match=r"HEAD:campaign/plan\.yaml"):
        call_verb("compare", ["HEAD:campaign", "HEAD~1:campaign"])


def test_a_damaged_record_of_a_commit_is_named_by_the_commit(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = next((checkout / "first").glob("*-r4-*/seed1/record.json"))
    path.write_text("{")
    git(checkout, "commit", "--quiet", "--all", "--message", "damaged")
    assert call_verb("compare", ["HEAD~1:first", "HEAD:first"]) == 0
    place = path.relative_to(checkout / "first")
    assert f"skipped HEAD:first/{place}: not a readable record" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere", "first"], r"'nowhere' is neither a folder nor a commit here; give a results"),
        (["", "first"], r"'' is neither a folder nor a commit"),
        (["nowhere:first", "first"], r"'nowhere:first' is neither a folder nor a commit"),
        (["empty", "first"], r"there are no records in empty; give a folder"),
        (["first/file", "first"], r"first/file: there is no folder first/file, but a file"),
        (
            ["HEAD", "first"],
            r"HEAD: commit \w{7} has no folder runs, since results in runs/ are usually not "
            r"committed; give one that has records there: HEAD:first",
        ),
        (["HEAD:second", "first"], r"commit \w{7} has no folder second; give one .*: HEAD:first"),
        (["HEAD", "first", "--results", "/"], r"--results / lies outside of this checkout"),
        (
            ["first", "other"],
            r"first and other have no run in common; the first has digits-resnet11-r16-max, "
            r"digits-resnet11-r4, the second digits-resnet11-r2; give results of the same runs",
        ),
        (["first", "seeds"], r"have rows in common \(digits-resnet11-r4\), but no seed of them"),
        (["first", "first", "--table", "13"], r"have no row of Table 13 in common; leave out"),
        (["first", "first", "--table", "99"], r"no table '99'"),
        (["first"], r"compare: "),
    ],
)
def test_what_cannot_be_compared_is_refused_with_the_mend(
    words: list[str], message: str, checkout: Path
) -> None:
    (checkout / "empty").mkdir()
    (checkout / "first" / "file").touch()
    write_runs(checkout / "other", {"r=2": [3.0]}, "2027-01-01")
    seeds = write_runs(checkout / "seeds", {"r=4": [3.0] * 4}, "2027-01-01")
    for seed in range(3):
        (record,) = seeds.glob(f"*/seed{seed}/record.json")
        record.unlink()
    with pytest.raises(ConfigError, match=message):
        call_verb("compare", words)


@pytest.mark.parametrize("form", ["markdown", "json"])
def test_a_file_takes_what_would_be_printed(
    form: str, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["first", "first", "--format", form]
    assert call_verb("compare", words) == 0
    printed = capsys.readouterr().out
    assert call_verb("compare", [*words, "--output", "compared"]) == 0
    assert capsys.readouterr().out == ""
    assert (checkout / "compared").read_text() == printed


def test_the_document_shows_what_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (ROOT / "docs" / "compare.md").read_text()
    shown = text.partition("<!-- block: first -->\n")[2].partition("<!-- end -->")[0]
    monkeypatch.chdir(ROOT)
    folder = "experiments/cifar10-first"
    assert call_verb("compare", [folder, folder]) == 0
    assert capsys.readouterr().out == shown
