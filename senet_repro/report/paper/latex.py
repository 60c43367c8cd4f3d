"""A document as LaTeX that compiles as it is, with the article class and booktabs alone (report floor)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from senet_repro.report.paper.document import (
    Block,
    Commands,
    Document,
    Listing,
    Paragraph,
    Section,
    Table,
)
from senet_repro.report.paper.latex_columns import Column, count_lines, plan_columns
from senet_repro.report.text.latex import escape_latex

PREAMBLE = r"""% Written by `python -m senet_repro report --form paper`; pdflatex, xelatex and lualatex compile it.
\documentclass[a4paper,11pt]{article}
\usepackage{booktabs}
\setlength{\oddsidemargin}{0mm}
\setlength{\textwidth}{159mm}
\setlength{\topmargin}{-12mm}
\setlength{\textheight}{240mm}
\setlength{\parindent}{0pt}
\setlength{\parskip}{5pt plus 1pt}
\setlength{\emergencystretch}{3em}
\tolerance=2000
\raggedbottom
% No page ends with the words that announce a list.
\makeatletter\@beginparpenalty=10000\makeatother
\begin{document}"""

# A hyphen behind a letter or a figure joins it with what follows, as in `seeds 1-4`.
_MINUS = re.compile(r"(?<![\w.-])-(?=\d)")

MOST_LINES = 42
"""The most lines of a table on one page; a longer one is parted."""


def render_latex(document: Document) -> str:
    """Return the whole document; LaTeX numbers its sections itself."""
    parts = [PREAMBLE, *_render_title(document), *_render_summary(document.summary)]
    for section in document.sections:
        parts += _render_section(section, "section")
    if document.references:
        parts.append(_render_references(document.references))
    parts.append(r"\end{document}")
    return "\n\n".join(parts) + "\n"


def _render_title(document: Document) -> list[str]:
    lines = [r"\begin{center}", rf"{{\LARGE\bfseries {_typeset(document.title)}\par}}"]
    lines += [rf"\smallskip {_typeset(author)}\par" for author in document.authors]
    lines.append(r"\end{center}")
    return ["\n".join(lines)]


def _render_summary(summary: Sequence[Paragraph]) -> list[str]:
    """Return the summary between two rules, alone on the first page."""
    rule = r"\noindent\rule{\textwidth}{0.6pt}"
    parts = [rule, r"{\large\bfseries Reproducibility summary\par}"]
    parts += [_render_paragraph(paragraph) for paragraph in summary]
    return [*parts, rule, r"\clearpage"]


def _render_section(section: Section, command: str) -> list[str]:
    parts = [rf"\{command}{{{_typeset(section.title)}}}"]
    parts += [_render_block(block) for block in section.blocks]
    for subsection in section.subsections:
        parts += _render_section(subsection, f"sub{command}")
    return parts


def _render_references(references: Sequence[str]) -> str:
    lines = [rf"\begin{{thebibliography}}{{{len(references)}}}"]
    for number, reference in enumerate(references, start=1):
        lines.append(rf"\bibitem{{reference-{number}}} {_typeset(reference)}")
    lines.append(r"\end{thebibliography}")
    return "\n".join(lines)


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
    text = _typeset(paragraph.text)
    if not paragraph.label:
        return text
    return rf"\textbf{{{_typeset(paragraph.label)}.}} {text}"


def _render_listing(listing: Listing) -> str:
    kind = "itemize" if listing.first is None else "enumerate"
    lines = [rf"\begin{{{kind}}}"]
    if listing.first is not None:
        lines.append(rf"\setcounter{{enumi}}{{{listing.first - 1}}}")
    lines.append(r"\setlength{\itemsep}{0pt}")
    # Braces keep an item from being read as the mark of its own.
    lines += [rf"\item {{}}{_typeset(item)}" for item in listing.items]
    lines.append(rf"\end{{{kind}}}")
    return "\n".join(lines)


def _render_commands(commands: Commands) -> str:
    lines = [r"\begin{quote}\footnotesize\raggedright\ttfamily"]
    lines += [rf"{_escape_command(line)}\par" for line in commands.lines]
    lines.append(r"\end{quote}")
    return "\n".join(lines)


def _typeset(text: str) -> str:
    """Return text as LaTeX sets it, with a minus before a negative number instead of a hyphen."""
    return escape_latex(_MINUS.sub("\N{MINUS SIGN}", text))


def _escape_command(line: str) -> str:
    """Return a command as it is typed: quotes stay straight, and a long word may break after a sign in it."""
    words = []
    for word in line.split():
        # In typewriter letters the straight quote has a number of its own, which no escaped sign holds.
        quoted = r"\char13{}".join(escape_latex(part) for part in word.split("'"))
        words.append(re.sub(r"([,=/])", r"\1\\allowbreak{}", quoted))
    return " ".join(words)


def _render_table(table: Table) -> str:
    """Return a table that stays where it is written; in parts, where a page has no room for the whole."""
    columns = plan_columns(table)
    pieces = _part_rows(table.rows, columns)
    rendered = []
    for number, rows in enumerate(pieces, start=1):
        is_last = number == len(pieces)
        caption = table.caption if number == 1 else f"{table.caption} (continued)"
        notes = table.notes if is_last else ()
        part = replace(table, caption=caption, rows=rows, notes=notes)
        rendered.append(_render_part(part, columns))
    return "\n\n".join(rendered)


def _part_rows(
    rows: Sequence[Sequence[str]], columns: Sequence[Column]
) -> list[list[Sequence[str]]]:
    """Return the rows in as many parts as they need pages."""
    pieces: list[list[Sequence[str]]] = [[]]
    lines = 0
    for row in rows:
        needed = count_lines(row, columns)
        if lines + needed > MOST_LINES and pieces[-1]:
            pieces.append([])
            lines = 0
        pieces[-1].append(row)
        lines += needed
    return pieces


def _render_part(table: Table, columns: Sequence[Column]) -> str:
    alignments = "".join(column.alignment for column in columns)
    lines = [
        r"\par\medskip\noindent\begin{minipage}{\textwidth}\centering\footnotesize",
        rf"{{\small\bfseries {_typeset(table.caption)}\par}}\smallskip",
        r"\setlength{\tabcolsep}{3pt}",
        rf"\begin{{tabular}}{{@{{}}{alignments}@{{}}}}",
        r"\toprule",
        _join_cells([_render_head(column) for column in columns]),
        r"\midrule",
        *[_render_row(row, columns) for row in table.rows],
        r"\bottomrule",
        r"\end{tabular}",
    ]
    for note in table.notes:
        lines.append(rf"\par\smallskip{{\raggedright {_typeset(note)}\par}}")
    lines.append(r"\end{minipage}\par\medskip")
    return "\n".join(lines)


def _render_head(column: Column) -> str:
    """Return a heading in as many lines as the width of its column asks for."""
    lines = [_typeset(line) for line in column.head_lines]
    if len(lines) == 1:
        return lines[0]
    side = "l" if column.is_words else "r"
    stacked = r" \\ ".join(lines)
    return rf"\begin{{tabular}}[b]{{@{{}}{side}@{{}}}}{stacked}\end{{tabular}}"


def _render_row(row: Sequence[str], columns: Sequence[Column]) -> str:
    cells = []
    for cell, column in zip(row, columns, strict=True):
        text = _typeset(cell)
        cells.append(rf"\raggedright {text}" if column.is_wrapped else text)
    return _join_cells(cells)


def _join_cells(cells: Sequence[str]) -> str:
    # A line end of the usual kind would end a line within the last cell, where that is wrapped.
    return rf"{' & '.join(cells)} \tabularnewline"
