"""The verbs verdict and power on a folder of records."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from senet_repro.cli.verbs import call_verb
from senet_repro.config.paper_tables import find_table
from senet_repro.core.errors import ConfigError
from senet_repro.results.record import write_record
from tests.records import row_records

BETTER, OPEN = [22.0, 22.1, 22.2], [22.0, 23.0, 22.5]


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    write_rows(tmp_path, avg=[23.0, 23.2, 23.1], max=BETTER)
    return tmp_path


def write_rows(folder: Path, **errors: Sequence[float]) -> None:
    for row, top1 in errors.items():
        for record in row_records(find_table("squeeze"), row, top1):
            target = folder / record.name / f"seed{record.seed}"
            target.mkdir(parents=True)
            write_record(target, record)


def test_verdicts_are_listed_by_table_and_counted(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call_verb("verdict", ["--results", str(runs)]) == 0
    text = capsys.readouterr().out
    assert "### Table 11: Squeeze operator (imagenet)" in text
    assert "contradicted" in text
    lines = text.splitlines()
    assert "1 contradicted" in lines[2]
    assert lines[3] == "- 49 claims of tables without records: 49 not run."


@pytest.mark.parametrize(("table", "code"), [("squeeze", 1), ("stages", 0)])
def test_strict_is_an_exit_code(
    runs: Path, table: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call_verb("verdict", ["--results", str(runs), "--table", table, "--strict"]) == code
    assert call_verb("verdict", ["--results", str(runs), "--table", table]) == 0
    assert ("not run" in capsys.readouterr().out) is True


def test_data_have_no_brief_form(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--brief is of the format markdown"):
        call_verb("verdict", ["--results", str(tmp_path), "--brief", "--format", "json"])


def test_strict_refuses_a_folder_without_records(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = tmp_path / "name-12345678" / "seed0" / "record.json"
    damaged.parent.mkdir(parents=True)
    damaged.write_text("{")
    with pytest.raises(ConfigError, match=f"there are no records in {tmp_path}; give the folder"):
        call_verb("verdict", ["--results", str(tmp_path), "--strict"])
    # Why there are none may be this.
    assert str(damaged) in capsys.readouterr().err


def test_a_table_without_records_lists_its_claims_when_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call_verb("verdict", ["--results", str(tmp_path), "--table", "13"]) == 0
    text = capsys.readouterr().out
    assert "### Table 13: SE blocks in different stages (no records)" in text
    assert text.count("| not run |") == len(find_table("13").claims)


def test_json_is_data_alone(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call_verb("verdict", ["--results", str(runs), "--format", "json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["counts"]["papers_own"]["contradicted"] == 1
    claims = next(table["claims"] for table in data["tables"] if table["table"] == "squeeze")
    assert claims[0]["verdict"] == "contradicted"


def test_a_file_that_cannot_be_read_is_named(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    next(runs.glob("*/seed0/record.json")).write_text("{")
    call_verb("verdict", ["--results", str(runs)])
    call_verb("power", ["--results", str(runs)])
    assert capsys.readouterr().err.count("not a readable record") == 2


def test_power_plans_what_is_open_and_warns_of_looking_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_rows(tmp_path, avg=BETTER, max=OPEN)
    assert (
        call_verb("power", ["--results", str(tmp_path), "--table", "squeeze", "--power", "0.9"])
        == 0
    )
    text = capsys.readouterr().out
    assert "averages are the better squeeze" in text
    assert "at 90% power" in text
    assert "Fix the number of seeds before training them" in text


def test_power_without_open_claims_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call_verb("power", ["--results", str(tmp_path)]) == 0
    assert "nothing to plan" in capsys.readouterr().out


@pytest.mark.parametrize("share", ["0", "1", "1.5"])
def test_a_power_that_cannot_be_is_refused(share: str) -> None:
    with pytest.raises(ConfigError, match="give a chance between 0 and 1"):
        call_verb("power", ["--power", share])


def test_output_writes_where_a_link_leads_and_refuses_what_is_no_file(
    runs: Path, tmp_path: Path
) -> None:
    target, link, pipe = tmp_path / "target.md", tmp_path / "link.md", tmp_path / "pipe"
    link.symlink_to(target)
    call_verb("verdict", ["--results", str(runs), "--brief", "--output", str(link)])
    assert link.is_symlink()
    assert "contradicted" in target.read_text()
    os.mkfifo(pipe)
    with pytest.raises(ConfigError, match=r"a pipe or the like; give a file .* leave out --output"):
        call_verb("verdict", ["--results", str(runs), "--brief", "--output", str(pipe)])
    assert pipe.is_fifo()
