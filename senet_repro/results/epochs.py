"""metrics.jsonl: a line per finished epoch, on the disk before its checkpoint (results floor)."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from senet_repro.core.files import parse_object, read_bytes, read_text, write_text
from senet_repro.results.run_folder import RunFolder

BOOKKEEPING = ("epoch", "lr", "train_images", "train_s", "epoch_s")
"""Names in an epoch's line that are no metrics of the network."""


def append_epoch(folder: Path, metrics: dict[str, Any]) -> None:
    """Add an epoch's line and flush it to the disk."""
    with RunFolder(folder).epochs_file.open("a", encoding="utf-8") as file:
        file.write(json.dumps(metrics, allow_nan=False) + "\n")
        # The checkpoint that follows takes for granted that this line is on the disk.
        file.flush()
        os.fsync(file.fileno())


def read_epochs(folder: Path) -> list[dict[str, Any]]:
    """Return the lines of all epochs in order; a last line cut short by a crash is left out."""
    try:
        lines = read_text(RunFolder(folder).epochs_file).splitlines()
    except FileNotFoundError:
        return []
    epochs = []
    for line in lines:
        try:
            epochs.append(json.loads(line))
        # A resumed run removes such a line before it writes the next one.
        except json.JSONDecodeError:
            break
    return epochs


def read_epochs_file(folder: Path) -> bytes | None:
    """Return the content of metrics.jsonl; None where there is none that can be read."""
    try:
        return read_bytes(RunFolder(folder).epochs_file)
    except OSError:
        return None


def hash_epochs(content: bytes) -> str:
    """Return the hash of the content of metrics.jsonl, by which a record knows the epochs that it was made from."""
    return hashlib.sha256(content).hexdigest()


def parse_last_epoch(content: bytes) -> dict[str, Any]:
    """Return the line of the last epoch in the content of metrics.jsonl; nothing where it is none."""
    last_line = content.rstrip().rpartition(b"\n")[2]
    try:
        return parse_object(last_line.decode("utf-8"))
    except UnicodeDecodeError:
        return {}


def keep_epochs(folder: Path, count: int) -> list[dict[str, Any]]:
    """Forget all epochs but the first `count`, since a resumed run trains them anew; return the lines kept."""
    kept = read_epochs(folder)[:count]
    lines = [json.dumps(epoch) + "\n" for epoch in kept]
    write_text(RunFolder(folder).epochs_file, "".join(lines))
    return kept


def keep_metrics(epoch: dict[str, Any]) -> dict[str, float]:
    """Return everything in an epoch's line that was measured of the network, whatever its name."""
    return {name: value for name, value in epoch.items() if name not in BOOKKEEPING}
