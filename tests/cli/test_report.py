"""`report --form paper`: the committed report is that of the committed records, and errors name the mend."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from senet_repro.cli.verbs import call_verb
from senet_repro.cli.verbs.report import LATEX_PAPER, MARKDOWN_PAPER
from senet_repro.core.errors import ConfigError
from senet_repro.report.paper.remarks import REMARKS_FILE, read_remarks
from tests.conftest import ROOT

PAPERS = sorted((ROOT / "experiments").glob(f"*/paper/{MARKDOWN_PAPER}"))


@pytest.mark.parametrize("committed", PAPERS, ids=lambda path: path.parent.parent.name)
def test_a_committed_paper_equals_that_made_from_the_committed_records(
    committed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, output = committed.parent.parent, tmp_path / "new"
    words = ["--form", "paper", "--results", str(folder), "--output", str(output)]
    assert call_verb("report", words) == 0
    written = [output / MARKDOWN_PAPER, output / LATEX_PAPER]
    for path in written:
        assert path.read_text() == (committed.parent / path.name).read_text()
    told = capsys.readouterr().out.splitlines()
    assert told[:2] == list(map(str, written))
    missing = read_remarks(folder).missing
    if missing:
        where = folder / REMARKS_FILE
        assert told[2].startswith(f"left to its authors: {', '.join(missing)}; write {where} ")


def test_a_paper_is_committed() -> None:
    assert PAPERS


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--gates", "x"], "--gates chooses a figure of the page"),
        (["--svg-only"], "--svg-only is of the page's figures"),
        (["--table", "no_such"], "no table 'no_such'"),
        ([], "no records in .*--results DIR"),
    ],
)
def test_a_paper_that_cannot_be_is_refused_with_the_mend(
    tmp_path: Path, words: list[str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        call_verb("report", ["--form", "paper", "--results", str(tmp_path), *words])
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    demo = str(ROOT / "experiments" / "demo")
    output = str(tmp_path / "file")
    with pytest.raises(ConfigError, match=re.escape(f"cannot write the report to {output}")):
        call_verb("report", ["--form", "paper", "--results", demo, "--output", output])
