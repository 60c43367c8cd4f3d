"""`python -m senet_repro publish`: runs and error tables on Weights & Biases, or files of them to send later."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from senet_repro.cli.options import add_results_option, add_table_option, require_results
from senet_repro.core.choice import require_choice
from senet_repro.core.errors import ConfigError
from senet_repro.core.wording import count_noun

if TYPE_CHECKING:
    from senet_repro.mirrors.wandb_account import WandbAccount
    from senet_repro.mirrors.wandb_data import WandbRun

DESCRIPTION = "Write runs and tables as W&B's files; send them if there is a key."
DOING = "writing W&B's files, and sending them where there is a key"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    add_results_option(parser)
    add_table_option(parser)
    parser.add_argument("--project", metavar="P", help="on W&B (that of the runs' logger.project)")


def run_verb(options: argparse.Namespace) -> int:
    """Write runs and tables, send them, and print where they are.

    Returns 1 if there is nothing to publish, or if something could not be written or sent.

    Raises:
        ConfigError: W&B is switched off, or there is no such table or results folder.
    """
    from senet_repro.cli.wandb_copies import write_copies
    from senet_repro.mirrors.wandb_account import ask_account, read_mode
    from senet_repro.mirrors.wandb_process import WandbError

    require_choice("WANDB_MODE", read_mode() or "online", ("online", "offline", "disabled"))
    if read_mode() == "disabled":
        raise ConfigError("WANDB_MODE=disabled: unset it to publish, or give WANDB_MODE=offline")
    results_dir = require_results(options.results)
    try:
        account = ask_account()
        if account.mode == "disabled":
            raise ConfigError("`wandb disabled` was called here: call `wandb enabled` to publish")
        copies = write_copies(results_dir, options.table, options.project)
        if not copies:
            print(f"no records in {options.results} for a table", file=sys.stderr)
            return 1
        print_copies(copies)
        return send_copies(copies, results_dir, account)
    except BrokenPipeError:
        # The reader of our output has seen enough; cli/main.py ends the command for it.
        raise
    except (WandbError, OSError) as error:
        print(f"W&B: {error}", file=sys.stderr)
        return 1


def send_copies(copies: Sequence[WandbRun], results_dir: Path, account: WandbAccount) -> int:
    """Send what was not sent yet, where there is a key, and print what came of it; returns the exit code."""
    from senet_repro.cli.wandb_copies import describe_publish_command, find_unsent_logs
    from senet_repro.mirrors.wandb_sync import send_logs

    unsent = find_unsent_logs(copies)
    if not unsent:
        print("all of it was sent to W&B before")
        return 0
    if not account.may_send:
        command = describe_publish_command(results_dir)
        print(f"{len(unsent)} not sent to W&B: {_name_obstacle(account)}")
        print(f"with WANDB_API_KEY, or after `wandb login`: {command}")
        return 0
    failed = send_logs(unsent, account.server)
    print(f"{len(unsent) - len(failed)} of {len(unsent)} sent to W&B")
    return 1 if failed else 0


def _name_obstacle(account: WandbAccount) -> str:
    """Return why nothing may be sent."""
    from senet_repro.mirrors.wandb_account import read_mode

    if not account.has_key:
        return f"there is no key for {account.server}"
    if read_mode():
        return "WANDB_MODE=offline"
    return "`wandb offline` was called here, and `wandb online` takes it back"


def print_copies(copies: Sequence[WandbRun]) -> None:
    """Print each table with its folder, and how many runs there are."""
    tables = [copy for copy in copies if copy.job_type == "table"]
    for table in tables:
        print(f"{table.name}: {table.folder}")
    if runs := len(copies) - len(tables):
        print(f"{count_noun(runs, 'run')} of logger=wandb")
