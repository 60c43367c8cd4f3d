"""The measurements of one call as text for a terminal, Markdown and JSON (benchmarks floor; no torch)."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from senet_repro.benchmarks.measurement import Measurement
from senet_repro.core.files import write_json, write_text
from senet_repro.core.printing import escape_controls

QUICK_NOTE = "a rehearsal on tiny inputs: these figures say nothing"
LEAST_COLUMNS = 60
HEADER = ("ours", "yardstick", "unit", "ratio", "lowest", "highest", "goal")
WIDTHS = (9, 10, 9, 7, 7, 8, 0)
"""Columns of a terminal that each figure takes; the last one is as wide as it needs."""
INDENT = "  "


@dataclass(frozen=True, kw_only=True)
class BenchReport:
    """Holds what one benchmark measured in one call, and where."""

    name: str  # of the benchmark
    machine: dict[str, Any]  # as `describe_machine` returns it
    measurements: Sequence[Measurement]
    overrides: Sequence[str] = ()
    is_quick: bool = False


def format_text(report: BenchReport, columns: int) -> str:
    """Return the figures in columns under each other, for a terminal that has so many columns."""
    width = max(columns, LEAST_COLUMNS)
    lines = [_align_figures(HEADER)]
    for measured in report.measurements:
        lines += textwrap.wrap(f"{measured.what}, beside {measured.yardstick}", width)
        lines.append(_align_figures(_list_figures(measured)))
        if measured.check:
            lines += textwrap.wrap(
                f"checked: {measured.check}", width, initial_indent=INDENT, subsequent_indent=INDENT
            )
    for sentence in _list_notes(report):
        lines += textwrap.wrap(sentence, width)
    return escape_controls("\n".join(lines))


def format_markdown(report: BenchReport) -> str:
    """Return a heading, a table of the figures and a list of where and how they were measured."""
    header = ("what", "beside", *HEADER, "checked")
    rows = [header, tuple("---" for _ in header)]
    for measured in report.measurements:
        names = (measured.what, measured.yardstick)
        rows.append((*names, *_list_figures(measured), measured.check))
    table = "\n".join(_join_cells(row) for row in rows)
    notes = "\n".join(f"- {sentence}" for sentence in _list_notes(report))
    return f"# bench {report.name}\n\n{table}\n\n{notes}\n"


def collect_report(report: BenchReport) -> dict[str, Any]:
    """Return the report as JSON holds it, with `meets_goal` beside the fields of each measurement."""
    measured = [{**asdict(one), "meets_goal": one.meets_goal} for one in report.measurements]
    return {
        "benchmark": report.name,
        "quick": report.is_quick,
        "overrides": list(report.overrides),
        "machine": report.machine,
        "measurements": measured,
    }


def write_report(folder: Path, report: BenchReport) -> None:
    """Write NAME.md and NAME.json into a folder, each whole or not at all.

    Raises:
        OSError: the folder cannot be made or written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / f"{report.name}.md", escape_controls(format_markdown(report)))
    write_json(folder / f"{report.name}.json", collect_report(report))


def _list_figures(measured: Measurement) -> tuple[str, ...]:
    """Return the figures of a measurement in the order of `HEADER`."""
    ratios = (measured.ratio, measured.lowest, measured.highest)
    return (
        _format_figure(measured.ours),
        _format_figure(measured.theirs),
        measured.unit,
        *(f"{ratio:.3f}" for ratio in ratios),
        _describe_goal(measured),
    )


def _format_figure(figure: float) -> str:
    """Return a figure with about three digits that say something; a count as it is."""
    decimals = 0
    is_count = figure == round(figure)
    if abs(figure) < 100 and not is_count:
        decimals = 2
    elif abs(figure) < 1000 and not is_count:
        decimals = 1
    return f"{figure:,.{decimals}f}"


def _describe_goal(measured: Measurement) -> str:
    """Return the goal and whether it was met, or missed; `-` where there is none."""
    if measured.goal is None:
        return "-"
    bound = "at least" if measured.is_more_better else "at most"
    outcome = "met" if measured.meets_goal else "missed"
    return f"{bound} {measured.goal:g}: {outcome}"


def _align_figures(cells: Sequence[str]) -> str:
    """Return cells in columns: figures on the right of theirs, the unit and the goal on the left."""
    aligned = []
    for name, cell, width in zip(HEADER, cells, WIDTHS, strict=True):
        stands_left = name in ("unit", "goal")
        aligned.append(cell.ljust(width) if stands_left else cell.rjust(width))
    return " ".join([INDENT.rstrip(), *aligned]).rstrip()


def _join_cells(cells: Sequence[str]) -> str:
    """Return a line of a Markdown table."""
    escaped = [" ".join(cell.split()).replace("|", "\\|") for cell in cells]
    return "| " + " | ".join(escaped) + " |"


def _list_notes(report: BenchReport) -> list[str]:
    """Return where, when and of what the figures are."""
    machine = report.machine
    device = machine["processor"]
    if machine["gpu"]:
        device = f"{machine['gpu']}, {device}"
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    commit = machine["commit"] or "not known"
    if machine["dirty"]:
        commit += ", with changes"
    notes = [
        f"{device}; {machine['cores']} cores, {machine['threads']} threads, load {machine['load']}",
        f"{versions}; CUDA {machine['cuda'] or 'not there'}",
        f"{machine['measured_at']}, commit {commit}",
    ]
    if report.overrides:
        notes.append(f"with {' '.join(report.overrides)}")
    if report.is_quick:
        notes.append(QUICK_NOTE)
    return notes
