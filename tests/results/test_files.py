"""Files are whole or absent, and a folder has one writer."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from senet_repro.results.files import locked, write_json, write_text


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
    assert told == [f"process {holder.pid} on {os.uname().nodename}"]
    assert time.monotonic() - started < 30
