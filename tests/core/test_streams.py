"""Lines that nobody can read any more cost no run: a closed terminal, a reader that left, a full disk."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn, TextIO

import pytest

from senet_repro.cli.job import train_run
from senet_repro.config.identity import run_dir
from senet_repro.core.streams import LenientStream, guard_streams
from senet_repro.results.run_folder import RunFolder
from tests.training.runs import small


class FailingStream(io.StringIO):
    """Takes nothing, for the reason of an error's number."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def write(self, _text: str) -> NoReturn:
        raise OSError(self.number, os.strerror(self.number))

    def flush(self) -> None:
        self.write("")


def open_broken_pipe() -> TextIO:
    """Return a stream whose reader has left, as that of `| head -n 1` has."""
    reader, writer = os.pipe()
    os.close(reader)
    return os.fdopen(writer, "w")


@pytest.mark.parametrize("number", [errno.EIO, errno.EPIPE, errno.ENOSPC, errno.EBADF])
def test_what_cannot_be_printed_is_not_printed(number: int) -> None:
    stream = LenientStream(FailingStream(number))
    print("a line", file=stream, flush=True)  # type: ignore[arg-type]
    stream.writelines(["another", "and another"])


def test_a_stream_without_a_reader_leads_to_nowhere_for_everybody() -> None:
    broken = open_broken_pipe()
    print("a line", file=LenientStream(broken), flush=True)  # type: ignore[arg-type]
    # As a library does that is not written in Python.
    os.write(broken.fileno(), b"a line")
    broken.close()


def test_a_stream_that_takes_lines_is_what_it_was() -> None:
    plain = io.StringIO()
    stream = LenientStream(plain)
    print("a line", file=stream, flush=True)  # type: ignore[arg-type]
    assert plain.getvalue() == "a line\n"
    assert stream.isatty() is False
    plain.close()
    assert stream.isatty() is False
    print("a line", file=stream)  # type: ignore[arg-type]


def test_streams_are_guarded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    guard_streams()
    guarded = sys.stdout, sys.stderr
    guard_streams()
    assert (sys.stdout, sys.stderr) == guarded


def test_no_file_takes_the_place_of_a_stream_that_the_caller_closed(tmp_path: Path) -> None:
    code = (
        "import os, sys\n"
        "from senet_repro.core.streams import open_missing_streams\n"
        "open_missing_streams()\n"
        f"file = open({str(tmp_path / 'data')!r}, 'w')\n"
        "print('out'); print('error', file=sys.stderr)\n"
        "sys.stdout.flush(); sys.stderr.flush()\n"
        "os.write(2, b'error')\n"
        "file.write('data')\n"
    )
    command = ["sh", "-c", 'exec "$0" -c "$1" <&- >&- 2>&-', sys.executable, code]
    assert subprocess.run(command, check=False).returncode == 0
    assert (tmp_path / "data").read_text() == "data"


@pytest.mark.usefixtures("one_thread")
def test_a_run_goes_on_without_its_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("senet_repro.training.progress.QUIET_S", 0)
    run = small(tmp_path, "recipe.epochs=2")
    with open_broken_pipe() as out, open_broken_pipe() as error:
        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setattr(sys, "stderr", error)
        train_run(run, [])
        print("a line", flush=True)
    assert RunFolder(run_dir(run)).record_file.is_file()
