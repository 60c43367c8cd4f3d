"""Where copies may go is what W&B itself finds in the environment, its settings files and .netrc."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import wandb
from wandb.sdk import wandb_setup

from senet_repro.mirrors.wandb_account import WandbAccount, find_account

KEY = "0" * 40
CLOUD = "the cloud"
OWN = "http://wandb.mine:8080"


@pytest.fixture(autouse=True)
def _wandb_begins_anew() -> Iterator[None]:
    """Let W&B's library read its files once more in each test."""
    wandb_setup._singleton = None
    yield
    wandb_setup._singleton = None


@pytest.mark.parametrize(
    ("variables", "files", "account"),
    [
        ({}, {}, WandbAccount("online", CLOUD, has_key=False)),
        ({"WANDB_API_KEY": KEY}, {}, WandbAccount("online", CLOUD, has_key=True)),
        ({"WANDB_MODE": "dryrun"}, {}, WandbAccount("offline", CLOUD, has_key=False)),
        ({"WANDB_MODE": "disabled"}, {}, WandbAccount("disabled", CLOUD, has_key=False)),
        (
            {},
            {".netrc": f"machine api.wandb.ai login user password {KEY}"},
            WandbAccount("online", CLOUD, has_key=True),
        ),
        (
            {"WANDB_BASE_URL": OWN},
            {".netrc": f"machine api.wandb.ai login user password {KEY}"},
            WandbAccount("online", OWN, has_key=False),
        ),
        (
            {"WANDB_BASE_URL": OWN},
            {".netrc": f"machine wandb.mine:8080 login user password {KEY}"},
            WandbAccount("online", OWN, has_key=True),
        ),
        (
            {"NETRC": "keys"},
            {
                "keys": f"machine wandb.mine:8080 login user password {KEY}",
                ".config/wandb/settings": f"[default]\nbase_url = {OWN}\n",
            },
            WandbAccount("online", OWN, has_key=True),
        ),
        (
            {"WANDB_API_KEY": KEY},
            {"wandb/settings": f"[default]\nbase_url = {OWN}\nmode = offline\n"},
            WandbAccount("offline", OWN, has_key=True),
        ),
        (
            {"WANDB_API_KEY": KEY},
            {"wandb/settings": "[default]\nmode = disabled\n"},
            WandbAccount("disabled", CLOUD, has_key=True),
        ),
    ],
)
def test_wandbs_own_look_up_decides(
    variables: dict[str, str],
    files: dict[str, str],
    account: WandbAccount,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    if account.server == CLOUD:
        # The library's own address, which it has changed before.
        account = replace(account, server=wandb.Settings().base_url)
    assert find_account() == account
    assert account.may_send == (account.mode == "online" and account.has_key)
