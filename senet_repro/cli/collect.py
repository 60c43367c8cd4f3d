"""Collect a campaign: copy what is finished into the folder that is committed, with its tables and its account.

FOLDER/<run>/seed<k>/   record, settings, metrics, outcomes, plan and starts of a finished run, and the pictures that
                        a detector keeps; of a failed one its status instead of a record and outcomes
FOLDER/weights/         the final weights of the first seed of each row, in float16
FOLDER/tables/          every table that has a record
FOLDER/account.md       what became of each run of the plan
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from senet_repro.cli.account_text import format_account
from senet_repro.cli.verbs import call_verb
from senet_repro.config.run_weights import KEPT_WEIGHTS, name_kept_weights
from senet_repro.core.errors import ConfigError
from senet_repro.core.files import read_bytes, write_bytes, write_text
from senet_repro.core.loading import loading_for_good
from senet_repro.core.matplotlib_folder import set_matplotlib_folder
from senet_repro.core.printing import print_line, print_skipped
from senet_repro.core.wording import count_noun
from senet_repro.results.access import explain_access
from senet_repro.results.account import (
    Account,
    AccountedRun,
    read_account,
    refuse_other_plans,
)
from senet_repro.results.example_pictures import read_pictures, write_pictures
from senet_repro.results.run_folder import RunFolder
from senet_repro.results.store import read_status, write_status

if TYPE_CHECKING:
    from torch import Tensor

    from senet_repro.results.campaign import Campaign
    from senet_repro.results.campaign_file import CampaignFile

ACCOUNT = "account.md"
TABLES = "tables"
MOST_WEIGHT_BYTES = 20_000_000
"""The size of all kept weights together: a repository is no place for more."""

_KEPT_OF_STATUS = ("run_key", "seed", "state", "epochs", "reason", "diverged")


def collect_campaign(
    folder: Path, results_dir: Path, campaign: Campaign, source: CampaignFile
) -> None:
    """Copy every run that is done or failed from `results_dir` into `folder`, and write what follows from them there.

    Raises:
        ConfigError: there is none yet, one is of another plan, or was collected before and is another one now.
    """
    account = read_account(results_dir, campaign, folder)
    refuse_other_plans(account, campaign)
    problems = list(account.problems)
    done = [run for run in account.runs if run.state.state == "done"]
    if not done and not account.failed:
        raise ConfigError(
            f"{results_dir} holds no finished run of {folder}: train it, or give another folder, --results DIR"
        )
    for run in (*done, *account.failed):
        try:
            _copy_run(run, folder)
        except OSError as error:
            problems.append(explain_access(Path(error.filename or run.state.folder), error))
    print_skipped(problems)
    _keep_weights(done, account.seeds[0], folder)
    collected = write_summaries(folder, campaign, source)
    print_line(_describe_collection(collected, len(account.unplanned), folder))


def write_summaries(folder: Path, campaign: Campaign, source: CampaignFile) -> Account:
    """Write the tables and the account of what lies in a campaign's folder; return the account."""
    words = ["--results", str(folder), "--table", ",".join(campaign.tables)]
    call_verb("table", [*words, "--output", str(folder / TABLES)])
    account = read_account(folder, campaign)
    write_text(folder / ACCOUNT, format_account(account, campaign, source))
    return account


def restore_collected(account: Account, results_dir: Path) -> None:
    """Copy what is settled in a campaign's own folder alone to where it is trained, as in a fresh clone.

    Raises:
        ConfigError: a record lies there already that cannot be believed.
    """
    for run in account.runs:
        damaged = RunFolder(results_dir / run.folder_name / run.state.folder.name).record_file
        if run.is_settled and run.state.folder != damaged.parent:
            if damaged.exists():
                raise ConfigError(
                    f"{damaged} cannot be believed, and {run.state.folder} holds the run: remove the former"
                )
            _copy_run(run, results_dir)


def _describe_collection(collected: Account, unplanned: int, folder: Path) -> str:
    """Return what was collected, and what its author does next."""
    done = sum(run.state.state == "done" for run in collected.runs)
    line = f"{folder} holds {done} of {count_noun(len(collected.runs), 'record')}"
    if collected.failed:
        line += f", and {count_noun(len(collected.failed), 'run')} that failed"
    if unplanned:
        line += f"; {unplanned} of no plan left out"
    return f"{line}; commit it: git add {shlex.quote(str(folder))}"


