"""Send offline files to W&B with its own command, `wandb sync` (mirrors floor).

Sending a run whose id is on W&B already replaces its history, summary and configuration there.
"""

from __future__ import annotations

import netrc
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from senet_repro.mirrors.wandb_files import WandbError, is_sent

START_LIMIT_S = 60
LOG_LIMIT_S = 30
MOST_RETRIES = 3
"""A server that does not answer is given up after some 15 seconds; by itself W&B would try for hours."""

_MODES = {"dryrun": "offline", "run": "online"}  # W&B's older words


def read_mode() -> str:
    """Return what WANDB_MODE asks for (online, offline, disabled); else online with a key and offline without."""
    mode = os.environ.get("WANDB_MODE") or ("online" if has_key() else "offline")
    return _MODES.get(mode, mode)


def has_key() -> bool:
    """Return whether there is a key for the server: in WANDB_API_KEY, or in .netrc, where `wandb login` puts it."""
    if os.environ.get("WANDB_API_KEY"):
        return True
    server = os.environ.get("WANDB_BASE_URL", "https://api.wandb.ai")
    file = Path(os.environ.get("NETRC", "~/.netrc")).expanduser()
    try:
        # By its path, as W&B reads it: the default file would be refused where others may read it.
        keys = netrc.netrc(file)
    except (OSError, netrc.NetrcParseError):
        return False
    return keys.authenticators(urlsplit(server).netloc) is not None


def send_logs(logs: Sequence[Path]) -> list[Path]:
    """Send files as W&B wrote them; its own messages, with the address of each run, go to standard error.

    Returns the files that were not sent.

    Raises:
        WandbError: it took too long; what was sent by then is marked as sent.
    """
    limit_s = START_LIMIT_S + LOG_LIMIT_S * len(logs)
    with tempfile.TemporaryDirectory() as scratch:
        # `wandb login` keeps the address of a server of one's own in the config folder, so that one stays.
        folders = ("WANDB_DIR", "WANDB_CACHE_DIR", "WANDB_DATA_DIR", "WANDB_ARTIFACT_DIR")
        environment = {**os.environ, **dict.fromkeys(folders, scratch)}
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
