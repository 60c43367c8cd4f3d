"""First weights as tables compare them: by where they come from, and in detection not by their file (report floor).

The rows of a table of detection start from networks of their own, with and without SE, and each seed may start from
another one: by the hash of its file no run would be comparable with any other.
"""

from __future__ import annotations

from typing import Any

from senet_repro.config.schema import DETECTION, RUN_SOURCE

FIRST_WEIGHTS = "init.source"
"""The setting of a protocol that says whose its first weights are."""

FIRST_WEIGHTS_NAME = "first weights"
"""The name that a reader gives the setting."""


def drop_file(identity: dict[str, Any]) -> dict[str, Any]:
    """Return an identity, or its protocol, as tables compare it: in detection without the file of the first weights.

    The same object is returned where there is nothing to leave out.
    """
    if identity.get("task") != DETECTION or "init" not in identity:
        return identity
    return {**identity, "init": {"source": identity["init"]["source"]}}


def describe_source(source: str | None) -> str:
    """Return whose first weights are, as it follows these words; None of those that a seed drew."""
    if source is None:
        return "drawn at random"
    return f"of {name_source(source)}"


def name_source(source: str) -> str:
    """Return a source of weights as a sentence names it."""
    return "a run" if source == RUN_SOURCE else source
