"""Protocols: what the records of one table agree in, and how that differs from the paper's (report floor)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from senet_repro.config.data_sets import read_set_facts
from senet_repro.config.identity import CODE_VERSION, key_of
from senet_repro.results.record import Record

Form = dict[str, Any]
"""A canonical form without axes: `se` says how blocks are written down (fc, bias), where there are any."""

Flat = dict[str, Any]
"""A form with dotted keys, and how many images were evaluated."""

Difference = dict[str, Any]
"""What a protocol changes in the paper's: a value for each dotted key, ABSENT for one that it lacks."""

ABSENT = "absent"


@dataclass(frozen=True)
class Protocol:
    """Records that agree in all but the axes and the seed."""

    form: Form
    eval_images: int
    records: list[Record]

    @cached_property
    def by_key(self) -> dict[str, list[Record]]:
        """Its records by the run key that they have, or would have under the code version of its form."""
        found: dict[str, list[Record]] = {}
        keys: dict[str, str] = {}
        for record in self.records:
            own = record.run_key
            if own not in keys:
                same = record.canonical["code_version"] == self.form["code_version"]
                keys[own] = (
                    own if same else key_of(_under(self.form["code_version"], record.canonical))
                )
            found.setdefault(keys[own], []).append(record)
        return found

    @cached_property
    def flat(self) -> Flat:
        """Its form with dotted keys."""
        return {**_flat(self.form), "eval_images": self.eval_images}

    def difference(self, paper: Form) -> Difference:
        """How this differs from the paper's protocol."""
        ours, theirs = self.flat, _flat_paper(paper)
        keys = [*ours, *(key for key in theirs if key not in ours)]
        return {
            key: ours.get(key, ABSENT)
            for key in keys
            if not self.agrees(key, theirs.get(key, ABSENT))
        }

    def agrees(self, key: str, value: Any) -> bool:
        """Whether it has this value; networks without SE agree with every way of writing SE down."""
        return self.flat.get(key, ABSENT) == value or (
            key.startswith("se.") and not self.form["se"]
        )


def protocols(records: Sequence[Record], allow_mixed: bool = False) -> list[Protocol]:
    """Records by what they agree in but the axes; those without SE join every way of writing SE down.

    With `allow_mixed` the code version is nothing to agree in, and every record counts as one of the present version.
    """
    alike: dict[str, list[Record]] = defaultdict(list)
    keys: dict[tuple[str, int], str] = {}  # of a run's seeds, hashed once
    for record in records:
        run = record.run_key, record.eval_images
        if run not in keys:
            form = _under(CODE_VERSION, record.canonical) if allow_mixed else record.canonical
            keys[run] = key_of({**form, "se": None, "eval_images": record.eval_images})
        alike[keys[run]].append(record)
    found = []
    for group in alike.values():
        form = {name: value for name, value in group[0].canonical.items() if name != "se"}
        if allow_mixed:
            form = _under(CODE_VERSION, form)
        blocks = [record.canonical["se"] for record in group if record.canonical["se"]]
        styles = sorted({(block["fc"], block["bias"]) for block in blocks})
        for se in [{"fc": fc, "bias": bias} for fc, bias in styles] or [{}]:
            members = [
                r for r in group if not r.canonical["se"] or se.items() <= r.canonical["se"].items()
            ]
            found.append(Protocol({**form, "se": se}, group[0].eval_images, members))
    return found


def newest(records: Sequence[Record]) -> list[Record]:
    """Of each seed the record of the newest code version."""
    found: dict[int, Record] = {}
    for record in records:
        first = found.setdefault(record.seed, record)
        if record.canonical["code_version"] > first.canonical["code_version"]:
            found[record.seed] = record
    return list(found.values())


def _under(code_version: int, form: Form) -> Form:
    return {**form, "code_version": code_version}


def changed_form(paper: Form, difference: Difference) -> Form:
    """The paper's form after a change."""
    form: Form = {}
    for key, value in {**_flat(paper), **difference}.items():
        if value == ABSENT or key == "eval_images":
            continue
        *path, leaf = key.split(".")
        node = form
        for part in path:
            node = node.setdefault(part, {})
        node[leaf] = value
    return form


def departures(difference: Difference, papers: Sequence[Form]) -> list[str]:
    """A difference in a reader's words; in brackets the paper's values, of one row after another."""
    flats = [_flat_paper(paper) for paper in papers]
    # Other data and another network differ in everything, and their names say so.
    renamed = [part for part in ("data", "model") if f"{part}.name" in difference]
    if "recipe.schedule.kind" in difference:
        renamed.append("schedule")
    said = []
    for key, ours in difference.items():
        theirs = list(dict.fromkeys(str(flat[key]) for flat in flats if key in flat))
        if not _implied(key, renamed):
            said.append(f"{_said(key, ours)} ({', '.join(theirs) or 'none'})")
    return said


def _implied(key: str, renamed: Sequence[str]) -> bool:
    """Whether a key only details a part that goes by another name."""
    if key == "eval_images":
        return "data" in renamed
    *parts, leaf = key.split(".")
    return leaf not in ("name", "kind") and any(part in renamed for part in parts)


def distinctions(own: Protocol, others: Sequence[Protocol]) -> list[str]:
    """What tells a protocol from others of the same data and network."""
    keys = dict.fromkeys(key for protocol in (own, *others) for key in protocol.flat)
    values = {key: own.flat.get(key, ABSENT) for key in keys}
    return [
        _said(key, value)
        for key, value in values.items()
        if not all(
            own.agrees(key, other.flat.get(key, ABSENT)) or other.agrees(key, value)
            for other in others
        )
    ]


def _flat_paper(paper: Form) -> Flat:
    whole_set = read_set_facts(paper["data"]["name"])
    return {**_flat(paper), "eval_images": whole_set.eval_images}


def _flat(form: Mapping[str, Any]) -> Flat:
    return dict(_leaves(form, ""))


def _leaves(form: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in form.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def named(form: Form) -> Flat:
    """The values of a form under the names that a reader gives them."""
    return {_word(key): value for key, value in _flat(form).items()}


def _said(key: str, value: Any) -> str:
    return f"{_word(key)} {'none' if value == ABSENT else value}"


def _word(key: str) -> str:
    """A dotted key as a reader says it."""
    words = {"data.name": "data", "model.name": "network", "recipe.schedule.kind": "schedule"}
    plain = (
        key.removeprefix("recipe.").removeprefix("data.").removeprefix("model.").replace(".", " ")
    )
    return words.get(key, plain.replace("_", " ").replace("se ", "SE "))
