"""`python -m senet_repro sizes`: parameters and multiply-adds against the published figures."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from senet_repro.cli.options import add_format_option
from senet_repro.core.loading import loading_for_good

if TYPE_CHECKING:
    from senet_repro.models.sizes import Size

DESCRIPTION = "Parameters and multiply-adds against the published figures."
HEADER = (
    "",
    "row",
    "paper params M",
    "counted",
    "off",
    "paper GFLOPs",
    "counted",
    "off",
    "verdict",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    add_format_option(parser, ("markdown", "csv", "json"))


def run_verb(options: argparse.Namespace) -> int:
    """Print the size of every row; return 1 if a count is off for no known reason."""
    with loading_for_good("torch"):
        from senet_repro.models.sizes import count_sizes

    found = list(count_sizes())
    if options.format == "markdown":
        print(format_sizes(found))
    elif options.format == "csv":
        _print_csv(found)
    else:
        _print_json(found)
    is_any_off = any(size.verdict == "off" for size in found)
    return 1 if is_any_off else 0


def format_sizes(found: Sequence[Size]) -> str:
    """Return the table of sizes in Markdown, how they are counted, and why some are off."""
    from senet_repro.models.sizes import CONVENTION, TOLERANCE
    from senet_repro.report.text.markdown import align_columns

    parts = [
        align_columns([HEADER, *(_row_cells(size) for size in found)]),
        f"{CONVENTION} A match is within {TOLERANCE:.1%}, or the same to the decimal printed.",
    ]
    for text, rows in _rows_by_note(found).items():
        parts.append(f"{', '.join(rows)}: {text}.")
    return "\n\n".join(parts)


def _print_csv(found: Sequence[Size]) -> None:
    rows = [_flatten_size(size) for size in found]
    writer = csv.DictWriter(sys.stdout, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


def _print_json(found: Sequence[Size]) -> None:
    from senet_repro.models.sizes import CONVENTION

    rows = [_flatten_size(size) for size in found]
    print(json.dumps({"convention": CONVENTION, "rows": rows}, indent=2))


def _rows_by_note(found: Sequence[Size]) -> dict[str, list[str]]:
    """Return the names of the rows that share a note, by the note, in the order of the rows."""
    rows: dict[str, list[str]] = {}
    for size in found:
        note = size.published.size_note
        if note:
            rows.setdefault(note, []).append(size.row)
    return rows


def _row_cells(size: Size) -> list[str]:
    from senet_repro.config.paper_tables import label_table

    paper = size.published
    # Networks below 10^9 multiply-adds get a decimal more, as the paper's Table 3 prints them.
    paper_pattern = "{:.3f}" if (paper.gflops or 1) < 1 else "{:.2f}"
    our_pattern = "{:.4f}" if (size.macs or 0) < 1e9 else "{:.3f}"
    return [
        label_table(size.table) if size.table else "-",
        size.row,
        _format_figure(paper.params_m, "{:.1f}"),
        _format_figure(size.params and size.params / 1e6, "{:.3f}"),
        _format_figure(size.params_off, "{:+.2%}"),
        _format_figure(paper.gflops, paper_pattern),
        _format_figure(size.macs and size.macs / 1e9, our_pattern),
        _format_figure(size.macs_off, "{:+.2%}"),
        f"**{size.verdict}**" if size.verdict == "off" else size.verdict,
    ]


def _flatten_size(size: Size) -> dict[str, Any]:
    return {
        "table": size.table and size.table.name,
        "number": size.table and size.table.number,
        "row": size.row,
        "paper_params_m": size.published.params_m,
        "params": size.params,
        "params_off": size.params_off,
        "paper_gflops": size.published.gflops,
        "macs": size.macs,
        "macs_off": size.macs_off,
        "verdict": size.verdict,
        "note": size.published.size_note,
    }


def _format_figure(value: float | None, pattern: str) -> str:
    if value is None:
        return ""
    return pattern.format(value)
