"""Keep what `excitation` read from a network: the gates of its SE blocks over the evaluation images (results floor).

RUN/excitation/ (or that of a file of weights) holds the study of the last command:

    excitation.json  all that figures and verdicts need
    gates.csv        the curves of the figures: a line for each block, channel and class
    figure6.svg ...  the figures, as SVG and PNG

A study is no record: nothing was trained for it, and no claim about training is judged by it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from senet_repro.core.errors import ConfigError
from senet_repro.core.files import read_versioned, write_json, write_text
from senet_repro.results.evaluated_folders import load_from_folders
from senet_repro.results.findings import FOLDER, has_fields, write_fields
from senet_repro.results.record_rules import is_number
from senet_repro.results.run_folder import RunFolder

SCHEMA_VERSION = 1
CSV_HEADER = (
    "block",
    "channel",
    "class",
    "mean_gate",
    "sd_gate",
    "images",
    "mean_gate_all_classes",
)


@dataclass(frozen=True, kw_only=True)
class BlockCurves:
    """The gates of one block in the channels that were drawn, (D,) each, and for each class shown (classes, D)."""

    block: str
    channels: list[int]  # that were drawn
    overall: list[float]  # mean over all images
    means: list[list[float]]  # mean over the images of a class
    sds: list[list[float]]  # standard deviation over them
    picture: list[float]  # the gates of one picture


@dataclass(frozen=True, kw_only=True)
class GateStudy:
    """The gates of one network over the evaluation images, as far as figures and verdicts need them."""

    key: str  # the hash of everything that decides its numbers
    network: str  # by our name
    se: dict[str, Any]  # as in an identity: axes, fc and bias
    weights: dict[str, Any]  # file, sha256, source, and what the source calls the network
    run: dict[str, Any] | None  # name, run key and seed of the run that trained them
    data: dict[str, Any]  # name, title, whole_images, fingerprint, skipped, proxy
    size_px: int
    resize_px: int | None
    trainer: dict[str, Any]  # precision, channels_last, batch_size, devices
    notes: list[str]  # whatever departs from what one expects
    images: int  # that were read
    top1_err_pct: float  # over them
    classes: list[dict[str, Any]]  # that the curves show: label, name and the images of each
    picture: dict[str, Any]  # index and class of the one picture
    draw_seed: int  # of the channels
    blocks: list[str]  # all of them, in the order of the network
    curves: list[BlockCurves]  # of the blocks that the figures show
    # Of each figure, by name: its value, and its standard error over images with the degrees of freedom.
    figures: dict[str, dict[str, float]]
    commit: str | None
    dirty: bool | None
    versions: dict[str, str]
    hardware: dict[str, Any]
    finished_at: str  # UTC, ISO 8601
    schema_version: int = SCHEMA_VERSION
    # Where it was read from; no part of the file.
    folder: Path | None = field(default=None, compare=False)

    @property
    def name(self) -> str:
        """Return what the network is called: its run and seed, or what its source calls it."""
        if self.run is not None:
            return f"{self.run['name']} seed {self.run['seed']}"
        return str(self.weights["released_as"])


_FIELDS = {each.name for each in fields(GateStudy)} - {FOLDER}
_CURVE_FIELDS = {each.name for each in fields(BlockCurves)}
_TYPES: dict[str, tuple[type, ...]] = {
    "se": (dict,),
    "weights": (dict,),
    "run": (dict, type(None)),
    "data": (dict,),
    "size_px": (int,),
    "resize_px": (int, type(None)),
    "trainer": (dict,),
    "notes": (list,),
    "images": (int,),
    "top1_err_pct": (float, int),
    "classes": (list,),
    "picture": (dict,),
    "draw_seed": (int,),
    "blocks": (list,),
    "curves": (list,),
    "figures": (dict,),
    "commit": (str, type(None)),
    "dirty": (bool, type(None)),
    "versions": (dict,),
    "hardware": (dict,),
    "schema_version": (int,),
}
_KEYS = {
    "weights": {"file", "sha256", "source", "released_as"},
    "run": {"name", "run_key", "seed"},
    "data": {"name", "title", "whole_images", "fingerprint", "skipped", "proxy"},
    "picture": {"index", "class", "opened"},
    "trainer": {"precision", "channels_last", "batch_size", "devices"},
    "hardware": {"device", "name"},
}


def write_study(folder: Path, study: GateStudy) -> None:
    """Write a study into the folder of its weights, each file whole or not at all; one that is there is replaced.

    Raises:
        OSError: the folder cannot be written to.
    """
    own = RunFolder(folder)
    own.excitation.mkdir(exist_ok=True)
    for figure in own.list_gate_figures():
        figure.unlink(missing_ok=True)
    write_text(own.gates_csv_file, _format_csv(study))
    # Last: a study that can be read has its other files.
    write_json(own.excitation_file, write_fields(study))


def read_study(folder: Path) -> GateStudy | None:
    """Return the study in the folder of some weights; None where there is none.

    Raises:
        ConfigError: the file holds no study, or a newer senet_repro wrote it.
    """
    path = RunFolder(folder).excitation_file
    if not path.exists():
        return None
    found = read_versioned(path, SCHEMA_VERSION)
    if not _is_sound(found):
        raise ConfigError(
            f"{path} holds no study as senet_repro writes it: remove it, and read the gates anew"
        )
    curves = [BlockCurves(**each) for each in found.pop("curves")]
    return GateStudy(**found, curves=curves, folder=folder)


def load_studies(results_dir: Path) -> tuple[list[GateStudy], list[str]]:
    """Return every study below a results folder, and a message for each file that cannot be read."""

    def read_studies(folder: Path) -> list[GateStudy]:
        study = read_study(folder)
        return [] if study is None else [study]

    return load_from_folders(results_dir, RunFolder(Path()).excitation_file, read_studies)


def _format_csv(study: GateStudy) -> str:
    """Return the curves as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_HEADER)
    for curves in study.curves:
        for shown, means, sds in zip(study.classes, curves.means, curves.sds, strict=True):
            for channel, mean, sd, overall in zip(
                curves.channels, means, sds, curves.overall, strict=True
            ):
                name, images = shown["name"], shown["images"]
                writer.writerow([curves.block, channel, name, mean, sd, images, overall])
    return text.getvalue()


def _is_sound(found: Mapping[str, Any]) -> bool:
    """Return whether a file holds every field of its type, and all that is read in it."""
    if not has_fields(found, _FIELDS, _TYPES, _KEYS):
        return False
    if not all(isinstance(each, dict) and each.keys() == _CURVE_FIELDS for each in found["curves"]):
        return False
    if not all(_are_curves_sound(each, len(found["classes"])) for each in found["curves"]):
        return False
    return all(map(_is_figure, found["figures"].values()))


def _are_curves_sound(curves: Mapping[str, Any], classes: int) -> bool:
    """Return whether each list of a block's curves has a number for each channel that was drawn."""
    means, sds = curves["means"], curves["sds"]
    if not len(means) == len(sds) == classes:
        return False
    drawn = len(curves["channels"])
    for row in (curves["overall"], curves["picture"], *means, *sds):
        if len(row) != drawn or not all(map(is_number, row)):
            return False
    return True


def _is_figure(stated: Any) -> bool:
    if not isinstance(stated, dict) or stated.keys() != {"value", "standard_error", "degrees"}:
        return False
    return all(map(is_number, stated.values())) and stated["degrees"] > 0
