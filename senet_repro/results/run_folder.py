"""The folder of a run, and the name of every file in it (results floor)."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from senet_repro.config.composition import run_as_stated, run_from
from senet_repro.config.identity import run_dir
from senet_repro.config.run_weights import name_last_checkpoint
from senet_repro.config.schema import Run
from senet_repro.core.errors import ConfigError
from senet_repro.core.files import write_text
from senet_repro.core.lock import LOCK
from senet_repro.results.access import is_forbidden

# As config.identity.run_dir makes them: a readable name, and the first digits of the run key.
_NAME = re.compile(r"(?P<name>.+)-(?P<key>[0-9a-f]{8})")

GATE_FIGURES = ("figure6", "figure7", "picture")
"""The figures of a study of gates."""


@dataclass(frozen=True)
class RunFolder:
    """Own the names of everything that a run keeps.

    runs/<readable name>-<first 8 digits of the run key>/seed<k>/
        lock                       held by the process that trains the run
        config.yaml                every setting as resolved; worker processes and `export` read it
        plan.json                  the plan that the run is trained under; null where none holds it
        status.json                how far the run is: running, failed, stopped or done
        starts.txt                 the time of each start: of the first, and of each at which the run was taken up again
        metrics.jsonl              a line for each finished epoch
        metrics.csv                the same as a table, with logger=csv
        outcomes.npz               label and likeliest classes of every evaluation image, at the last epoch
        detections.npz             with task=detection in its place: every object of those images, and every one found
        pictures/<image id>.jpg    with it: up to four evaluation pictures, small, on which the report draws them
        checkpoints/last.ckpt      of the last finished epoch, or of the step at which a signal ended the run
        checkpoints/previous.ckpt  the one before
        checkpoints/new.ckpt       one that is being written and has not been read back yet
        device<i>.log              the output of the process of a device, where there are several
        failure.json               why the first of several processes failed
        .failure.first             made by the first of several processes that failed
        meeting.json               where the processes of several nodes meet
        wandb/                     the copy for Weights & Biases, with logger=wandb
        evaluation.json            errors that `evaluate` found, at other sizes or on other devices
        evaluations/<px>-<key>/    the outcomes of each pass of those
        excitation/                what its gates do, as `excitation` found: excitation.json, gates.csv and figures
        importance/                errors that `importance` found with channels masked: JSON, CSV and figure
        record.json                the result; it appears last, so its presence means that the run finished
    """

    path: Path

    @classmethod
    def of(cls, run: Run) -> RunFolder:
        """Return the folder in which `run` is trained."""
        return cls(run_dir(run))

    @property
    def lock_file(self) -> Path:
        """The lock of the process that trains the run."""
        return self.path / LOCK

    @property
    def settings_file(self) -> Path:
        """Every setting as resolved."""
        return self.path / "config.yaml"

    @property
    def plan_file(self) -> Path:
        """The plan that the run is trained under."""
        return self.path / "plan.json"

    @property
    def status_file(self) -> Path:
        """How far the run is."""
        return self.path / "status.json"

    @property
    def starts_file(self) -> Path:
        """The time of each start, in a line each."""
        return self.path / "starts.txt"

    @property
    def epochs_file(self) -> Path:
        """A line of metrics for each finished epoch."""
        return self.path / "metrics.jsonl"

    @property
    def epochs_csv_file(self) -> Path:
        """The same as a table."""
        return self.path / "metrics.csv"

    @property
    def outcomes_file(self) -> Path:
        """The outcome of every evaluation image at the last epoch."""
        return self.path / "outcomes.npz"

    @property
    def detections_file(self) -> Path:
        """The objects of every evaluation image and those found there at the last epoch, of a detector."""
        return self.path / "detections.npz"

    @property
    def pictures(self) -> Path:
        """The folder of the evaluation pictures that the report draws objects on."""
        return self.path / "pictures"

    def name_picture(self, image_id: int) -> Path:
        """Return the file of one of those pictures."""
        return self.pictures / f"{image_id}.jpg"

    def find_image_file(self) -> Path:
        """Return the file of what the last epoch found on each image, of whichever task the run is."""
        if self.detections_file.exists():
            return self.detections_file
        return self.outcomes_file

    @property
    def record_file(self) -> Path:
        """The result of a finished run."""
        return self.path / "record.json"

    @property
    def checkpoints(self) -> Path:
        """The folder of the checkpoints."""
        return self.last_checkpoint.parent

    @property
    def last_checkpoint(self) -> Path:
        """The checkpoint to go on from."""
        return name_last_checkpoint(self.path)

    @property
    def previous_checkpoint(self) -> Path:
        """The checkpoint before the last, for the day that the last cannot be read."""
        return self.checkpoints / "previous.ckpt"

    @property
    def new_checkpoint(self) -> Path:
        """A checkpoint that is being written."""
        return self.checkpoints / "new.ckpt"

    @property
    def meeting_file(self) -> Path:
        """Where the processes of several nodes meet."""
        return self.path / "meeting.json"

    @property
    def failure_file(self) -> Path:
        """Why the first of several processes failed."""
        return self.path / "failure.json"

    @property
    def first_failure_mark(self) -> Path:
        """The mark of the first of several processes that failed."""
        return self.path / ".failure.first"

    @property
    def evaluations_file(self) -> Path:
        """The errors that `evaluate` found."""
        return self.path / "evaluation.json"

    def pass_folder(self, name: str) -> Path:
        """Return the folder for the outcomes of one pass of an evaluation."""
        return self.path / "evaluations" / name

    @property
    def excitation(self) -> Path:
        """The folder of the study of the gates."""
        return self.path / "excitation"

    @property
    def excitation_file(self) -> Path:
        """The study of the gates."""
        return self.excitation / "excitation.json"

    @property
    def gates_csv_file(self) -> Path:
        """The curves of the study's figures as a table."""
        return self.excitation / "gates.csv"

    def name_gate_figure(self, name: str) -> tuple[Path, Path]:
        """Return the SVG and the PNG of one of the study's figures: of GATE_FIGURES."""
        return self.excitation / f"{name}.svg", self.excitation / f"{name}.png"

    def list_gate_figures(self) -> list[Path]:
        """Return the files of all figures of the study."""
        return [path for name in GATE_FIGURES for path in self.name_gate_figure(name)]

    def has_gate_figures(self) -> bool:
        """Return whether all figures of the study were drawn."""
        return all(path.exists() for path in self.list_gate_figures())

    @property
    def importance_folder(self) -> Path:
        """The folder of what `importance` found, its table and its figure."""
        return self.path / "importance"

    @property
    def importance_file(self) -> Path:
        """The errors that `importance` found with channels masked."""
        return self.importance_folder / "importance.json"

    def device_log(self, device: int) -> Path:
        """Return the file for the output of the process of a device, counted over all nodes."""
        return self.path / f"device{device}.log"

    @property
    def name(self) -> str:
        """The readable name of the run, as far as the folder's own name holds one."""
        return self.path.parent.name.rpartition("-")[0]

    @property
    def key_start(self) -> str | None:
        """The first eight digits of the run key that the folder's name holds, if it is named as runs are."""
        match = _NAME.fullmatch(self.path.parent.name)
        if match is None:
            return None
        return match["key"]

    @property
    def seed(self) -> int | None:
        """The seed that the folder's name holds, if it is named as runs are."""
        digits = self.path.name.removeprefix("seed")
        return int(digits) if digits.isdecimal() and digits != self.path.name else None

    def holds_run(self) -> bool:
        """Return whether a run was ever begun here."""
        traces = (self.settings_file, self.status_file, self.epochs_file, self.record_file)
        return any(path.exists() for path in traces)

    def has_checkpoint(self) -> bool:
        """Return whether there is a checkpoint to go on from."""
        return self.last_checkpoint.is_file() or self.previous_checkpoint.is_file()

    def find_forbidden(self) -> Path | None:
        """Return the first folder or file of the run that this user may not read; None where there is none."""
        for folder in (self.path.parent, self.path, self.checkpoints):
            if is_forbidden(folder, os.R_OK | os.X_OK):
                return folder
        files = (self.lock_file, self.record_file, self.status_file, self.settings_file)
        for file in (*files, self.epochs_file):
            if is_forbidden(file, os.R_OK):
                return file
        return None

    def require_trained(self) -> None:
        """Accept the folder of a run that has trained for a while.

        Raises:
            ConfigError: there are no settings here, or no checkpoint.
        """
        for file in (self.settings_file, self.last_checkpoint):
            _require_file(file)

    def write_settings(self, settings: dict[str, object]) -> None:
        """Write every setting of the run, whole or not at all."""
        write_text(self.settings_file, OmegaConf.to_yaml(OmegaConf.create(settings)))

    def load_settings(self) -> DictConfig:
        """Return the settings as they were written down here, whatever version wrote them.

        Raises:
            ConfigError: there are no settings here, or the file is damaged.
        """
        # A pipe in its place would be waited for.
        _require_file(self.settings_file)
        try:
            config = OmegaConf.load(self.settings_file)
            assert isinstance(config, DictConfig)
        # A damaged file fails in any way it happens to.
        except Exception as error:
            raise ConfigError(
                f"{self.settings_file} holds no settings: train the run anew"
            ) from error
        return config

    def read_settings(self, *, without_first_weights: bool = False) -> Run:
        """Return the run that was written down here.

        With `without_first_weights` neither the file that the run began with nor its data need be there any more.

        Raises:
            ConfigError: there are no settings here, or they are no settings of this version.
        """
        config = self.load_settings()
        # Composing would look for the file, whose weights have long been trained further.
        if without_first_weights:
            config["init"] = {}
            return run_as_stated(config)
        return run_from(config)


def _require_file(file: Path) -> None:
    """Accept a file of a run's folder that is there.

    Raises:
        ConfigError: it is not; perhaps another folder was meant.
    """
    if not file.is_file():
        raise ConfigError(
            f"{file} is not there: give the folder of a run, such as runs/<name>-<key>/seed0"
        )
