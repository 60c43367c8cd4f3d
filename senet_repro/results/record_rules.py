"""The rules by which a record is believed, one for each of its fields (results floor)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

MOST_DEPTH = 50
"""How deep brackets stand in brackets at most; a record of ours needs a tenth of that."""

LONGEST_NAME = 300
GREATEST_COUNT = 2**63 - 1
GREATEST_PACE = 1e12
"""The longest time in seconds, some 30,000 years, and the most images in one."""
_LONGEST_SHOWN = 40

_KEY = re.compile("[0-9a-f]{64}")
_NO_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")


@dataclass(frozen=True)
class Rule:
    """Describe the values that a field may have, as a check and in words that follow `not`."""

    allows: Callable[[Any], bool]
    words: str
    may_lack: bool = False  # a field without a value, null or missing, is fine too


def is_number(value: Any) -> TypeGuard[int | float]:
    """Return whether a value is a finite number; true and false are none, though Python counts them as such."""
    # JSON gives these two types themselves, and a campaign has millions of values.
    if type(value) is float:
        return math.isfinite(value)
    # Of an integer, math.isfinite might overflow.
    return type(value) is int and abs(value) <= GREATEST_COUNT


def is_count(value: Any) -> TypeGuard[int]:
    """Return whether a value is a whole number from 0 on."""
    return type(value) is int and 0 <= value <= GREATEST_COUNT


def is_name(value: Any) -> bool:
    """Return whether a value is a name that can be printed: nothing in it moves the cursor or the text around it."""
    return isinstance(value, str) and 0 < len(value) <= LONGEST_NAME and value.isprintable()


def is_metric(name: str, value: Any) -> bool:
    """Return whether a metric of this name can have this value; a share in percent has its bounds."""
    if not is_number(value):
        return False
    return not name.endswith("_pct") or 0 <= value <= 100


def _is_pace(value: Any) -> bool:
    return is_number(value) and 0 <= value <= GREATEST_PACE


def _is_setting(value: Any) -> bool:
    """Return whether a value is one that a setting can have: a word, a number, a list of them, or none."""
    if isinstance(value, list):
        return all(map(_is_setting, value))
    return value is None or isinstance(value, (str, bool)) or is_number(value)


def _are_settings(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_setting, value.values()))


def _is_written_se(value: Any) -> bool:
    """Return whether a value says how SE blocks are written down; it is empty where there are none."""
    return value == {} or (_are_settings(value) and {"fc", "bias"} <= value.keys())


def _are_names(value: Any) -> bool:
    return isinstance(value, dict) and all(map(is_name, (*value, *value.values())))


def _are_file_lists(value: Any) -> bool:
    return isinstance(value, dict) and all(map(are_texts, value.values()))


def are_texts(value: Any) -> bool:
    """Return whether a value is a list of texts."""
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def _are_counts(value: Any) -> bool:
    return isinstance(value, list) and all(map(is_count, value))


def _are_metrics(value: Any) -> bool:
    return isinstance(value, dict) and bool(value) and all(map(is_name, value))


def _is_hash(value: Any) -> bool:
    return isinstance(value, str) and _KEY.fullmatch(value) is not None


def _is_plan(value: Any) -> bool:
    """Return whether a value is the plan that a run was trained under."""
    if not isinstance(value, dict):
        return False
    names = (value.get("id"), value.get("written_at"), value.get("sha256"))
    seeds = value.get("seeds")
    if not seeds or not _are_counts(seeds):
        return False
    grows_from = value.get("grows_from")
    # A first look at more seeds than the plan holds would have every seed up to it listed.
    is_first_look = is_count(grows_from) and 2 <= grows_from <= len(seeds)
    return (
        all(map(is_name, names))
        and are_texts(value.get("tables"))
        and (grows_from is None or is_first_look)
    )


def _are_outcomes(value: Any) -> bool:
    """Return whether a value says which outcomes lie beside a record."""
    if not isinstance(value, dict):
        return False
    # Which counts stand beside that of the images is a matter of the task.
    counts = [count for name, count in value.items() if name != "sha256"]
    return _is_hash(value.get("sha256")) and "images" in value and all(map(is_count, counts))


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_part(value: Any) -> bool:
    return isinstance(value, dict)


_COUNT = Rule(is_count, "a whole number from 0 on")
_PACE = Rule(_is_pace, "a number from 0 to 1e12")
_HASH = Rule(_is_hash, "64 hexadecimal digits")
_NAME = Rule(is_name, f"a name of at most {LONGEST_NAME} characters that can be printed")
_NAME_OR_NONE = Rule(is_name, "a name that can be printed", may_lack=True)
_TEXT_OR_NONE = Rule(_is_text, "a text", may_lack=True)
_PART = Rule(_is_part, "a part with settings")
_PART_OR_NONE = Rule(_is_part, "a part with settings", may_lack=True)

# A part stands before what is in it. A field that is missing counts as None.
RULES: dict[str, Rule] = {
    "run_key": _HASH,
    "protocol_key": _HASH,
    "name": _NAME,
    "seed": _COUNT,
    "task": _NAME,
    "axes": Rule(_are_settings, "the values of the axes", may_lack=True),
    "protocol": _PART,
    "protocol.code_version": _COUNT,
    "protocol.se": Rule(_is_written_se, "how SE blocks are written down"),
    "protocol.model": _PART,
    "protocol.model.name": _NAME,
    "protocol.model.stages": Rule(_are_counts, "a list of stages"),
    "protocol.data": _PART,
    "protocol.data.name": _NAME,
    "protocol.data.fingerprint": _NAME_OR_NONE,
    "protocol.data.encoding": _NAME_OR_NONE,
    "protocol.data.classes": _COUNT,
    "protocol.data.eval_px": _COUNT,
    "protocol.recipe": _PART,
    "protocol.recipe.epochs": _COUNT,
    "overrides": Rule(are_texts, "a list of texts", may_lack=True),
    "config": _PART,
    "config.table": _NAME_OR_NONE,
    "config.protocol": _PART_OR_NONE,
    "config.protocol.name": _NAME_OR_NONE,
    "config.data": _PART,
    "config.data.name": _NAME,
    "config.data.title": _NAME_OR_NONE,
    "config.data.found": _PART_OR_NONE,
    "config.data.proxy": _TEXT_OR_NONE,
    "config.data.note": _TEXT_OR_NONE,
    "config.recipe": _PART,
    "config.recipe.note": _TEXT_OR_NONE,
    "trainer": Rule(_are_settings, "the settings of the trainer"),
    "metrics": Rule(_are_metrics, "metrics by their names"),
    "eval_images": _COUNT,
    "params": _COUNT,
    "macs": _COUNT,
    "epochs": _COUNT,
    "wall_s": _PACE,
    "images_per_s": _PACE,
    "commit": _NAME_OR_NONE,
    "dirty": Rule(_is_flag, "true or false", may_lack=True),
    "versions": Rule(_are_names, "versions by the names of libraries"),
    "hardware": Rule(_are_settings, "what the run was trained on"),
    "finished_at": _NAME,
    "skipped": Rule(_are_file_lists, "lists of files"),
    "plan": Rule(_is_plan, "a plan with its seeds and tables", may_lack=True),
    "outcomes": Rule(_are_outcomes, "the hash and size of outcomes", may_lack=True),
    "metrics_sha256": Rule(_is_hash, "64 hexadecimal digits", may_lack=True),
}
"""By the field's name, dotted within its part."""


