"""The target of an evaluation, and the files by which the processes of several devices share it (execution floor)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from senet_repro.config.composition import run_as_stated
from senet_repro.config.evaluation import CropRule
from senet_repro.config.schema import Run
from senet_repro.core.files import write_json
from senet_repro.results.run_folder import RunFolder

_TARGET_FILE = "target.json"
_KEYS_FILE = "keys.json"
# Those of a target's fields that JSON keeps as they are.
_PLAIN_FIELDS = (
    "kind",
    "fingerprint",
    "weights",
    "trained_by",
    "trained_px",
    "interpolation",
    "antialias",
    "published_by",
    "notes",
    "job",
    "options",
)


@dataclass(frozen=True, kw_only=True)
class Target:
    """Weights to evaluate, and all that is known of their network and the images they expect."""

    kind: str  # one of results.evaluation.KINDS
    run: Run  # their network, the data, and how it is computed
    fingerprint: str | None  # of the evaluation part of a set in folders
    folder: Path  # where the evaluations go
    checkpoint: Path | None  # of a run; None: the file of first weights of `run` is evaluated
    weights: dict[str, Any]  # as an evaluation keeps them
    trained_by: dict[str, Any] | None
    trained_px: int
    rules: list[CropRule]
    interpolation: str
    antialias: bool
    # The source that publishes mean, std and interpolation; None of a run's own.
    published_by: str | None
    notes: list[str] = field(default_factory=list)
    job: str = "evaluation"  # what is done with the weights: one of execution.passes.JOBS
    options: dict[str, Any] = field(default_factory=dict)  # of the job, as JSON has them

    @property
    def name(self) -> str:
        """Return what the weights are called in a line of progress."""
        if self.trained_by is not None:
            return f"{self.trained_by['name']} seed {self.trained_by['seed']}"
        return str(self.weights["released_as"])


def write_target(work: Path, target: Target) -> None:
    """Write a target into a folder, for the processes of several devices."""
    RunFolder(work).write_settings(asdict(target.run))
    stated = {name: getattr(target, name) for name in _PLAIN_FIELDS}
    stated["folder"] = str(target.folder.resolve())
    stated["checkpoint"] = target.checkpoint and str(target.checkpoint.resolve())
    stated["rules"] = [asdict(rule) for rule in target.rules]
    # Its own settings are written for one device, whose batch divides over any number.
    stated["devices"] = target.run.trainer.devices
    write_json(work / _TARGET_FILE, stated)


def read_target(work: Path) -> Target:
    """Return the target that `write_target` wrote into a folder."""
    stated = json.loads((work / _TARGET_FILE).read_text(encoding="utf-8"))
    config = RunFolder(work).load_settings()
    config["trainer"]["devices"] = 1
    run = set_devices(run_as_stated(config), stated["devices"])
    checkpoint = stated["checkpoint"]
    return Target(
        run=run,
        folder=Path(stated["folder"]),
        checkpoint=checkpoint and Path(checkpoint),
        rules=[CropRule(**rule) for rule in stated["rules"]],
        **{name: stated[name] for name in _PLAIN_FIELDS},
    )


def write_keys(work: Path, keys: Sequence[str]) -> None:
    """Write the keys of a target's passes into the folder that the target was read from."""
    write_json(work / _KEYS_FILE, list(keys))


def read_keys(work: Path) -> list[str]:
    """Return the keys that the first process wrote into a target's folder."""
    keys: list[str] = json.loads((work / _KEYS_FILE).read_text(encoding="utf-8"))
    return keys


def set_devices(run: Run, devices: int) -> Run:
    """Return a run on so many devices, over which its batch need not divide: an evaluation takes whole batches."""
    return replace(run, trainer=replace(run.trainer, devices=devices))
