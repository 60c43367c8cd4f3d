"""Protocols compared setting by setting, and their differences in a reader's words (report floor)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from senet_repro.config.paper_tables import count_eval_images
from senet_repro.report.tables.departures import Departure
from senet_repro.report.tables.first_weights import (
    FIRST_WEIGHTS,
    FIRST_WEIGHTS_NAME,
    describe_source,
    name_source,
)
from senet_repro.report.tables.seen_sets import FINGERPRINT, SET_SETTINGS

Protocol = dict[str, Any]
"""A run's identity without its axes; its part `se` says how SE blocks are written down, {} where there are none."""

Settings = dict[str, Any]
"""A protocol with dotted keys, and how many images were evaluated."""

Difference = dict[str, Any]
"""The settings that a protocol changes in the paper's: their values, ABSENT for one that it lacks."""

ABSENT = "absent"
EVAL_IMAGES = "eval_images"

_READERS_NAMES = {
    "data.name": "data",
    FIRST_WEIGHTS: FIRST_WEIGHTS_NAME,
    "data.fingerprint": "set's fingerprint",
    "model.name": "network",
    "recipe.schedule.kind": "schedule",
}
_UNSPOKEN_PARTS = ("recipe.", "data.", "model.")


def flatten_protocol(protocol: Mapping[str, Any], eval_images: int) -> Settings:
    """Return the settings of a protocol under which so many images were evaluated."""
    return {**_flatten_tree(protocol), EVAL_IMAGES: eval_images}


def flatten_paper_protocol(protocol: Protocol) -> Settings:
    """Return the settings of a protocol of the paper, which evaluates on all images of a set."""
    return flatten_protocol(protocol, count_eval_images(protocol))


def apply_difference(protocol: Protocol, difference: Difference) -> Protocol:
    """Return a protocol of the paper with a difference applied to it."""
    changed: Protocol = {}
    settings = {**_flatten_tree(protocol), **difference}
    for key, value in settings.items():
        # The number of evaluation images is no part of a protocol.
        if value == ABSENT or key == EVAL_IMAGES:
            continue
        *path, leaf = key.split(".")
        node = changed
        for part in path:
            node = node.setdefault(part, {})
        node[leaf] = value
    return changed


def describe_departures(difference: Difference, papers: Sequence[Protocol]) -> list[Departure]:
    """Return a difference in a reader's words, setting by setting, each with the paper's values beside ours.

    `papers` are the paper's protocols of the rows concerned, which may have values of their own.
    """
    paper_settings = [flatten_paper_protocol(paper) for paper in papers]
    # Other data and another network differ in everything, and their names say so.
    renamed = _find_renamed_parts(difference)
    departures = []
    for key, value in difference.items():
        # Every copy of a set has a fingerprint, and the paper's is not known; `seen_sets` says how it was encoded.
        if key in SET_SETTINGS or _is_implied(key, renamed):
            continue
        known = [_write_value(key, settings[key]) for settings in paper_settings if key in settings]
        paper_values = ", ".join(dict.fromkeys(known)) or "none"
        # The paper itself has no version of this code; its protocol counts as of the present one.
        if key == "code_version":
            paper_values = f"now {paper_values}"
        departures.append(Departure(*_split_setting(key, value), paper_values))
    return departures


def describe_setting(key: str, value: Any) -> str:
    """Return a setting and its value as a reader writes them, such as `epochs 30`."""
    return " ".join(_split_setting(key, value))


def _split_setting(key: str, value: Any) -> tuple[str, str]:
    """Return the name of a setting and its value, in a reader's words."""
    if key == FIRST_WEIGHTS:
        return FIRST_WEIGHTS_NAME, describe_source(None if value == ABSENT else value)
    if key == FINGERPRINT and value != ABSENT:
        value = value[:8]
    return name_setting(key), "none" if value in (ABSENT, None) else str(value)


def name_settings(protocol: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a protocol by the names that a reader gives its settings."""
    return {name_setting(key): value for key, value in _flatten_tree(protocol).items()}


def name_setting(key: str) -> str:
    """Return the name that a reader gives a setting: `network` for model.name, `lr` for recipe.lr."""
    if key in _READERS_NAMES:
        return _READERS_NAMES[key]
    # The names of these parts add nothing to those of their settings.
    for part in _UNSPOKEN_PARTS:
        key = key.removeprefix(part)
    return key.replace(".", " ").replace("_", " ").replace("se ", "SE ")


def _write_value(key: str, value: Any) -> str:
    """Return a value of the paper's as it stands in brackets behind ours."""
    if key == FIRST_WEIGHTS:
        return name_source(value)
    return "none" if value is None else str(value)


def _find_renamed_parts(difference: Difference) -> list[str]:
    """Return the parts of a protocol that go by another name than the paper's."""
    renamed = [part for part in ("data", "model") if f"{part}.name" in difference]
    if "recipe.schedule.kind" in difference:
        renamed.append("schedule")
    return renamed


def _is_implied(key: str, renamed: Sequence[str]) -> bool:
    """Return whether a setting only details a part that goes by another name, which says enough."""
    if key == EVAL_IMAGES:
        return "data" in renamed
    *parts, leaf = key.split(".")
    if leaf in ("name", "kind"):
        return False
    return any(part in renamed for part in parts)


def _flatten_tree(protocol: Mapping[str, Any]) -> Settings:
    return dict(_walk_leaves(protocol, ""))


def _walk_leaves(node: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in node.items():
        if isinstance(value, dict):
            yield from _walk_leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
