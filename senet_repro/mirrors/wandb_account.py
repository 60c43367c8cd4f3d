"""Ask W&B's library where copies may go: `python -m senet_repro.mirrors.wandb_account` (mirrors floor).

The library looks in the environment, in the settings files of this folder and of the user, and in .netrc; which of them
decides is its own affair. It is asked in a process of its own, and nothing is sent.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass

from senet_repro.mirrors.wandb_process import START_LIMIT_S, call_module

_MODES = {"dryrun": "offline", "run": "online"}  # W&B's older words


@dataclass(frozen=True)
class WandbAccount:
    """Where the copies of this user may go."""

    mode: str  # online, offline or disabled, as W&B was told; see `may_send`
    server: str  # its address
    has_key: bool  # whether there is a key for that server

    @property
    def may_send(self) -> bool:
        """Whether copies may be sent: there is a key, and nobody said that they are to stay here."""
        return self.mode == "online" and self.has_key


def read_mode() -> str:
    """Return what WANDB_MODE says, in W&B's newer words; an empty text if it says nothing."""
    mode = os.environ.get("WANDB_MODE", "")
    return _MODES.get(mode, mode)


def ask_account() -> WandbAccount:
    """Return where copies may go, as W&B's library finds it out; takes seconds.

    Raises:
        WandbError: the library failed, was killed or took too long.
    """
    answer = call_module(__name__, START_LIMIT_S, "it did not answer")
    return WandbAccount(**json.loads(answer))


def find_account() -> WandbAccount:
    """Return what the library finds out in this process."""
    from wandb.sdk import wandb_setup
    from wandb.sdk.lib import wbauth

    # Neither of the two starts W&B's service or asks a server.
    settings = wandb_setup.singleton().settings
    key = wbauth.authenticate_session(
        host=settings.base_url, source="senet_repro", prompt=False, update_session=False
    )
    mode = str(settings.mode)
    return WandbAccount(_MODES.get(mode, mode), settings.base_url, key is not None)


if __name__ == "__main__":
    print(json.dumps(asdict(find_account())))
