"""The report of a campaign is what its collected records say, in every form and document."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from senet_repro.cli.campaign_report import fill_blocks
from senet_repro.core.errors import ConfigError
from tests.commands import InProcess
from tests.conftest import ROOT

CAMPAIGN = Path("experiments") / "cifar10-ablations"
WRITTEN = (
    "claims.md",
    "verdicts.md",
    "power.md",
    "tables/latex",
    "page",
    "paper",
    "second-training.md",
)


def read_files(folder: Path) -> dict[Path, bytes]:
    """The content of every file that the report of a campaign consists of."""
    files = []
    for name in WRITTEN:
        path = folder / name
        files += [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
    return {file.relative_to(folder): file.read_bytes() for file in files}


@pytest.mark.slow
def test_the_committed_report_is_made_from_the_committed_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: InProcess
) -> None:
    copy = tmp_path / CAMPAIGN
    # What is to be written is left out; the figures of the studies are of the copied numbers.
    shutil.copytree(ROOT / CAMPAIGN, copy, ignore=shutil.ignore_patterns("pilot", *WRITTEN))
    (tmp_path / "README.md").write_text(
        f"# Ours\n\n<!-- {CAMPAIGN}/claims.md -->\nold\n<!-- end -->\n"
    )
    monkeypatch.chdir(tmp_path)
    done = answer("campaign", "report", str(CAMPAIGN), "--document", "README.md")
    assert done.returncode == 0, done.stderr
    made, committed = read_files(copy), read_files(ROOT / CAMPAIGN)
    assert [str(path) for path in committed if made.get(path) != committed[path]] == []
    assert made.keys() == committed.keys()
    claims = (copy / "claims.md").read_text()
    assert (tmp_path / "README.md").read_text() == (
        f"# Ours\n\n<!-- {CAMPAIGN}/claims.md -->\n{claims}<!-- end -->\n"
    )
    assert (copy / "README.md").read_text() == (ROOT / CAMPAIGN / "README.md").read_text()


def test_a_campaign_without_records_has_no_report(tmp_path: Path, answer: InProcess) -> None:
    for name in ("campaign.yaml", "plan.yaml", "claims.yaml"):
        shutil.copy(ROOT / CAMPAIGN / name, tmp_path)
    done = answer("campaign", "report", str(tmp_path))
    assert done.returncode == 2
    assert "campaign collect" in done.stderr


def test_documents_are_filled_by_the_report_alone(answer: InProcess) -> None:
    done = answer("campaign", "status", str(CAMPAIGN), "--document", "README.md")
    assert done.returncode == 2
    assert "--document is of campaign report" in done.stderr


def test_blocks_take_the_files_that_they_name(tmp_path: Path) -> None:
    document = tmp_path / "README.md"
    (tmp_path / "one.md").write_text("first\n")
    (tmp_path / "two.md").write_text("second\n")
    document.write_text(
        "a\n<!-- one.md -->\n<!-- end -->\nb <!-- not a block -->\n<!-- two.md -->\nx\ny\n<!-- end -->\n"
    )
    assert fill_blocks(document) == 2
    assert document.read_text() == (
        "a\n<!-- one.md -->\nfirst\n<!-- end -->\nb <!-- not a block -->\n"
        "<!-- two.md -->\nsecond\n<!-- end -->\n"
    )
    # Again, it changes nothing.
    before = document.stat().st_mtime_ns
    assert fill_blocks(document) == 2
    assert document.stat().st_mtime_ns == before


def test_a_document_keeps_the_ends_of_its_lines(tmp_path: Path) -> None:
    document = tmp_path / "README.md"
    (tmp_path / "one.md").write_bytes(b"first\n")
    document.write_bytes(b"a\r\n<!-- one.md -->\r\nold\r\n<!-- end -->\r\n")
    for _ in range(2):
        assert fill_blocks(document) == 1
        assert document.read_bytes() == b"a\r\n<!-- one.md -->\r\nfirst\r\n<!-- end -->\r\n"


def test_a_block_of_no_file_is_refused(tmp_path: Path) -> None:
    document = tmp_path / "README.md"
    document.write_text("<!-- missing.md -->\n<!-- end -->\n")
    with pytest.raises(ConfigError, match=r"missing\.md: No such file"):
        fill_blocks(document)


def test_a_report_loses_nothing_that_stands_outside_of_a_block(tmp_path: Path) -> None:
    document = tmp_path / "README.md"
    (tmp_path / "one.md").write_text("first, without a line's end")
    filled = "<!-- one.md -->\nfirst, without a line's end\n<!-- end -->\n"
    for before, after in (
        (f"{filled}kept\n{filled}", f"{filled}kept\n{filled}"),
        # A comment of its author, and a block whose end was forgotten.
        (f"<!-- toc -->\nkept\n{filled}", f"<!-- toc -->\nkept\n{filled}"),
        (f"<!-- one.md -->\nkept\n\n{filled}", f"<!-- one.md -->\nkept\n\n{filled}"),
        (f"<!-- end -->\nkept\n{filled}", f"<!-- end -->\nkept\n{filled}"),
        ("<!-- one.md -->\n<!-- end -->\nkept", f"{filled}kept"),
    ):
        document.write_text(before)
        for _ in range(2):
            fill_blocks(document)
            assert document.read_text() == after


def test_a_document_that_is_no_text_is_refused_with_the_mend(tmp_path: Path) -> None:
    document, pipe = tmp_path / "README.md", tmp_path / "pipe.md"
    (tmp_path / "picture.md").write_bytes(b"\xff\xfe")
    os.mkfifo(pipe)
    for named in ("picture.md", "pipe.md"):
        document.write_text(f"<!-- {named} -->\n<!-- end -->\n")
        with pytest.raises(
            ConfigError, match=rf"{named}: (not a text in UTF-8; save|Not a regular)"
        ):
            fill_blocks(document)
    with pytest.raises(ConfigError, match=r"not a text in UTF-8"):
        fill_blocks(tmp_path / "picture.md")
