"""Files are whole or absent, and a folder has one writer."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from senet_repro.results.files import is_locked, locked, remove_unfinished, write_json, write_text
from tests.disks import small_disk


def test_a_write_replaces_the_file_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"x": 1})
    write_json(path, {"x": 2})
    assert json.loads(path.read_text()) == {"x": 2}
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.json"]


def test_a_failed_write_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_text(path, "old")
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(path, {"x": float("nan")})
    assert path.read_text() == "old"


HOLD = """
import sys, time
from pathlib import Path
from senet_repro.results.files import locked
with locked(Path(sys.argv[1]), print):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_process_is_told_who_holds_the_lock_and_gets_it_when_that_one_is_killed(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    told = []

    def on_wait(who: str) -> None:
        told.append(who)
        os.kill(holder.pid, signal.SIGKILL)

    started = time.monotonic()
    with locked(tmp_path, on_wait):
        pass
    holder.communicate()
    assert told == [f"waiting for process {holder.pid} on {os.uname().nodename}, which trains {tmp_path}"]
    assert time.monotonic() - started < 30


def test_who_died_with_the_lock_is_told_to_the_next_and_who_gave_it_back_is_not(tmp_path: Path) -> None:
    told: list[str] = []
    with locked(tmp_path, told.append):
        pass
    with locked(tmp_path, told.append):
        pass
    assert told == []
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    assert is_locked(tmp_path)
    holder.kill()
    holder.communicate()
    assert not is_locked(tmp_path)
    with locked(tmp_path, told.append):
        assert is_locked(tmp_path)
    assert told == [f"process {holder.pid} on {os.uname().nodename} died while it trained {tmp_path}; taking over"]


def test_looking_at_a_lock_makes_nobody_wait(tmp_path: Path) -> None:
    told: list[str] = []
    with locked(tmp_path, told.append):
        pass
    with (tmp_path / "lock").open("rb") as look:
        fcntl.flock(look, fcntl.LOCK_SH)
        threading.Timer(0.02, fcntl.flock, (look, fcntl.LOCK_UN)).start()
        with locked(tmp_path, told.append):
            pass
    assert told == []
    assert not is_locked(tmp_path / "nowhere")


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
