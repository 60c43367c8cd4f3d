"""Commands of senet_repro as tests give them: as processes of their own, or answered in this one."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest

from tests.conftest import ROOT
from tests.warm import WarmPython

SMALL = ["recipe.batch_size=256", "trainer.accelerator=cpu"]
ONE_EPOCH = ["recipe.epochs=1", *SMALL]

# What a command says on a busy machine alone.
SLOW_WORK = re.compile(r"^senet_repro: .* \.\.\.\n", re.MULTILINE)

# A command that has not ended by then has hung, also on a machine that is busy.
LIMIT_S = 240

_started: list[subprocess.Popen[str] | WarmPython] = []


def command_line(*arguments: str) -> list[str]:
    """Return the words that start `python -m senet_repro` with arguments.

    A sweep that names no launcher trains in its own process: two more would load torch once more each.
    """
    words = [sys.executable, "-m", "senet_repro", *arguments]
    names_launcher = any(word.startswith("hydra/launcher=") for word in arguments)
    if "-m" in arguments and not names_launcher:
        words.append("hydra/launcher=basic")
    return words


def start(
    *arguments: str, cwd: Path = ROOT, stderr: IO[str] | int = subprocess.PIPE, **environment: str
) -> subprocess.Popen[str]:
    """Start a command in a process group of its own; it is killed at the test's end if it still runs then."""
    process = subprocess.Popen(
        command_line(*arguments),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        cwd=cwd,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        start_new_session=True,
    )
    _started.append(process)
    return process


def start_warm(
    *arguments: str, cwd: Path = ROOT, stderr: IO[str] | None = None, **environment: str
) -> WarmPython:
    """Start a command as `start` does, in a process that has loaded torch and Lightning before."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **environment}
    process = WarmPython(command_line(*arguments)[1:], cwd, environment, stderr)
    _started.append(process)
    return process


def wait_for_end(
    process: subprocess.Popen[str] | WarmPython, limit_s: float = LIMIT_S
) -> tuple[str, str]:
    """Wait until a process ends, and return its standard output and error, without the lines about slow work."""
    out, err = process.communicate(timeout=limit_s)
    return out, SLOW_WORK.sub("", err or "")


def run_command(
    *arguments: str, cwd: Path = ROOT, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Start a command and wait until it ends, whatever its exit code."""
    process = start(*arguments, cwd=cwd, **environment)
    out, err = wait_for_end(process)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def run_warm(
    *arguments: str, cwd: Path = ROOT, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command as `run_command` does, in a process that has loaded torch and Lightning before."""
    process = start_warm(*arguments, cwd=cwd, **environment)
    out, err = wait_for_end(process)
    assert process.returncode is not None
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


class Terminal:
    """A command in a terminal of its own, as a person sees and answers it."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        self._process, self._screen = pty.fork()
        if self._process == 0:
            os.chdir(ROOT)
            os.execve(sys.executable, command_line(*arguments), {**os.environ, **environment})
        self.seen = b""

    def read_until(self, holds: Callable[[bytes], bool], limit_s: float = LIMIT_S) -> None:
        """Read until `holds` is true of everything seen; fail after `limit_s`."""
        deadline_s = time.monotonic() + limit_s
        while not holds(self.seen):
            readable, _, _ = select.select([self._screen], [], [], 1)
            if readable:
                self.seen += os.read(self._screen, 65536)
            assert time.monotonic() < deadline_s, self.seen.decode()

    def type_text(self, text: str) -> None:
        """Send keys; "\\x03" is Ctrl-C."""
        os.write(self._screen, text.encode())

    def exit_code(self) -> int:
        """Wait for the command's end and return its exit code."""
        _, status = os.waitpid(self._process, 0)
        os.close(self._screen)
        return os.waitstatus_to_exitcode(status)


def kill_remaining() -> None:
    """Kill every command that a failed test has not waited for, with all processes that it started."""
    while _started:
        process = _started.pop()
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        # A test that waited for the end alone has not read them to their ends.
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


@dataclass(frozen=True)
class Answer:
    """The end of a command that was answered in this process."""

    returncode: int
    stdout: str
    stderr: str


class InProcess:
    """Answers commands in this process, which spares the start of Python and its imports.

    For commands that end before they train: a run would leave its handlers and threads behind.
    """

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], fonts: Path
    ) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        # The command gives matplotlib a folder of its own; set here, it is taken back after the test.
        monkeypatch.setenv("MPLCONFIGDIR", str(fonts))

    def __call__(self, *arguments: str) -> Answer:
        """Answer a command as `python -m senet_repro` would."""
        from hydra.core.global_hydra import GlobalHydra

        from senet_repro.cli.main import main

        self._monkeypatch.setattr(sys, "argv", ["senet_repro", *arguments])
        self._capsys.readouterr()
        signums = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {signum: signal.getsignal(signum) for signum in signums}
        try:
            with pytest.raises(SystemExit) as end:
                main()
        finally:
            for signum, handler in before.items():
                signal.signal(signum, handler)
            GlobalHydra.instance().clear()
        out, err = self._capsys.readouterr()
        return Answer(int(end.value.code or 0), out, err)


def wait_until(
    holds: Callable[[], Any],
    what: str = "a condition",
    limit_s: float = LIMIT_S,
    poll_s: float = 0.02,
) -> None:
    """Return once `holds` does; fail after `limit_s`, naming what was waited for."""
    deadline_s = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < deadline_s, f"waited {limit_s:g} s for {what}"
        time.sleep(poll_s)
