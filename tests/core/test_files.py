"""Files are whole or absent."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from senet_repro.core.files import remove_unfinished, write_json, write_text
from tests.disks import small_disk


def test_a_write_replaces_the_file_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"x": 1})
    write_json(path, {"x": 2})
    assert json.loads(path.read_text()) == {"x": 2}
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.json"]


def test_a_write_takes_the_place_of_no_device_and_no_pipe(tmp_path: Path) -> None:
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    for path in (pipe, link):
        with pytest.raises(OSError, match="Not a file, but a device, a pipe") as refused:
            write_text(path, "a")
        assert refused.value.filename == str(path)
    assert pipe.is_fifo()
    assert link.is_symlink()
    assert {entry.name for entry in tmp_path.iterdir()} == {"pipe", "link"}


def test_a_failed_write_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_text(path, "old")
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(path, {"x": float("nan")})
    assert path.read_text() == "old"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_full_disk_keeps_the_old_file_and_no_part_of_the_new(tmp_path: Path) -> None:
    with small_disk(tmp_path, size_kib=64):
        path = tmp_path / "a.json"
        write_text(path, "old")
        with pytest.raises(OSError, match="No space left on device") as full:
            write_text(path, "x" * 200_000)
        assert full.value.filename == str(path)
        assert path.read_text() == "old"
        assert [entry.name for entry in tmp_path.iterdir()] == ["a.json"]


def test_what_killed_writers_left_is_removed(tmp_path: Path) -> None:
    write_text(tmp_path / "a.json", "whole")
    (tmp_path / ".a.json.123.tmp").write_text("par")
    remove_unfinished(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.json"]
