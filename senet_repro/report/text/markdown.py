"""Result tables as Markdown that also lines up as plain text (report floor)."""

from __future__ import annotations

from collections.abc import Sequence

from senet_repro.report.tables.build import ResultRow, ResultTable
from senet_repro.report.text.notes import footnotes, heading, missing, seed_count
from senet_repro.stats.estimates import Estimate

HEADER = (
    "",
    "cited top-1 / top-5 err %",
    "paper top-1 / top-5 err %",
    "our top-1 err % (n)",
    "our top-5 err % (n)",
    "paper Δ top-1 / top-5",
    "our Δ top-1",
    "our Δ top-5",
    "paper params M",
    "our params M",
    "paper GFLOPs",
    "our GFLOPs",
)


def markdown(tables: Sequence[ResultTable]) -> str:
    """Every table with its heading and the lines that say what its numbers are."""
    return "\n\n".join(_table(table) for table in tables)


def aligned(cells: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose columns also line up as plain text; the first row is the header."""
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    rule = ["-" * max(3, widths[0])] + ["-" * (max(3, width) - 1) + ":" for width in widths[1:]]
    lines = []
    for line in [cells[0], rule, *cells[1:]]:
        padded = [
            cell.ljust(max(3, w)) if i == 0 else cell.rjust(max(3, w))
            for i, (cell, w) in enumerate(zip(line, widths, strict=True))
        ]
        lines.append(f"| {' | '.join(padded)} |")
    return "\n".join(lines)


def escaped(text: str) -> str:
    """Text in one line that can end no cell and opens no HTML."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def _table(table: ResultTable) -> str:
    cells = [_cells(table, row) for row in table.rows]
    kept = [
        column for column in range(len(HEADER)) if any(line[column] for line in cells)
    ]  # none without a figure
    body = aligned([[line[column] for column in kept] for line in (HEADER, *cells)])
    return "\n\n".join([f"### {escaped(heading(table))}", body, *map(escaped, footnotes(table))])


def _cells(table: ResultTable, row: ResultRow) -> list[str]:
    paper = row.paper
    base = table.is_baseline(row)
    deltas = [table.paper_delta(row, error) for error in ("top1_err_pct", "top5_err_pct")]
    lacking, n = missing(row), seed_count(table, row)
    return [
        escaped(row.name),
        _pair(paper.cited.get("top1_err_pct"), paper.cited.get("top5_err_pct"), "{}"),
        _pair(paper.published("top1_err_pct"), paper.published("top5_err_pct"), "{:.2f}"),
        f"{spread(row.estimates.get('top1_err_pct'))} ({n})"
        if row.estimates.get("top1_err_pct")
        else lacking,
        f"{spread(row.estimates.get('top5_err_pct'))} ({n})"
        if row.estimates.get("top5_err_pct")
        else lacking,
        "baseline" if base else _pair(deltas[0], deltas[1], "{:+.2f}"),
        "baseline" if base else spread(row.differences.get("top1_err_pct"), "+.2f"),
        "" if base else spread(row.differences.get("top5_err_pct"), "+.2f"),
        _number(paper.params_m, "{:.1f}"),
        _number(row.params and row.params / 1e6, "{:.3f}"),
        _number(paper.gflops, "{:.2f}"),
        _number(row.macs and row.macs / 1e9, "{:.4f}"),
    ]


def spread(value: Estimate | None, spec: str = ".2f") -> str:
    """A mean with half its interval, as a reader writes it; nothing where there is none."""
    if value is None:
        return ""
    return f"{value.mean:{spec}}" + (
        "" if value.half_width is None else f" ± {value.half_width:.2f}"
    )


def _number(value: float | None, pattern: str) -> str:
    return "" if value is None else pattern.format(value)


def _pair(first: float | None, second: float | None, pattern: str) -> str:
    return " / ".join(pattern.format(value) for value in (first, second) if value is not None)
