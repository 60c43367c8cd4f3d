"""Protocols: what the records of one table agree in, and how that differs from the paper's (report floor)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from senet_repro.config.canonical import key_of
from senet_repro.config.schema import SE
from senet_repro.results.record import Record

Form = dict[str, Any]

PAPER_EVAL_IMAGES = 50_000
"""ImageNet's validation set, on which every error of the paper's classification tables is counted."""


def by_protocol(records: Sequence[Record]) -> dict[str, tuple[Form, list[Record]]]:
    """Records by what they agree in but the axes; a network without SE belongs to every way of writing SE down."""
    shared: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        shared[key_of({**_without_se(record.canonical), "eval_images": record.eval_images})].append(record)
    protocols = {}
    for group in shared.values():
        forms = [record.canonical["se"] for record in group if record.canonical["se"]]
        styles = {(form["fc"], form["bias"]) for form in forms} or {(SE.fc, SE.bias)}
        for fc, bias in sorted(styles):
            style = {"fc": fc, "bias": bias}
            members = [r for r in group if not r.canonical["se"] or style.items() <= r.canonical["se"].items()]
            protocol = {**_without_se(group[0].canonical), "se": style, "eval_images": group[0].eval_images}
            protocols[key_of(protocol)] = (protocol, members)
    return protocols


def _without_se(form: Form) -> Form:
    return {name: value for name, value in form.items() if name != "se"}


def departures(protocol: Form, paper_form: Form) -> list[str]:
    """Where a protocol differs from the paper's, in a reader's words; the paper's value stands in brackets."""
    paper = {**paper_form, "se": {key: paper_form["se"][key] for key in protocol["se"]}}
    ours, theirs = _flat(protocol), _flat(paper)
    # Other data and another network differ in everything, and their names say so.
    renamed = [part for part in ("data", "model") if protocol[part]["name"] != paper[part]["name"]]
    if protocol["recipe"]["schedule"]["kind"] != paper["recipe"]["schedule"]["kind"]:
        renamed.append("schedule")
    if "data" not in renamed:
        theirs["eval_images"] = PAPER_EVAL_IMAGES
    return [
        f"{_word(key)} {ours[key]} ({theirs[key]})"
        for key in ours
        if key in theirs and ours[key] != theirs[key] and not _implied(key, renamed)
    ]


def _implied(key: str, renamed: Sequence[str]) -> bool:
    """Whether a key only details a part that goes by another name."""
    *parts, leaf = key.split(".")
    return leaf not in ("name", "kind") and any(part in renamed for part in parts)


def distinctions(protocol: Form, headed_alike: Sequence[Form]) -> list[str]:
    """What tells a protocol from others of the same data and network."""
    ours, others = _flat(protocol), [_flat(other) for other in headed_alike]
    return [f"{_word(key)} {ours[key]}" for key in ours if any(other.get(key) != ours[key] for other in others)]


def _flat(form: Mapping[str, Any], prefix: str = "") -> Form:
    flat: Form = {}
    for key, value in form.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return flat


def _word(key: str) -> str:
    """A dotted key as a reader says it."""
    words = {"data.name": "data", "model.name": "network", "recipe.schedule.kind": "schedule"}
    plain = key.removeprefix("recipe.").removeprefix("data.").removeprefix("model.").replace(".", " ")
    return words.get(key, plain.replace("_", " ").replace("se ", "SE "))
