"""All runs below a results folder, from files alone (results floor)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from senet_repro.results.files import write_json
from senet_repro.results.record import RECORD, Record, RecordError, read_record

STATUS = "status.json"


@dataclass(frozen=True)
class Results:
    """What a results folder holds."""

    records: list[Record] = field(default_factory=list)
    failures: dict[tuple[str, int], str] = field(default_factory=dict)  # (run key, seed) -> reason
    unreadable: list[str] = field(default_factory=list)  # one message per file that was skipped


def load_results(results_dir: Path) -> Results:
    """Every record and failure below `results_dir`, in the order of their paths; nothing if there is no such folder."""
    results = Results()
    finished: dict[tuple[str, int], Path] = {}
    for path in sorted(results_dir.glob(f"*/seed*/{RECORD}")):
        try:
            record = read_record(path)
        except RecordError as error:
            results.unreadable.append(str(error))
            continue
        first = finished.setdefault((record.run_key, record.seed), path)
        if first is path:
            results.records.append(record)
        else:
            results.unreadable.append(f"{path}: the same run and seed as {first}")
    for path in sorted(results_dir.glob(f"*/seed*/{STATUS}")):
        status = read_status(path.parent)
        if status.get("state") == "failed" and (status["run_key"], status["seed"]) not in finished:
            results.failures[status["run_key"], status["seed"]] = status.get("reason", "no reason given")
    return results


def write_status(folder: Path, *, run_key: str, seed: int, state: str, **details: Any) -> None:
    """Say in `folder/status.json` how far a run is: state is running, failed (with reason) or done."""
    write_json(folder / STATUS, {"run_key": run_key, "seed": seed, "state": state, **details})


def read_status(folder: Path) -> dict[str, Any]:
    """What `write_status` wrote last, or nothing."""
    try:
        status = json.loads((folder / STATUS).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError):
        return {}
    return status if isinstance(status, dict) and {"run_key", "seed", "state"} <= status.keys() else {}
