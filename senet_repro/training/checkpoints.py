"""Checkpoints on the disk: whole or absent, and the one before kept (training floor).

    checkpoints/last.ckpt      of the end of an epoch, the last one's at the end, or of the step at which a signal came
    checkpoints/previous.ckpt  the one before, for the day that the last cannot be read

A new one is written beside them, flushed to the disk and read back; only then does it become the last.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from lightning_fabric.plugins.io.checkpoint_io import CheckpointIO

from senet_repro.config.identity import run_key
from senet_repro.config.schema import Run
from senet_repro.core.errors import DataError
from senet_repro.core.files import flush_folder, write_bytes
from senet_repro.results.run_folder import RunFolder

FORMAT_VERSION = 2
"""2 keeps the sums of an epoch by the names of the metrics; checkpoints between epochs are as they were."""

_STAMP = "senet_repro"


class Checkpoints(CheckpointIO):
    """The checkpoints of one run, as Lightning reads and writes them.

    docs/lifecycle.md shows its part in resuming within an epoch.
    """

    def __init__(self, run: Run, folder: RunFolder) -> None:
        self.stamp = {"format_version": FORMAT_VERSION, "run_key": run_key(run), "seed": run.seed}
        self.folder = folder
        # The checkpoint that `find_newest` has read, until Lightning asks for it: large ones are read once.
        self._read: dict[str, Any] = {}

    def find_newest(self, report: Callable[[str], None]) -> Path | None:
        """Return the checkpoint to go on from, or None where there is none.

        `report` is given a line for each checkpoint that cannot be used, if there is another that can.

        Raises:
            DataError: there are checkpoints, but none that can be used.
        """
        reasons = []
        for path in (self.folder.last_checkpoint, self.folder.previous_checkpoint):
            if not path.is_file():
                continue
            try:
                self._read = {str(path): _load_stamped(path, self.stamp)}
            except DataError as error:
                reasons.append(str(error))
                continue
            for reason in reasons:
                report(f"{reason}; going on from {path.name}")
            return path
        if reasons:
            raise DataError(
                f"{'; '.join(reasons)}: delete {self.folder.checkpoints} to start the run anew"
            )
        return None

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None
    ) -> None:
        """Write `checkpoint` as the last one; the last one so far becomes the one before.

        Raises:
            OSError: the disk is full or broken; the checkpoints that were there are still there.
        """
        path = Path(path)
        path.parent.mkdir(exist_ok=True)
        content = io.BytesIO()
        torch.save({**checkpoint, _STAMP: self.stamp}, content)
        new = self.folder.new_checkpoint
        write_bytes(new, content.getbuffer())
        # A disk may take what it does not give back.
        _load_stamped(new, self.stamp)
        if path.exists():
            path.replace(self.folder.previous_checkpoint)
        new.replace(path)
        flush_folder(path.parent)

    def load_checkpoint(
        self, path: Any, map_location: Any = None, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """Return the checkpoint that `find_newest` has read, or read it; the tensors are on the CPU."""
        found = self._read.pop(str(path), None)
        if found is None:
            return _load_stamped(Path(path), self.stamp)
        return found  # type: ignore[no-any-return]

    def remove_checkpoint(self, path: Any) -> None:
        """Do nothing: the one before is replaced by the last, and the last by the next."""


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Return the checkpoint in a file, its tensors on the CPU; no code in it is run.

    Raises:
        DataError: the file is cut short or damaged, or senet_repro did not write it; the message names it.
    """
    try:
        # torch does not look at the checksums.
        with zipfile.ZipFile(path) as file:
            damaged = file.testzip()
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    # A damaged file fails in any way it happens to.
    except Exception as error:
        raise DataError(f"{path} is not a whole checkpoint") from error
    if damaged:
        raise DataError(f"{path} is not a whole checkpoint")
    if not isinstance(checkpoint, dict) or not {"state_dict", _STAMP} <= checkpoint.keys():
        raise DataError(f"{path} is no checkpoint of senet_repro")
    return checkpoint


def _load_stamped(path: Path, stamp: dict[str, Any]) -> dict[str, Any]:
    """Return the checkpoint in a file, if this version of senet_repro can go on from it in the run of `stamp`."""
    checkpoint = read_checkpoint(path)
    found = checkpoint[_STAMP]
    if found["format_version"] > FORMAT_VERSION:
        raise DataError(f"{path} is of a newer senet_repro: update it")
    if found["format_version"] < 2 and "epoch_so_far" in checkpoint:
        raise DataError(f"{path} is of an older senet_repro and in the middle of an epoch")
    if any(found.get(name) != stamp[name] for name in ("run_key", "seed")):
        key = str(found.get("run_key"))[:8]
        raise DataError(f"{path} belongs to another run, {key} seed {found.get('seed')}")
    return checkpoint
