"""Result tables as LaTeX in booktabs' style, with the paper's figures and ours in groups of columns (report floor)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from senet_repro.config.paper_tables import label
from senet_repro.report.tables.build import ResultRow, ResultTable
from senet_repro.report.text.notes import flat_rows, footnotes, missing, on_data, seed_count

PREAMBLE = (
    r"% The document's preamble needs \usepackage{booktabs,graphicx}; "
    r"pdflatex, xelatex and lualatex compile this."
)


@dataclass(frozen=True)
class Column:
    """A column of figures by their name in `flat_rows`; one with an interval takes two columns of LaTeX's."""

    group: str
    head: str
    unit: str
    key: str
    spec: str
    half_key: str | None = None

    @property
    def width(self) -> int:
        """In columns of LaTeX's."""
        return 1 if self.half_key is None else 2


ERROR, DELTA = ("top-{}", r"err \%"), (r"$\Delta$ top-{}", "points")
COLUMNS = (
    *(Column("Cited", ERROR[0].format(k), ERROR[1], f"cited_top{k}_err_pct", "") for k in (1, 5)),
    *(
        Column("Paper", ERROR[0].format(k), ERROR[1], f"paper_top{k}_err_pct", ".2f")
        for k in (1, 5)
    ),
    *(
        Column("Paper", DELTA[0].format(k), DELTA[1], f"paper_top{k}_delta_pct", "+.2f")
        for k in (1, 5)
    ),
    Column("Paper", "params", "M", "paper_params_m", ".1f"),
    Column("Paper", "cost", "GFLOPs", "paper_gflops", ".2f"),
    *(
        Column(
            "Ours", ERROR[0].format(k), ERROR[1], f"top{k}_err_pct", ".2f", f"top{k}_half_width_pct"
        )
        for k in (1, 5)
    ),
    Column("Ours", "$n$", "seeds", "n", ""),
    *(
        Column(
            "Ours",
            DELTA[0].format(k),
            DELTA[1],
            f"top{k}_delta_pct",
            "+.2f",
            f"top{k}_delta_half_width_pct",
        )
        for k in (1, 5)
    ),
    Column("Ours", "params", "M", "params_m", ".3f"),
    Column("Ours", "cost", "GFLOPs", "gflops", ".4f"),
)

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
}
_LETTERS = "ßæøœłÆØŒŁ"
_ACCENTS = ("", *"\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u030a\u030b\u030c\u0327")


def latex(tables: Sequence[ResultTable]) -> str:
    """A table environment for each table, to be put into a document by \\input."""
    return "\n\n".join([PREAMBLE, *map(_table, tables)])


def escaped(text: str) -> str:
    """Text as LaTeX sets it, in one line; a character that its plain fonts lack is given by its number."""
    signs = "".join(_sign(sign) for sign in unicodedata.normalize("NFC", " ".join(text.split())))
    return re.sub("-(?=-)", "-{}", signs)  # two hyphens would be set as a dash


def _sign(sign: str) -> str:
    if sign in _SIGNS:
        return _SIGNS[sign]
    parts = unicodedata.normalize("NFD", sign)
    is_plain = " " <= parts[0] <= "~" and parts[1:] in _ACCENTS
    return sign if is_plain or sign in _LETTERS else f"U+{ord(sign):04X}"


def _table(table: ResultTable) -> str:
    # LaTeX numbers tables itself, so the paper's number comes last.
    caption = f"{table.paper.title} (the paper's {label(table.paper)}; {on_data(table)})"
    flats = flat_rows(table)
    columns = [column for column in COLUMNS if any(flat[column.key] is not None for flat in flats)]
    rows = zip(table.rows, flats, strict=True)
    kinds = "".join("r" if column.half_key is None else r"r@{\,}l" for column in columns)
    lines = [
        r"\begin{table}[htbp]",
        r"\centering",
        rf"\caption{{{escaped(caption)}}}",
        r"\setlength{\tabcolsep}{4pt}",
        r"\resizebox{\textwidth}{!}{%",
        rf"\begin{{tabular}}{{l{kinds}}}",
        r"\toprule",
        *_head(columns),
        r"\midrule",
        *(
            _row([escaped(row.name), *(_cell(column, table, row, flat) for column in columns)])
            for row, flat in rows
        ),
        r"\bottomrule",
        r"\end{tabular}}",
        *(
            rf"\par\smallskip{{\footnotesize\raggedright {escaped(note)}\par}}"
            for note in footnotes(table)
        ),
        r"\end{table}",
    ]
    return "\n".join(lines)


def _head(columns: Sequence[Column]) -> list[str]:
    """The groups, a rule below each, what their columns are, and their units."""
    groups, rules, first = [""], "", 2
    for group, members in groupby(columns, lambda column: column.group):
        width = sum(column.width for column in members)
        groups.append(_spanning(width, "c", group))
        rules += rf"\cmidrule(lr){{{first}-{first + width - 1}}}"
        first += width
    heads, units = (
        _row(
            [
                "",
                *(
                    _spanning(c.width, "c" if c.half_key else "r", said)
                    for c, said in zip(columns, line, strict=True)
                ),
            ]
        )
        for line in ([c.head for c in columns], [c.unit for c in columns])
    )
    return [_row(groups), rules, heads, units]


def _cell(column: Column, table: ResultTable, row: ResultRow, flat: Mapping[str, Any]) -> str:
    value = flat[column.key]
    if column.key == "n":
        return seed_count(table, row) if row.records else ""
    if value is None:
        words = {"top1_err_pct": missing(row)} if not row.records else {}
        if table.is_baseline(row):
            words |= {"paper_top1_delta_pct": "baseline", "top1_delta_pct": "baseline"}
        return _spanning(column.width, "c" if column.half_key else "r", words.get(column.key, ""))
    text = f"${value:{column.spec}}$"
    if column.half_key is None:
        return text
    half = flat[column.half_key]
    return f"{text} & " + ("" if half is None else rf"$\pm\,{half:.2f}$")


def _spanning(width: int, alignment: str, text: str) -> str:
    return rf"\multicolumn{{{width}}}{{{alignment}}}{{{text}}}" if text or width > 1 else ""


def _row(cells: Sequence[str]) -> str:
    return rf"{' & '.join(cells)} \\"
