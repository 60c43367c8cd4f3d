"""W&B runs whose files all lie in one folder below the results, and that always begin (results floor)."""

from __future__ import annotations

import netrc
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_FOLDERS = ("WANDB_DIR", "WANDB_CACHE_DIR", "WANDB_DATA_DIR", "WANDB_CONFIG_DIR", "WANDB_ARTIFACT_DIR")
_unanswered: list[Exception] = []  # once is enough: each further run of this process would wait as long


def mode() -> str:
    """What WANDB_MODE says; else online with a key and offline without."""
    return os.environ.get("WANDB_MODE") or ("online" if _has_key() else "offline")


def keep_in(home: Path) -> None:
    """Let W&B write to `home` alone; it would fill the home directory."""
    for variable in _FOLDERS:
        os.environ[variable] = str(home.resolve())


def begin(home: Path, settings: Mapping[str, Any] | None = None, **identity: Any) -> Any:
    """A W&B run of its own in `home`, after `keep_in`; offline where the server does not answer.

    `identity` goes to `wandb.init`, `settings` to `wandb.Settings`. The caller finishes the run.
    """
    import wandb

    def init(mode: Any) -> Any:
        if mode == "offline":
            identity.pop("resume", None)  # W&B ignores it, and warns
        return wandb.init(
            dir=home,
            mode=mode,
            reinit="create_new",
            settings=wandb.Settings(init_timeout=20, console="off", silent=True, **(settings or {})),
            **identity,
        )

    try:
        return init("offline" if _unanswered else mode())
    except wandb.errors.CommError as error:
        print(f"W&B: {in_a_line(error)}; copying offline", file=sys.stderr)
        _unanswered.append(error)
        if "id" in identity:
            wandb.teardown()  # its service holds the id for the run that did not begin
        return init("offline")


def in_a_line(error: Exception) -> str:
    """What an error says, without the trail that W&B's carry."""
    return (str(error) or type(error).__name__).splitlines()[0]


def _has_key() -> bool:
    if os.environ.get("WANDB_API_KEY"):
        return True
    host = urlsplit(os.environ.get("WANDB_BASE_URL", "https://api.wandb.ai")).hostname
    try:
        return netrc.netrc().authenticators(host or "") is not None
    except (OSError, netrc.NetrcParseError):
        return False
