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
    widths = []
    for column in zip(*cells, strict=True):
        widest = max(len(cell) for cell in column)
        widths.append(max(LEAST_WIDTH, widest))
    header, *body = [_pad_cells(line, widths) for line in cells]
    rule = _rule_columns(widths)
    lines = []
    for line in (header, rule, *body):
        joined = " | ".join(line)
        lines.append(f"| {joined} |")
    return "\n".join(lines)


def format_noted_table(heading: str, cells: Sequence[Sequence[str]], notes: Sequence[str]) -> str:
    """Return cells under a heading, the first line being the header, and the notes below them; all of it is escaped."""
    lines = [list(map(escape_markdown, line)) for line in cells]
    below = map(escape_markdown, notes)
    return "\n\n".join([f"### {escape_markdown(heading)}", align_columns(lines), *below])


def escape_markdown(text: str) -> str:
    """Return text in one line that can end no cell and opens no HTML."""
    one_line = " ".join(text.split())
    inside_cell = one_line.replace("|", "\\|")
    return inside_cell.replace("<", "&lt;")


def _pad_cells(line: Sequence[str], widths: Sequence[int]) -> list[str]:
    """Return cells of the columns' widths: the first names its row and stands on the left, figures on the right."""
    padded = [line[0].ljust(widths[0])]
    for cell, width in zip(line[1:], widths[1:], strict=True):
        padded.append(cell.rjust(width))
    return padded


def _rule_columns(widths: Sequence[int]) -> list[str]:
    """Return the line below the header, in which a colon aligns a column to the right."""
    rule = ["-" * widths[0]]
    for width in widths[1:]:
        rule.append("-" * (width - 1) + ":")
    return rule


def _format_table(table: ResultTable) -> str:
    heading = f"### {escape_markdown(format_heading(table))}"
    lines = [_list_headings(table.metrics)]
    for row in table.rows:
        lines.append(_list_cells(table, row))
    parts = [heading, align_columns(drop_empty_columns(lines))]
    for footnote in list_footnotes(table):
        parts.append(escape_markdown(footnote))
    return "\n\n".join(parts)


def drop_empty_columns(lines: Sequence[Sequence[str]]) -> list[list[str]]:
    """Return the lines without columns that hold nothing below their heading."""
    kept = []
    # Most tables have no cited figures, and many no published sizes.
    for column in range(len(lines[0])):
        if any(line[column] for line in lines[1:]):
            kept.append(column)
    shortened = []
    for line in lines:
        shortened.append([line[column] for column in kept])
    return shortened


def _list_headings(metrics: Sequence[Metric]) -> list[str]:
    figures = _join_headings(metrics)
    labels = " / ".join(metric.label for metric in metrics)
    headings = ["", f"cited {figures}", f"paper {figures}"]
    headings += [f"our {metric.heading} (n)" for metric in metrics]
    headings.append(f"paper Δ {labels}")
    headings += [f"our Δ {metric.label}" for metric in metrics]
    return headings + SIZE_HEADINGS


def _join_headings(metrics: Sequence[Metric]) -> str:
    """Return a heading for several metrics in one column, such as `top-1 / top-5 err %`."""
    units = {(metric.quantity, metric.unit_sign) for metric in metrics}
    if len(units) > 1:
        return " / ".join(metric.heading for metric in metrics)
    # Quantity and unit are the same for all, and stand once at the end.
    *before, last = metrics
    names = [metric.label for metric in before]
    names.append(last.heading)
    return " / ".join(names)


def _list_cells(table: ResultTable, row: ResultRow) -> list[str]:
    metrics = table.metrics
    cited = [row.paper.cited.get(metric.name) for metric in metrics]
    published = [row.paper.published(metric.name) for metric in metrics]
    # Cited figures have as many decimals as the paper that reports them.
    as_written = [""] * len(metrics)
    specs = [choose_value_spec(metric) for metric in metrics]
    cells = [escape_markdown(row.name)]
    cells.append(_join_figures(cited, as_written))
    cells.append(_join_figures(published, specs))
    cells += [_format_own_figure(table, row, metric) for metric in metrics]
    cells += _list_differences(table, row)
    return cells + _list_sizes(row)


def _format_own_figure(table: ResultTable, row: ResultRow, metric: Metric) -> str:
    own = row.estimates.get(metric.name)
    if own is None:
        # A row that was run may lack a metric that is younger than its records.
        if row.records:
            return ""
        return explain_gap(row)
    interval = format_interval(own, choose_value_spec(metric))
    return f"{interval} ({format_seed_count(table, row)})"


def _list_differences(table: ResultTable, row: ResultRow) -> list[str]:
    """Return the paper's differences of all metrics in one cell, then ours in one cell each."""
    metrics = table.metrics
    if table.is_baseline(row):
        # Once for the paper and once for ours.
        others = [""] * (len(metrics) - 1)
        return ["baseline", "baseline", *others]
    papers, specs, ours = [], [], []
    for metric in metrics:
        spec = choose_difference_spec(metric)
        specs.append(spec)
        papers.append(table.paper_delta(row, metric.name))
        ours.append(format_interval(row.differences.get(metric.name), spec))
    return [_join_figures(papers, specs), *ours]


def _list_sizes(row: ResultRow) -> list[str]:
    params_m = gflops = None
    # A row without records has neither.
    if row.params is not None:
        params_m = row.params / 1e6
    if row.macs is not None:
        gflops = row.macs / 1e9
    return [
        format_number(row.paper.params_m, ".1f"),
        format_number(params_m, ".3f"),
        format_number(row.paper.gflops, ".2f"),
        format_number(gflops, ".4f"),
    ]


def _join_figures(figures: Sequence[float | None], specs: Sequence[str]) -> str:
    """Return the figures that are known in one cell; the others are left out."""
    known = []
    for figure, spec in zip(figures, specs, strict=True):
        if figure is not None:
            known.append(f"{figure:{spec}}")
    return " / ".join(known)
