"""Python processes that have torch and Lightning already, since loading them takes longer than a small run.

For tests of what a command leaves behind and how it ends. Tests of a command's start, of its imports and of what it
says about them start Python anew, by tests/commands.py.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

TEMPLATE = Path(__file__).with_name("warm_template.py")


class WarmPython:
    """A process under way that does what `python ARGUMENTS` would, with those methods of a Popen that tests use.

    The arguments begin with `-m MODULE` or `-c CODE`.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        cwd: Path,
        environment: Mapping[str, str],
        stderr: IO[str] | None = None,
    ) -> None:
        self.args = list(arguments)
        self.returncode: int | None = None
        # Files rather than pipes, which somebody would have to empty meanwhile.
        self.stdout = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self.stderr = stderr or tempfile.TemporaryFile("w+")  # noqa: SIM115
        request = {"arguments": self.args, "cwd": str(cwd), "environment": dict(environment)}
        reader, writer = os.pipe()
        files = [self.stdout.fileno(), self.stderr.fileno(), writer]
        socket.send_fds(find_template(), [json.dumps(request).encode()], files)
        os.close(writer)
        self._report = os.fdopen(reader)
        self.pid = int(self._report.readline())

    def poll(self) -> int | None:
        """Return the exit code as `subprocess` has it, or None while the process runs."""
        return self._read_exit_code(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end and return the exit code."""
        code = self._read_exit_code(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return code

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Wait for the end, and return standard output and error."""
        self.wait(timeout)
        self.stdout.seek(0)
        self.stderr.seek(0)
        return self.stdout.read(), self.stderr.read()

    def send_signal(self, signum: int) -> None:
        """Send a signal, if the process still runs."""
        if self.poll() is None:
            os.kill(self.pid, signum)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _read_exit_code(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._report], [], [], timeout)[0]:
            self.returncode = int(self._report.readline())
            self._report.close()
        return self.returncode


_template: tuple[subprocess.Popen[bytes], socket.socket] | None = None


def find_template() -> socket.socket:
    """Return the end of the template's socket that takes requests; the first call starts the template.

    It ends where the other end of the socket does: with the process of the tests.
    """
    global _template
    if _template is None:
        ours, others = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        environment.pop("PYTHONPATH", None)
        process = subprocess.Popen(
            [sys.executable, str(TEMPLATE), str(others.fileno())],
            env=environment,
            pass_fds=[others.fileno()],
            start_new_session=True,
        )
        others.close()
        _template = process, ours
    return _template[1]