@dataclass(frozen=True)
class _Field:
    """Say where a field stands; the whole record is the part without a name."""

    name: str
    part: str
    key: str  # its name within the part
    is_part: bool  # further fields stand in it


def _locate_fields() -> list[tuple[_Field, Rule]]:
    parts = {name.rpartition(".")[0] for name in RULES}
    located = []
    for name, rule in RULES.items():
        part, _, key = name.rpartition(".")
        located.append((_Field(name, part, key, name in parts), rule))
    return located


# Taken apart once, since a campaign has thousands of records.
_LOCATED_RULES = _locate_fields()


def find_flaw(record: Mapping[str, Any]) -> str | None:
    """Return what is wrong with a record's fields, as `seed is -1, not a whole number from 0 on`; None if nothing is.

    Whether its keys are those of its identity is not looked at.
    """
    parts: dict[str, Any] = {"": record}
    for field, rule in _LOCATED_RULES:
        part = parts[field.part]
        # A part that may be missing has nothing in it.
        value = None if part is None else part.get(field.key)
        if field.is_part:
            parts[field.name] = value
        if value is None and rule.may_lack:
            continue
        if not rule.allows(value):
            return f"{field.name} is {show_value(value)}, not {rule.words}"
    for name, value in record["metrics"].items():
        if not is_metric(name, value):
            bounds = ""
            if name.endswith("_pct"):
                bounds = " from 0 to 100"
            return f"metrics.{name} is {show_value(value)}, not a finite number{bounds}"
    return None


def is_too_deep(text: bytes) -> bool:
    """Return whether brackets stand in brackets deeper than in any record, so that a walk through it might not end."""
    # Counted before it is parsed, at a fraction of the parser's time.
    brackets = text.translate(None, _NO_BRACKETS)
    if len(brackets) <= 2 * MOST_DEPTH:
        return False
    depth = 0
    for bracket in brackets:
        depth += 1 if bracket in b"[{" else -1
        if depth > MOST_DEPTH:
            return True
    return False


def show_value(value: Any) -> str:
    """Return a value as JSON's reader would know it, cut where it is long."""
    shown = repr(value)
    if len(shown) <= _LONGEST_SHOWN:
        return shown
    return f"{shown[:_LONGEST_SHOWN]} …"
