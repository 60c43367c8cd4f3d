"""A process whose parent is killed stops its work, and one whose parent lives does not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from senet_repro.core.parent_watch import ParentWatch
from tests.commands import wait_until

CHILD = """
import os, signal, sys, time
from pathlib import Path
from senet_repro.core.parent_watch import ParentWatch

folder, parent = Path(sys.argv[1]), int(sys.argv[2])

def note(signum, frame):
    (folder / "told").write_text(signal.Signals(signum).name)
    os._exit(0)

signal.signal(signal.SIGTERM, note)
with ParentWatch(parent):
    (folder / "begun").touch()
    time.sleep(60)
"""
PARENT = """
import os, subprocess, sys

subprocess.run([sys.executable, "-c", sys.argv[2], sys.argv[1], str(os.getpid())])
"""


def test_the_work_is_told_to_stop_once_its_parent_was_killed(tmp_path: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path), CHILD])
    wait_until(lambda: (tmp_path / "begun").exists())
    assert not (tmp_path / "told").exists()
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    wait_until(lambda: (tmp_path / "told").exists())
    assert (tmp_path / "told").read_text() == "SIGTERM"


def test_a_block_ends_at_once_where_the_parent_lives() -> None:
    with ParentWatch(os.getppid()) as watch:
        assert not watch.is_parent_gone
