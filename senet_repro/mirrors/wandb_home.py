"""W&B runs whose files all lie in one folder below the results, and that always begin (results floor)."""

from __future__ import annotations

import netrc
import os
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import urlopen

_FOLDERS = (
    "WANDB_DIR",
    "WANDB_CACHE_DIR",
    "WANDB_DATA_DIR",
    "WANDB_CONFIG_DIR",
    "WANDB_ARTIFACT_DIR",
)
_ANSWER_S = 5
_unanswered: list[
    Exception
] = []  # once is enough: each further run of this process would wait as long


def mode() -> str:
    """What WANDB_MODE says; else online with a key and offline without."""
    return os.environ.get("WANDB_MODE") or ("online" if _has_key() else "offline")


def settle() -> None:
    """Find out whether the server answers, once for this process and all that it starts; else WANDB_MODE is offline.

    Each of them would find out for itself otherwise, and wait for it.
    """
    if mode() != "online":
        return
    failures = ["no answer"]
    asking = threading.Thread(
        target=_ask, args=(failures,), daemon=True
    )  # a name's look-up knows no time limit
    asking.start()
    asking.join(_ANSWER_S)
    if failures:
        print(f"W&B: {_server()}: {failures[-1]}; copying offline", file=sys.stderr)
        os.environ["WANDB_MODE"] = "offline"


def _ask(failures: list[str]) -> None:
    try:
        urlopen(_server(), timeout=_ANSWER_S).close()
    except HTTPError:
        failures.clear()  # an answer, if none that a browser would like
    except (OSError, ValueError) as error:
        failures.append(str(error))
    else:
        failures.clear()


def _server() -> str:
    return os.environ.get("WANDB_BASE_URL", "https://api.wandb.ai")


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
            settings=wandb.Settings(
                init_timeout=20, console="off", silent=True, **(settings or {})
            ),
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


def restart() -> None:
    """Let the next run begin with a process of W&B's own that works, after one that died."""
    import wandb

    with suppress(Exception):  # it cannot be told that it is over
        wandb.teardown(exit_code=1)


def in_a_line(error: Exception) -> str:
    """What an error says, without the trail that W&B's carry."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _has_key() -> bool:
    if os.environ.get("WANDB_API_KEY"):
        return True
    host = urlsplit(_server()).hostname
    try:
        return netrc.netrc().authenticators(host or "") is not None
    except (OSError, netrc.NetrcParseError):
        return False
