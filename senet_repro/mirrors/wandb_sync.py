"""Send offline files to W&B with its own command, `wandb sync` (mirrors floor).

Sending a run whose id is on W&B already replaces its history, summary and configuration there.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from senet_repro.mirrors.wandb_files import is_sent
from senet_repro.mirrors.wandb_process import NO_TELEMETRY, START_LIMIT_S, WandbError

LOG_LIMIT_S = 30
MOST_RETRIES = 3
"""A server that does not answer is given up after some 15 seconds; by itself W&B would try for hours."""


def send_logs(logs: Sequence[Path], server: str) -> list[Path]:
    """Send files as W&B wrote them to the server at an address; its own messages go to standard error.

    Returns the files that were not sent.

    Raises:
        WandbError: it took too long; what was sent by then is marked as sent.
    """
    limit_s = START_LIMIT_S + LOG_LIMIT_S * len(logs)
    with tempfile.TemporaryDirectory() as scratch:
        # `wandb login` keeps the address of a server of one's own in the config folder, so that one stays.
        folders = ("WANDB_DIR", "WANDB_CACHE_DIR", "WANDB_DATA_DIR", "WANDB_ARTIFACT_DIR")
        environment = {**NO_TELEMETRY, **os.environ, **dict.fromkeys(folders, scratch)}
        # The settings file of the present folder, which may name the server, is not seen from there.
        environment["WANDB_BASE_URL"] = server
        environment["WANDB__GRAPHQL_RETRY_MAX"] = str(MOST_RETRIES)
        command = [sys.executable, "-m", "wandb", "sync", *map(str, logs)]
        try:
            subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                timeout=limit_s,
                env=environment,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise WandbError(f"not everything was sent within {limit_s} s") from None
    # The exit code of `wandb sync` is 0 also where the server did not answer.
    return [log for log in logs if not is_sent(log)]
