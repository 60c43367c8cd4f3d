"""Result tables as LaTeX in booktabs' style, with the paper's figures and ours in groups of columns (report floor)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from senet_repro.config.paper_tables import label_table
from senet_repro.report.tables.build import ResultRow, ResultTable
from senet_repro.report.tables.numbers import choose_difference_spec, choose_value_spec
from senet_repro.report.text.notes import explain_gap, format_seed_count, list_footnotes, name_data
from senet_repro.report.text.plain import flatten_rows
from senet_repro.results.metrics import Metric

PREAMBLE = (
    r"% The document's preamble needs \usepackage{booktabs,graphicx}; "
    r"pdflatex, xelatex and lualatex compile this."
)


@dataclass(frozen=True)
class Column:
    """A column of figures by their name in `flatten_rows`; one with an interval takes two columns of LaTeX's."""

    group: str
    head: str
    unit: str
    key: str
    spec: str
    half_key: str | None = None

    @property
    def latex_width(self) -> int:
        """Return how many columns of LaTeX's it takes."""
        return 1 if self.half_key is None else 2

    @property
    def words_alignment(self) -> str:
        """Return the alignment of a cell that holds words and no figure."""
        return "r" if self.half_key is None else "c"


SEEDS_KEY = "n"

_SIGNS = {
    **{sign: f"\\{sign}" for sign in "&%_#${}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "[": "{[}",  # after a line's end it would open an argument
    "*": "{*}",
    "±": r"$\pm$",
    "Δ": r"$\Delta$",
    "\N{MULTIPLICATION SIGN}": r"$\times$",
    "·": r"$\cdot$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "\N{MINUS SIGN}": "$-$",
    "\N{EN DASH}": r"\textendash{}",
    "\N{EM DASH}": r"\textemdash{}",
    "…": r"\ldots{}",
    "\N{MICRO SIGN}": r"$\mu$",
    "\N{GREEK SMALL LETTER MU}": r"$\mu$",
    "\N{GREEK SMALL LETTER TAU}": r"$\tau$",
    "\N{ALMOST EQUAL TO}": r"$\approx$",
    "\N{RIGHTWARDS ARROW}": r"$\rightarrow$",
    "\N{LEFT SINGLE QUOTATION MARK}": "`",
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    "\N{LEFT DOUBLE QUOTATION MARK}": "``",
    "\N{RIGHT DOUBLE QUOTATION MARK}": "''",
}
_LETTERS = "ßæøœłÆØŒŁ"
_ACCENTS = ("", *"\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u030a\u030b\u030c\u0327")


def format_latex(tables: Sequence[ResultTable]) -> str:
    """Return a table environment for each table, to be put into a document by \\input."""
    return "\n\n".join([PREAMBLE, *map(_format_table, tables)])


def format_wide_table(
    heading: str, cells: Sequence[Sequence[str]], notes: Sequence[str], words: int
) -> str:
    """Return cells as a table environment as wide as the page, with its notes below; the first line is the header.

    The first so many columns are words, and all others figures.
    """
    head, *body = cells
    alignments = "l" * words + "r" * (len(head) - words)
    lines = [
        r"\begin{table}[htbp]",
        r"\centering",
        rf"\caption{{{escape_latex(heading)}}}",
        r"\resizebox{\textwidth}{!}{%",
        rf"\begin{{tabular}}{{{alignments}}}",
        r"\toprule",
        _escape_cells(head),
        r"\midrule",
        *map(_escape_cells, body),
        r"\bottomrule",
        r"\end{tabular}}",
    ]
    for note in notes:
        lines.append(rf"\par\smallskip{{\footnotesize\raggedright {escape_latex(note)}\par}}")
    lines.append(r"\end{table}")
    return "\n".join(lines)


def _escape_cells(cells: Sequence[str]) -> str:
    return " & ".join(escape_latex(cell) for cell in cells) + r" \\"


def escape_latex(text: str) -> str:
    """Return text as LaTeX sets it, in one line; a character that its plain fonts lack is given by its number."""
    in_one_line = unicodedata.normalize("NFC", " ".join(text.split()))
    signs = "".join(_escape_sign(sign) for sign in in_one_line)
    # Two hyphens would be set as a dash.
    return re.sub("-(?=-)", "-{}", signs)


def _escape_sign(sign: str) -> str:
    if sign in _SIGNS:
        return _SIGNS[sign]
    parts = unicodedata.normalize("NFD", sign)
    is_plain = " " <= parts[0] <= "~" and parts[1:] in _ACCENTS
    if is_plain or sign in _LETTERS:
        return sign
    return f"U+{ord(sign):04X}"


def _list_columns(metrics: Sequence[Metric]) -> list[Column]:
    """Return every column that a table of some metrics may have, in its order."""
    columns = [_build_value_column("Cited", metric, "cited_", "") for metric in metrics]
    columns += [
        _build_value_column("Paper", metric, "paper_", choose_value_spec(metric))
        for metric in metrics
    ]
    columns += [
        _build_difference_column("Paper", metric, f"paper_{metric.difference_name}")
        for metric in metrics
    ]
    columns.append(Column("Paper", "params", "M", "paper_params_m", ".1f"))
    columns.append(Column("Paper", "cost", "GFLOPs", "paper_gflops", ".2f"))
    for metric in metrics:
        spec, half_key = choose_value_spec(metric), metric.half_width_name
        columns.append(_build_value_column("Ours", metric, "", spec, half_key))
    columns.append(Column("Ours", "$n$", "seeds", SEEDS_KEY, ""))
    for metric in metrics:
        key, half_key = metric.difference_name, metric.difference_half_width_name
        columns.append(_build_difference_column("Ours", metric, key, half_key))
    columns.append(Column("Ours", "params", "M", "params_m", ".3f"))
    columns.append(Column("Ours", "cost", "GFLOPs", "gflops", ".4f"))
    return columns


def _build_value_column(
    group: str, metric: Metric, prefix: str, spec: str, half_key: str | None = None
) -> Column:
    unit = f"{metric.quantity} {metric.unit_sign}".strip()
    label = escape_latex(metric.label)
    return Column(group, label, escape_latex(unit), prefix + metric.name, spec, half_key)


def _build_difference_column(
    group: str, metric: Metric, key: str, half_key: str | None = None
) -> Column:
    head = rf"$\Delta$ {escape_latex(metric.label)}"
    unit = escape_latex(metric.difference_unit)
    return Column(group, head, unit, key, choose_difference_spec(metric), half_key)


def _format_table(table: ResultTable) -> str:
    # LaTeX numbers tables itself, so the paper's number comes last.
    source = ""
    if table.paper.section:
        source = f"the paper's {label_table(table.paper)}; "
    caption = f"{table.paper.title} ({source}{name_data(table)})"
    flats = flatten_rows(table)
    # A column without a figure is left out.
    columns = [
        column
        for column in _list_columns(table.metrics)
        if any(flat[column.key] is not None for flat in flats)
    ]
    alignments = "".join("r" if column.half_key is None else r"r@{\,}l" for column in columns)
    lines = [
        r"\begin{table}[htbp]",
        r"\centering",
        rf"\caption{{{escape_latex(caption)}}}",
        r"\setlength{\tabcolsep}{4pt}",
        r"\resizebox{\textwidth}{!}{%",
        rf"\begin{{tabular}}{{l{alignments}}}",
        r"\toprule",
        *_format_head(columns),
        r"\midrule",
    ]
    for row, flat in zip(table.rows, flats, strict=True):
        cells = [_format_cell(column, table, row, flat) for column in columns]
        lines.append(_join_cells([escape_latex(row.name), *cells]))
    lines += [r"\bottomrule", r"\end{tabular}}"]
    for footnote in list_footnotes(table):
        lines.append(rf"\par\smallskip{{\footnotesize\raggedright {escape_latex(footnote)}\par}}")
    lines.append(r"\end{table}")
    return "\n".join(lines)


def _format_head(columns: Sequence[Column]) -> list[str]:
    """Return the lines above the figures: groups, a rule below each, what their columns are, and their units."""
    # The first column, of the rows' names, belongs to no group.
    groups, rules = [""], ""
    # LaTeX counts columns from 1, and the first holds the names of the rows.
    first = 2
    for group, members in groupby(columns, lambda column: column.group):
        width = sum(column.latex_width for column in members)
        groups.append(_span_columns(width, "c", group))
        rules += rf"\cmidrule(lr){{{first}-{first + width - 1}}}"
        first += width
    heads = [_span_columns(each.latex_width, each.words_alignment, each.head) for each in columns]
    units = [_span_columns(each.latex_width, each.words_alignment, each.unit) for each in columns]
    return [_join_cells(groups), rules, _join_cells(["", *heads]), _join_cells(["", *units])]


def _format_cell(
    column: Column, table: ResultTable, row: ResultRow, flat: Mapping[str, Any]
) -> str:
    value = flat[column.key]
    if column.key == SEEDS_KEY:
        if not row.records:
            return ""
        return format_seed_count(table, row)
    if value is None:
        words = _list_gap_words(table, row).get(column.key, "")
        return _span_columns(column.latex_width, column.words_alignment, words)
    text = f"${value:{column.spec}}$"
    if column.half_key is None:
        return text
    half = flat[column.half_key]
    half_spec = column.spec.removeprefix("+")
    return f"{text} & " + ("" if half is None else rf"$\pm\,{half:{half_spec}}$")


def _list_gap_words(table: ResultTable, row: ResultRow) -> dict[str, str]:
    """Return the words that stand in place of figures, by column: once per row, at the most important metric."""
    metric = table.metrics[0]
    words = {}
    if not row.records:
        words[metric.name] = explain_gap(row)
    if table.is_baseline(row):
        words[f"paper_{metric.difference_name}"] = "baseline"
        words[metric.difference_name] = "baseline"
    return words


def _span_columns(width: int, alignment: str, text: str) -> str:
    if not text and width <= 1:
        return ""
    return rf"\multicolumn{{{width}}}{{{alignment}}}{{{text}}}"


def _join_cells(cells: Sequence[str]) -> str:
    return rf"{' & '.join(cells)} \\"
