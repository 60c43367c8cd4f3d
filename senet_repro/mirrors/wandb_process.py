"""Call W&B's library in a process of its own (mirrors floor).

It is stopped when it takes too long: whatever happens to it, the process that asked goes on, and W&B's settings never
reach that process.
"""

from __future__ import annotations

import os
import subprocess
import sys

START_LIMIT_S = 60

NO_TELEMETRY = {"WANDB_ERROR_REPORTING": "false"}
"""Variables for every process of W&B: by itself it reports its errors and its use to its makers."""


class WandbError(Exception):
    """W&B did not do what it was asked for; the message is one line."""


def call_module(name: str, limit_s: float, complaint: str, given: bytes = b"") -> bytes:
    """Run a module that imports W&B, with `given` as its standard input, and return what it writes to its output.

    Raises:
        WandbError: it failed, was killed or took longer than `limit_s` seconds, of which `complaint` says what was not
            done in them, such as `it did not answer`.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", name],
            input=given,
            capture_output=True,
            timeout=limit_s,
            env={**NO_TELEMETRY, **os.environ},
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise WandbError(f"{complaint} within {limit_s} s") from None
    if done.returncode:
        raise WandbError(_describe_failure(done))
    return done.stdout


def _describe_failure(done: subprocess.CompletedProcess[bytes]) -> str:
    """Return the last line that a failed process wrote, or else its exit code."""
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    if lines:
        return lines[-1]
    return f"its process ended with exit code {done.returncode}"
