"""Reads the .wandb file of a run: W&B's own file format has no reader in W&B's own package."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FILE_HEADER, BLOCK, RECORD_HEADER = 7, 32768, 7  # bytes
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4


def payloads(path: Path) -> Iterator[bytes]:
    """The records of a LevelDB log, as far as it goes."""
    data, at, whole = path.read_bytes(), FILE_HEADER, b""
    while at + RECORD_HEADER <= len(data):
        if BLOCK - at % BLOCK < RECORD_HEADER:  # a block's rest that no record header fits into
            at += BLOCK - at % BLOCK
            continue
        _crc, length, kind = struct.unpack_from("<IHB", data, at)
        at += RECORD_HEADER
        whole += data[at : at + length]
        at += length
        if kind in (FULL, LAST):
            yield whole
            whole = b""


def read_log(path: Path) -> dict[str, Any]:
    """Return what W&B knows of a run: its names, config, history of the last step, summary and exit code."""
    from wandb.proto.wandb_internal_pb2 import Record

    found: dict[str, Any] = {"config": {}, "history": {}, "summary": {}}
    for payload in payloads(path):
        record = Record.FromString(payload)
        kind = record.WhichOneof("record_type")
        if kind == "run":
            names = ("run_id", "display_name", "run_group", "job_type", "project", "notes")
            found.update({name: getattr(record.run, name) for name in names})
            found["config"].update(
                {item.key: json.loads(item.value_json) for item in record.run.config.update}
            )
        elif kind in ("history", "summary"):
            items = record.history.item if kind == "history" else record.summary.update
            found[kind].update(
                {
                    item.key or ".".join(item.nested_key): json.loads(item.value_json)
                    for item in items
                }
            )
        elif kind == "config":
            found["config"].update(
                {item.key: json.loads(item.value_json) for item in record.config.update}
            )
        elif kind == "exit":
            found["exit_code"] = record.exit.exit_code
    return found
