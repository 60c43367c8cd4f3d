"""Keep what `evaluate` found: errors of given weights on the validation images, without training (results floor).

An evaluation.json lies beside the run whose weights it is of, or for a file of weights in
`results_dir/evaluations/<network>-<first 8 digits of the file's hash>/`. It lists evaluations, one for each pass over
the images; a later pass of the same key takes the place of the earlier one, all others stay. An evaluation is no
record: nothing was trained for it, so no estimate over seeds and no claim about training is made of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from senet_repro.config.evaluation import CropRule
from senet_repro.core.errors import ConfigError
from senet_repro.core.lock import hold_lock
from senet_repro.results.evaluated_folders import load_from_folders
from senet_repro.results.findings import FOLDER, has_fields, read_list, write_list
from senet_repro.results.outcomes import OUTCOMES_FILE, Outcomes, read_outcomes
from senet_repro.results.record_rules import is_number
from senet_repro.results.run_folder import RunFolder

SCHEMA_VERSION = 1
RELEASED = "released weights, re-scored"
RUN = "re-scored run"
KINDS = (RELEASED, RUN)
"""Whose weights were evaluated; neither is a training."""

_LISTED = "evaluations"


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """One pass of given weights over the evaluation images."""

    key: str  # the hash of everything that decides its numbers
    kind: str  # one of KINDS
    network: str  # by our name
    options: dict[str, str]  # of the network
    se: dict[str, Any] | None  # as in an identity: axes, fc and bias; None without SE
    task: str
    weights: dict[str, Any]  # file, sha256, source, and what the source calls the network
    run: dict[str, Any] | None  # name, run key and seed of the run that trained them
    data: dict[
        str, Any
    ]  # name, title, fingerprint of the evaluation images, images that were left out
    trained_px: int  # side of the crops that the weights were trained on
    size_px: int
    resize_px: int | None
    # Mean, std, interpolation, antialias, whose they are; the sides that are resized, if both are.
    preprocessing: dict[str, Any]
    notes: list[str]  # such as settings by hand that differ from the published ones
    trainer: dict[str, Any]  # precision, channels_last, batch_size, devices
    metrics: dict[str, float]
    intervals: dict[str, list[float]]  # of each metric over the images, 95 %
    interval: str  # how they were made
    images: int  # each counted exactly once
    outcomes: dict[str, Any]  # hash, images and ranks of the file of outcomes
    commit: str | None
    dirty: bool | None
    versions: dict[str, str]
    hardware: dict[str, Any]
    finished_at: str  # UTC, ISO 8601
    schema_version: int = SCHEMA_VERSION
    # Where it was read from; no part of the file.
    folder: Path | None = field(default=None, compare=False)

    @property
    def rule(self) -> CropRule:
        """How images became the squares that the network saw."""
        sides = self.preprocessing.get("sides", "short")
        return CropRule(size_px=self.size_px, resize_px=self.resize_px, sides=sides)

    @property
    def pass_name(self) -> str:
        """The name of the folder of its outcomes."""
        return f"{self.size_px}px-{self.key[:8]}"


_FIELDS = {each.name for each in fields(Evaluation)} - {FOLDER}
# The keys of each part that are read.
_KEYS = {
    "weights": {"file", "sha256", "source", "released_as"},
    "run": {"name", "run_key", "seed"},
    "data": {"name", "title", "whole_images", "fingerprint", "skipped"},
    "preprocessing": {"mean", "std", "interpolation", "antialias", "published_by"},
    "trainer": {"precision", "channels_last", "batch_size", "devices"},
    "hardware": {"device", "name"},
}
# The types in the file of what is no text.
_TYPES: dict[str, tuple[type, ...]] = {
    "options": (dict,),
    "se": (dict, type(None)),
    "weights": (dict,),
    "run": (dict, type(None)),
    "data": (dict,),
    "trained_px": (int,),
    "size_px": (int,),
    "resize_px": (int, type(None)),
    "preprocessing": (dict,),
    "notes": (list,),
    "trainer": (dict,),
    "metrics": (dict,),
    "intervals": (dict,),
    "images": (int,),
    "outcomes": (dict,),
    "commit": (str, type(None)),
    "dirty": (bool, type(None)),
    "versions": (dict,),
    "hardware": (dict,),
    "schema_version": (int,),
}


def write_evaluation(folder: Path, evaluation: Evaluation, outcomes: Outcomes) -> None:
    """Write a pass and its outcomes into the folder of its weights, each file whole or not at all.

    Evaluations of other keys that are listed there stay.

    Raises:
        ConfigError: the list that is there cannot be read.
        OSError: the folder cannot be written to.
    """
    own = RunFolder(folder)
    pass_folder = own.pass_folder(evaluation.pass_name)
    # Its lock is another one than that of a training beside it.
    with hold_lock(pass_folder.parent):
        kept = [one for one in read_evaluations(folder) if one.key != evaluation.key]
        pass_folder.mkdir(exist_ok=True)
        # First, so that an evaluation which is listed has its outcomes.
        outcomes.write_into(pass_folder)
        write_list(own.evaluations_file, _LISTED, SCHEMA_VERSION, (*kept, evaluation))


def read_evaluations(folder: Path) -> list[Evaluation]:
    """Return the evaluations in a folder, in the order in which they were made; none where there is no file.

    Raises:
        ConfigError: the file holds no evaluations, or a newer senet_repro wrote it.
    """
    path = RunFolder(folder).evaluations_file
    listed = read_list(path, _LISTED, SCHEMA_VERSION, _is_sound, mend="evaluate anew")
    return [Evaluation(**entry, folder=folder) for entry in listed]


def _is_sound(entry: Any) -> bool:
    """Return whether an entry of the file has every field of its type, all that is read in it, and possible figures."""
    if not isinstance(entry, dict) or not has_fields(entry, _FIELDS, _TYPES, _KEYS):
        return False
    figures = [*entry["metrics"].values()]
    for interval in entry["intervals"].values():
        if not isinstance(interval, list) or len(interval) != 2:
            return False
        figures += interval
    if not all(is_number(figure) and 0 <= figure <= 100 for figure in figures):
        return False
    return entry["kind"] in KINDS and entry["metrics"].keys() == entry["intervals"].keys()


def find_finished(folder: Path, key: str) -> Evaluation | None:
    """Return the evaluation of a key that a folder holds with its outcomes; None where it has to be made.

    Raises:
        ConfigError: as `read_evaluations`.
    """
    for evaluation in read_evaluations(folder):
        if evaluation.key != key:
            continue
        try:
            outcomes = load_pass_outcomes(evaluation)
        except ConfigError:
            return None
        is_same = outcomes.digest == evaluation.outcomes.get("sha256")
        if not is_same:
            return None
        return evaluation
    return None


def load_pass_outcomes(evaluation: Evaluation) -> Outcomes:
    """Return the outcomes of an evaluation that was read from a folder.

    Raises:
        ConfigError: there are none.
    """
    assert evaluation.folder is not None
    folder = RunFolder(evaluation.folder).pass_folder(evaluation.pass_name)
    return read_outcomes(folder / OUTCOMES_FILE)


def load_evaluations(results_dir: Path) -> tuple[list[Evaluation], list[str]]:
    """Return every evaluation below a results folder, and a message for each file that cannot be read."""
    return load_from_folders(results_dir, RunFolder(Path()).evaluations_file, read_evaluations)
