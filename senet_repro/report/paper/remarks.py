"""The part of a report that people alone can say, from `remarks.yaml` in the results folder (report floor)."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from senet_repro.results.campaign import parse_yaml, read_text_if_there, take_values
from senet_repro.results.record_rules import Rule, are_texts

REMARKS_FILE = "remarks.yaml"
"""The name of the file in the results folder."""

MOST_CHARACTERS = 20_000
"""The longest text that a remark may be."""

EXAMPLE = """\
title: "[Re] Squeeze-and-Excitation Networks on small images"
authors: [Ada Example, Ben Example]
surprises: SE helped most where we expected it least.
easy: The block is a dozen lines of code.
difficult:
  - The paper leaves the learning rate of one table open.
  - Memory was short on our GPU.
communication: We wrote to the authors and had an answer within a week.
"""
"""A file as it may be; errors show it."""

# It may hold blanks, which nobody sees.
_EMPTY_LINE = re.compile(r"\n\s*\n")

_MEND = f"write it as the following, say:\n\n{EXAMPLE}"


@dataclass(frozen=True, kw_only=True)
class Remarks:
    """The remarks of the people who made a reproduction, each in paragraphs; nothing where they said nothing."""

    title: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    surprises: tuple[str, ...] = ()
    easy: tuple[str, ...] = ()
    difficult: tuple[str, ...] = ()
    communication: tuple[str, ...] = ()

    @property
    def missing(self) -> list[str]:
        """Return the keys that nothing was said under."""
        return [key for key in REMARKS if not getattr(self, key)]


REMARKS = tuple(each.name for each in fields(Remarks))
"""The keys of the file."""


def read_remarks(results_dir: Path) -> Remarks:
    """Return the remarks in a results folder; empty ones where no such file lies there.

    Raises:
        ConfigError: the file cannot be read, or has another key or value; the message names the key and the mend.
    """
    path = results_dir / REMARKS_FILE
    text = read_text_if_there(path, _MEND)
    if text is None:
        return Remarks()
    content = parse_yaml(path, text, _MEND)
    if isinstance(content, dict):
        # Every key may be left out, and so may its value.
        content = {**dict.fromkeys(REMARKS), **content}
    values = take_values(f"{path}", content, dict.fromkeys(REMARKS, _REMARK), _MEND)
    return Remarks(**{key: _split_paragraphs(value) for key, value in values.items()})


def _split_paragraphs(value: str | list[str] | None) -> tuple[str, ...]:
    """Return the texts of a remark in one line each; an empty line in a text parts it, too."""
    texts = [value] if isinstance(value, str) else value or []
    paragraphs = []
    for text in texts:
        for part in _EMPTY_LINE.split(text):
            in_one_line = " ".join(part.split())
            if in_one_line:
                paragraphs.append(in_one_line)
    return tuple(paragraphs)


def _is_remark(value: Any) -> bool:
    """Return whether a value is a text or a list of texts, none of them endless or with unseen characters."""
    texts = [value] if isinstance(value, str) else value
    if not are_texts(texts):
        return False
    return all(_is_readable(text) for text in texts)


def _is_readable(text: str) -> bool:
    return len(text) <= MOST_CHARACTERS and " ".join(text.split()).isprintable()


_REMARK = Rule(
    _is_remark,
    f"a text or a list of texts, in letters that can be printed, each of up to {MOST_CHARACTERS:,}",
    may_lack=True,
)
