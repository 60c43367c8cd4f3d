"""A document as its renderers see it: sections of paragraphs, lists, tables and commands (report floor).

All texts are plain: whatever in them could be markup is escaped by the renderer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Paragraph:
    """A paragraph, with a few words in bold before it where it has a label."""

    text: str
    label: str = ""


@dataclass(frozen=True)
class Listing:
    """A list: of numbered items, counted from `first` on, or of plain ones for None."""

    items: Sequence[str]
    first: int | None = None


@dataclass(frozen=True)
class Commands:
    """Lines to be typed, each a command of its own."""

    lines: Sequence[str]


@dataclass(frozen=True)
class Table:
    """A table: a caption above, a header and the rows, and notes below."""

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    # The first so many columns hold words and all others figures; words are wrapped where a line has no room.
    words: int = 1
    notes: Sequence[str] = ()


Block = Paragraph | Listing | Commands | Table


@dataclass(frozen=True)
class Section:
    """A numbered section, with its subsections after its own blocks."""

    title: str
    blocks: Sequence[Block] = ()
    subsections: Sequence[Section] = ()


@dataclass(frozen=True, kw_only=True)
class Document:
    """A whole report."""

    title: str
    authors: Sequence[str]
    # A page of its own before everything else.
    summary: Sequence[Paragraph]
    sections: Sequence[Section]
    references: Sequence[str] = field(default_factory=list)

    @property
    def tables(self) -> list[Table]:
        """Return all tables, in their order."""
        found: list[Table] = []
        for section in self.sections:
            for part in (section, *section.subsections):
                found += [block for block in part.blocks if isinstance(block, Table)]
        return found
