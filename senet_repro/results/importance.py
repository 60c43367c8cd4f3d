"""Keep what `importance` found: errors of given weights with channels masked, without training (results floor).

RUN/importance/importance.json lists findings, one for each key: that of the weights, the images and all settings. A
later one of the same key takes the place of the earlier one, all others stay.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from senet_repro.core.lock import hold_lock
from senet_repro.results.evaluated_folders import load_from_folders
from senet_repro.results.findings import FOLDER, read_list, write_list
from senet_repro.results.record_rules import is_number
from senet_repro.results.run_folder import RunFolder

SCHEMA_VERSION = 1
_LISTED = "findings"

Errors = dict[str, dict[str, list[list[float]]]]
"""scope -> measure -> a list of errors in percent by share, for each time that the channels were ranked."""


@dataclass(frozen=True, kw_only=True)
class Importance:
    """Errors of given weights with channels masked."""

    key: str  # the hash of everything that decides its numbers
    network: str  # by our name
    se: dict[str, Any]  # as in an identity: axes, fc and bias
    weights: dict[str, Any]  # file, sha256, source, and what the source calls the network
    run: dict[str, Any] | None  # name, run key and seed of the run that trained them
    data: dict[str, Any]  # name, title, fingerprint of the evaluation images
    measured_images: int  # on which the importance of channels was measured
    scored_images: int  # others, on which the errors were counted
    shares_pct: list[int]  # of channels, that were masked
    unmasked_err_pct: float  # top-1
    errors_pct: Errors  # top-1
    # Of the network with channels cut out beside the whole one; None where they were masked alone.
    cut: dict[str, Any] | None
    notes: list[str]
    trainer: dict[str, Any]  # precision, channels_last, batch_size
    commit: str | None
    dirty: bool | None
    versions: dict[str, str]
    hardware: dict[str, Any]
    finished_at: str  # UTC, ISO 8601
    schema_version: int = SCHEMA_VERSION
    # Where it was read from; no part of the file.
    folder: Path | None = field(default=None, compare=False)

    @property
    def network_key(self) -> str:
        """The name that the seeds of one run share, and other weights do not."""
        run_key: str = self.run["run_key"] if self.run else self.weights["sha256"]
        return run_key


_FIELDS = {each.name for each in fields(Importance)} - {FOLDER}
_CUT_KEYS = {
    "measure",
    "share_pct",
    "params",
    "macs",
    "ms",
    "ratio",
    "lowest",
    "highest",
    "rounds",
    "batch",
    "difference",
}


def write_importance(folder: Path, found: Importance) -> None:
    """Write a finding into the folder of its weights; those of other keys that are listed there stay.

    Raises:
        ConfigError: the list that is there cannot be read.
        OSError: the folder cannot be written to.
    """
    own = RunFolder(folder)
    # Its lock is another one than that of a training beside it.
    with hold_lock(own.importance_folder):
        kept = [one for one in read_importance(folder) if one.key != found.key]
        write_list(own.importance_file, _LISTED, SCHEMA_VERSION, (*kept, found))


def read_importance(folder: Path) -> list[Importance]:
    """Return the findings in a folder, in the order in which they were made; none where there is no file.

    Raises:
        ConfigError: the file holds no findings, or a newer senet_repro wrote it.
    """
    path = RunFolder(folder).importance_file
    listed = read_list(path, _LISTED, SCHEMA_VERSION, _is_sound, mend="give the command anew")
    return [Importance(**entry, folder=folder) for entry in listed]


def load_importance(results_dir: Path) -> tuple[list[Importance], list[str]]:
    """Return every finding below a results folder, and a message for each file that cannot be read."""
    return load_from_folders(results_dir, RunFolder(Path()).importance_file, read_importance)


def find_importance(folder: Path, key: str) -> Importance | None:
    """Return the finding of a key that a folder holds; None where it has to be made.

    Raises:
        ConfigError: as `read_importance`.
    """
    by_key = {one.key: one for one in read_importance(folder)}
    return by_key.get(key)


def _is_sound(entry: Any) -> bool:
    """Return whether an entry of the file has every field that is read, with possible figures."""
    if not isinstance(entry, dict) or entry.keys() != _FIELDS:
        return False
    if not isinstance(entry["key"], str) or not isinstance(entry["shares_pct"], list):
        return False
    for part in ("se", "weights", "data", "errors_pct"):
        if not isinstance(entry[part], dict):
            return False
    if not all(map(is_number, (entry["unmasked_err_pct"], entry["scored_images"]))):
        return False
    cut = entry["cut"]
    if cut is not None and not (isinstance(cut, dict) and cut.keys() == _CUT_KEYS):
        return False
    shares = len(entry["shares_pct"])
    return all(_is_scope_sound(scope, shares) for scope in entry["errors_pct"].values())


def _is_scope_sound(by_measure: Any, shares: int) -> bool:
    """Return whether the errors of a scope are lists of errors, one for each share."""
    if not isinstance(by_measure, dict):
        return False
    for rankings in by_measure.values():
        if not isinstance(rankings, list) or not rankings:
            return False
        for errors in rankings:
            if not isinstance(errors, list) or len(errors) != shares:
                return False
            if not all(is_number(error) and 0 <= error <= 100 for error in errors):
                return False
    return True
