"""Result tables as Markdown that also lines up as plain text (report floor)."""

from __future__ import annotations

from collections.abc import Sequence

from senet_repro.report.tables.build import ResultRow, ResultTable
from senet_repro.report.tables.numbers import (
    choose_difference_spec,
    choose_value_spec,
    format_interval,
    format_number,
)
from senet_repro.report.text.notes import (
    explain_gap,
    format_heading,
    format_seed_count,
    list_footnotes,
)
from senet_repro.results.metrics import Metric

SIZE_HEADINGS = ["paper params M", "our params M", "paper GFLOPs", "our GFLOPs"]
LEAST_WIDTH = 3


def format_markdown(tables: Sequence[ResultTable]) -> str:
    """Return every table with its heading and the lines that explain its numbers."""
    return "\n\n".join(_format_table(table) for table in tables)


def align_columns(cells: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table whose columns also line up as plain text; the first line is the header."""
    columns = zip(*cells, strict=True)
    widths = [max(LEAST_WIDTH, *map(len, column)) for column in columns]
    # The first column names its row and stands on the left; figures stand on the right.
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    lines = []
    for line in [cells[0], rule, *cells[1:]]:
        padded = [line[0].ljust(widths[0])]
        padded += [cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)]
        lines.append(f"| {' | '.join(padded)} |")
    return "\n".join(lines)


def escape_markdown(text: str) -> str:
    """Return text in one line that can end no cell and opens no HTML."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def _format_table(table: ResultTable) -> str:
    lines = [_list_headings(table.metrics)]
    lines += [_list_cells(table, row) for row in table.rows]
    # A column without a figure is left out.
    kept = [column for column in range(len(lines[0])) if any(line[column] for line in lines[1:])]
    body = align_columns([[line[column] for column in kept] for line in lines])
    heading = f"### {escape_markdown(format_heading(table))}"
    return "\n\n".join([heading, body, *map(escape_markdown, list_footnotes(table))])


def _list_headings(metrics: Sequence[Metric]) -> list[str]:
    joined = _join_headings(metrics)
    labels = " / ".join(metric.label for metric in metrics)
    return [
        "",
        f"cited {joined}",
        f"paper {joined}",
        *(f"our {metric.heading} (n)" for metric in metrics),
        f"paper Δ {labels}",
        *(f"our Δ {metric.label}" for metric in metrics),
        *SIZE_HEADINGS,
    ]


def _join_headings(metrics: Sequence[Metric]) -> str:
    """Return a heading for several metrics in one column, such as `top-1 / top-5 err %`."""
    units = {(metric.quantity, metric.unit_sign) for metric in metrics}
    if len(units) > 1:
        return " / ".join(metric.heading for metric in metrics)
    # Quantity and unit are the same for all, and stand once at the end.
    labels = [metric.label for metric in metrics[:-1]]
    return " / ".join([*labels, metrics[-1].heading])


def _list_cells(table: ResultTable, row: ResultRow) -> list[str]:
    metrics = table.metrics
    return [
        escape_markdown(row.name),
        _join_figures(
            [row.paper.cited.get(metric.name) for metric in metrics], [""] * len(metrics)
        ),
        _join_figures(
            [row.paper.published(metric.name) for metric in metrics],
            [choose_value_spec(metric) for metric in metrics],
        ),
        *(_format_own_figure(table, row, metric) for metric in metrics),
        *_list_differences(table, row),
        format_number(row.paper.params_m, ".1f"),
        format_number(row.params and row.params / 1e6, ".3f"),
        format_number(row.paper.gflops, ".2f"),
        format_number(row.macs and row.macs / 1e9, ".4f"),
    ]


def _format_own_figure(table: ResultTable, row: ResultRow, metric: Metric) -> str:
    own = row.estimates.get(metric.name)
    if own is None:
        return explain_gap(row)
    interval = format_interval(own, choose_value_spec(metric))
    return f"{interval} ({format_seed_count(table, row)})"


def _list_differences(table: ResultTable, row: ResultRow) -> list[str]:
    """Return the paper's differences of all metrics in one cell, then ours in one cell each."""
    metrics = table.metrics
    if table.is_baseline(row):
        return ["baseline", "baseline", *([""] * (len(metrics) - 1))]
    specs = [choose_difference_spec(metric) for metric in metrics]
    papers = [table.paper_delta(row, metric.name) for metric in metrics]
    ours = [row.differences.get(metric.name) for metric in metrics]
    own_cells = [format_interval(own, spec) for own, spec in zip(ours, specs, strict=True)]
    return [_join_figures(papers, specs), *own_cells]


def _join_figures(figures: Sequence[float | None], specs: Sequence[str]) -> str:
    """Return the figures that are known in one cell; the others are left out."""
    pairs = zip(figures, specs, strict=True)
    return " / ".join(f"{figure:{spec}}" for figure, spec in pairs if figure is not None)