def _copy_run(run: AccountedRun, folder: Path) -> None:
    """Copy a run that ended into `folder`, unless it lies there.

    Raises:
        ConfigError: `folder` holds another record of it.
        OSError: one of its files cannot be read.
    """
    if run.state.folder == folder / run.folder_name / run.state.folder.name:
        return
    if run.state.state == "done":
        _copy_finished(run, folder)
    else:
        _copy_failed(run, folder)


def _copy_finished(run: AccountedRun, folder: Path) -> None:
    """Copy a finished run, but for its checkpoints.

    Raises:
        ConfigError: another record of it was collected before, or that it diverged.
    """
    source = RunFolder(run.state.folder)
    target = RunFolder(folder / run.folder_name / source.path.name)
    record = read_bytes(source.record_file)
    image_file = source.find_image_file()
    outcomes = read_bytes(image_file)
    if target.record_file.exists() and read_bytes(target.record_file) != record:
        raise ConfigError(
            f"{target.record_file} was collected before, and {source.record_file} is another: a run counts once; "
            "put the first one back, or plan another campaign"
        )
    if not target.record_file.exists() and read_status(target.path).get("diverged") is True:
        raise ConfigError(
            f"{target.path} was collected as diverged, and {source.path} is another attempt: a run counts once; "
            f"take {source.path} away"
        )
    target.path.mkdir(parents=True, exist_ok=True)
    _copy_files(source, target)
    write_bytes(target.path / image_file.name, outcomes)
    pictures = read_pictures(source.path)
    if pictures:
        write_pictures(target.path, pictures)
    # Of an attempt that failed of what was mended since.
    target.status_file.unlink(missing_ok=True)
    # Last, as in the run's own folder: where it is, the others are.
    write_bytes(target.record_file, record)


def _copy_failed(run: AccountedRun, folder: Path) -> None:
    """Copy what a failed run left, and why it failed."""
    source = RunFolder(run.state.folder)
    target = RunFolder(folder / run.folder_name / source.path.name)
    # A run that was finished is not taken back by an attempt that failed later.
    if target.record_file.exists():
        return
    target.path.mkdir(parents=True, exist_ok=True)
    _copy_files(source, target)
    status = read_status(source.path)
    # Not the end of its log, which names the folders of a machine.
    write_status(target.path, **{key: status[key] for key in _KEPT_OF_STATUS if key in status})


def _copy_files(source: RunFolder, target: RunFolder) -> None:
    """Copy the files that every run has which was begun; one that failed in its first epoch has finished none."""
    files = (source.settings_file, source.plan_file, source.starts_file, source.epochs_file)
    copy_present(files, target.path)


def copy_present(files: Iterable[Path], target: Path) -> None:
    """Copy those files that are there into a folder, each whole or not at all."""
    for path in files:
        if path.exists():
            write_bytes(target / path.name, read_bytes(path))


def _keep_weights(done: list[AccountedRun], seed: int, folder: Path) -> None:
    """Write the final weights of each row's first seed, unless all of them together would be too large."""
    targets = {
        name_kept_weights(folder, run.folder_name): run.state.folder
        for run in done
        if run.seed == seed
    }
    missing = {target: path for target, path in targets.items() if not target.exists()}
    # A campaign that was copied from elsewhere has no checkpoints.
    missing = {
        target: path for target, path in missing.items() if RunFolder(path).last_checkpoint.exists()
    }
    if not missing:
        return
    # Lightning, which is imported here, imports matplotlib.
    set_matplotlib_folder()
    with loading_for_good("torch and Lightning"):
        from senet_repro.models import write_weights
        from senet_repro.training.trained_network import read_trained_weights

    (folder / KEPT_WEIGHTS).mkdir(exist_ok=True)
    held_bytes = sum(target.stat().st_size for target in targets if target.exists())
    for target, path in missing.items():
        trained = read_trained_weights(RunFolder(path).last_checkpoint)
        weights = {key: _halve_precision(tensor) for key, tensor in trained.items()}
        held_bytes += sum(tensor.nbytes for tensor in weights.values())
        if held_bytes > MOST_WEIGHT_BYTES:
            print_line(
                f"more than {MOST_WEIGHT_BYTES / 1e6:.0f} MB of weights are not kept, {target.name} and others: "
                "the overrides in their records train them anew"
            )
            return
        write_weights(target, weights)


def _halve_precision(tensor: Tensor) -> Tensor:
    """Return floating-point numbers as float16, unless one is too large, as statistics of unbounded gates may be."""
    if not tensor.is_floating_point():
        return tensor
    half = tensor.half()
    return half if half.isfinite().all() else tensor
