"""A document as Markdown that GitHub shows, without HTML (report floor)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from senet_repro.core.printing import escape_controls
from senet_repro.report.paper.document import (
    Block,
    Commands,
    Document,
    Listing,
    Paragraph,
    Section,
    Table,
)
from senet_repro.report.text.markdown import align_columns

# Signs that are markup wherever they stand, an underscore beside a letter excepted; and what opens an entity of HTML.
_MARKUP = re.compile(r"[\\`*\[\]<>|~$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|&(?=#?\w+;)")
# At the beginning of a line: a heading, an item of a list or a rule.
_LINE_START = re.compile(r"^(#(?=#*(?:\s|$))|[+-](?=\s|$)|-(?=-)|=(?==|$)|\d+(?=[.)](?:\s|$)))")


def render_markdown(document: Document) -> str:
    """Return the whole document; numbers of sections are written out, since Markdown counts none."""
    parts = [f"# {escape_prose(document.title)}"]
    parts += [escape_prose(author) for author in document.authors]
    parts.append("## Reproducibility summary")
    # A quote is the only box that Markdown has.
    quoted = []
    for paragraph in document.summary:
        quoted.append(f"> {_render_paragraph(paragraph)}")
    parts.append("\n>\n".join(quoted))
    for number, section in enumerate(document.sections, start=1):
        parts += _render_section(section, f"{number}", "##")
    if document.references:
        parts.append("## References")
        for number, reference in enumerate(document.references, start=1):
            parts.append(f"\\[{number}\\] {escape_prose(reference)}")
    return escape_controls("\n\n".join(parts)) + "\n"


def escape_prose(text: str) -> str:
    """Return text in one line as GitHub shows it, sign by sign: nothing in it is a link, a formula or a heading."""
    return _LINE_START.sub(_escape_start, _escape_cell(text))


def _escape_cell(text: str) -> str:
    """Return the text of a cell, which begins no line and so needs less."""
    in_one_line = " ".join(text.split())
    return _MARKUP.sub(lambda found: f"\\{found[0]}", in_one_line)


def _escape_start(found: re.Match[str]) -> str:
    # Of a number it is the sign behind it that makes an item of a list, so the backslash stands there.
    if found[0].isdigit():
        return f"{found[0]}\\"
    return f"\\{found[0]}"


def _render_section(section: Section, number: str, hashes: str) -> list[str]:
    parts = [f"{hashes} {number} {escape_prose(section.title)}"]
    parts += [_render_block(block) for block in section.blocks]
    for count, subsection in enumerate(section.subsections, start=1):
        parts += _render_section(subsection, f"{number}.{count}", f"{hashes}#")
    return parts


def _render_block(block: Block) -> str:
    match block:
        case Paragraph():
            return _render_paragraph(block)
        case Listing():
            return _render_listing(block)
        case Commands():
            return _render_commands(block)
        case Table():
            return _render_table(block)


def _render_paragraph(paragraph: Paragraph) -> str:
    text = escape_prose(paragraph.text)
    if not paragraph.label:
        return text
    return f"**{escape_prose(paragraph.label)}.** {text}"


def _render_listing(listing: Listing) -> str:
    lines = []
    for offset, item in enumerate(listing.items):
        mark = "-" if listing.first is None else f"{listing.first + offset}."
        lines.append(f"{mark} {escape_prose(item)}")
    return "\n".join(lines)


def _render_commands(commands: Commands) -> str:
    """Return commands in a block of code, whose fence is longer than any row of backticks in them."""
    lines = [" ".join(line.split()) for line in commands.lines]
    longest = max((len(row) for line in lines for row in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([f"{fence}bash", *lines, fence])


def _render_table(table: Table) -> str:
    cells: list[Sequence[str]] = []
    for line in (table.header, *table.rows):
        cells.append([_escape_cell(cell) for cell in line])
    parts = [f"**{escape_prose(table.caption)}**", align_columns(cells, table.words)]
    parts += [escape_prose(note) for note in table.notes]
    return "\n\n".join(parts)
