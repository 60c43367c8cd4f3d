"""Checkpoints on the disk: whole or absent, and the one before kept (training floor).

    checkpoints/last.ckpt      of the last finished epoch, or of the step at which a signal ended the run
    checkpoints/previous.ckpt  the one before, for the day that the last cannot be read

A new one is written beside them, flushed to the disk and read back; only then does it take the last one's place.
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

FORMAT_VERSION = 1
_STAMP = "senet_repro"


class Checkpoints(CheckpointIO):
    """The checkpoints of one run, as Lightning reads and writes them.

    docs/lifecycle.md shows its part in resuming within an epoch.
    """

    def __init__(self, run: Run, folder: Path) -> None:
        self.stamp = {"format_version": FORMAT_VERSION, "run_key": run_key(run), "seed": run.seed}
        self.folder = folder
        self._read: dict[str, Any] = {}  # what `newest` found, until Lightning asks for it

    def newest(self, say: Callable[[str], None]) -> Path | None:
        """The checkpoint to go on from, or None where there is none; `say` is told of one that cannot be used.

        Raises:
            DataError: there are checkpoints, but none that can be used.
        """
        reasons = []
        for path in (
            RunFolder(self.folder).last_checkpoint,
            RunFolder(self.folder).previous_checkpoint,
        ):
            if not path.exists():
                continue
            try:
                self._read = {str(path): _load(path, self.stamp)}
            except DataError as error:
                reasons.append(str(error))
                continue
            for reason in reasons:
                say(f"{reason}; going on from {path.name}")
            return path
        if reasons:
            raise DataError(
                f"{'; '.join(reasons)}: delete {RunFolder(self.folder).checkpoints} to start the run anew"
            )
        return None

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None
    ) -> None:
        """Put `checkpoint` in the place of the last one, which becomes the one before.

        Raises:
            OSError: the disk is full or broken; the checkpoints that were there are still there.
        """
        path = Path(path)
        path.parent.mkdir(exist_ok=True)
        content = io.BytesIO()
        torch.save({**checkpoint, _STAMP: self.stamp}, content)
        new = path.with_name("new.ckpt")
        write_bytes(new, content.getbuffer())
        _load(new, self.stamp)
        if path.exists():
            path.replace(RunFolder(self.folder).previous_checkpoint)
        new.replace(path)
        flush_folder(path.parent)

    def load_checkpoint(
        self, path: Any, map_location: Any = None, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """What `newest` has read of `path`; the tensors are on the CPU."""
        found = self._read.pop(str(path), None)
        return _load(Path(path), self.stamp) if found is None else found

    def remove_checkpoint(self, path: Any) -> None:
        """Do nothing: the one before is replaced by the last, and the last by the next."""


def read_checkpoint(path: Path) -> dict[str, Any]:
    """The checkpoint in a file, its tensors on the CPU; no code in it is run.

    Raises:
        DataError: the file is cut short or damaged, or none of senet_repro's; the message names it.
    """
    try:
        with zipfile.ZipFile(path) as file:
            damaged = file.testzip()  # torch does not look at the checksums
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file fails in any way it happens to
        raise DataError(f"{path} is not a whole checkpoint") from error
    if damaged:
        raise DataError(f"{path} is not a whole checkpoint")
    if not isinstance(checkpoint, dict) or not {"state_dict", _STAMP} <= checkpoint.keys():
        raise DataError(f"{path} is no checkpoint of senet_repro")
    return checkpoint


def _load(path: Path, stamp: dict[str, Any]) -> dict[str, Any]:
    checkpoint = read_checkpoint(path)
    found = checkpoint[_STAMP]
    if found["format_version"] > stamp["format_version"]:
        raise DataError(f"{path} is of a newer senet_repro: update it")
    if any(found.get(name) != stamp[name] for name in ("run_key", "seed")):
        raise DataError(
            f"{path} belongs to another run, {str(found.get('run_key'))[:8]} seed {found.get('seed')}"
        )
    return checkpoint
