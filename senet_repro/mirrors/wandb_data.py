"""Describe a run on Weights & Biases as plain data, whether it trained a network or holds a table (mirrors floor)."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from senet_repro.config.identity import hash_identity


@dataclass(frozen=True, kw_only=True)
class WandbImage:
    """A picture in a run on W&B."""

    png: bytes
    caption: str


@dataclass(frozen=True, kw_only=True)
class WandbRun:
    """A run as W&B shall show it, and where its files lie until they are sent.

    Its id does not depend on the content, so that sending it again replaces what W&B shows.
    """

    folder: Path  # its files go to wandb/ in there
    run_id: str
    project: str
    name: str
    group: str
    job_type: str | None = None
    notes: str = ""
    config: dict[str, Any]
    history: list[dict[str, Any]] = field(default_factory=list)  # a point of each chart per epoch
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # rows with equal columns
    bars: list[dict[str, Any]] = field(default_factory=list)  # a label and a value: a bar chart
    images: dict[str, WandbImage] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    is_finished: bool = True  # W&B shows other runs as failed

    @cached_property
    def fingerprint(self) -> str:
        """A hash of the content. Images are left out: they are drawn from the same rows, and drawing takes long."""
        content = asdict(self)
        del content["folder"], content["images"]
        return hash_identity(content)
