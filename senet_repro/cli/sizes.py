"""`python -m senet_repro sizes`: parameters and multiply-adds against the published figures."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from senet_repro.config.paper_tables import label
from senet_repro.report.text.markdown import aligned

if TYPE_CHECKING:
    from senet_repro.models.sizes import Size

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


def main(arguments: Sequence[str]) -> int:
    """Print every row; exit code 1 if a count is off for no known reason."""
    parser = argparse.ArgumentParser(
        prog="python -m senet_repro sizes",
        description="Parameters and multiply-adds against the published figures.",
    )
    parser.add_argument("--format", choices=("markdown", "csv", "json"), default="markdown")
    options = parser.parse_args(arguments)
    from senet_repro.models.sizes import (  # late: --help need not wait for torch
        CONVENTION,
        TOLERANCE,
        count_sizes,
    )

    found = list(count_sizes())
    if options.format == "markdown":
        print(aligned([HEADER, *map(_cells, found)]))
        notes = [
            f"{CONVENTION} A match is within {TOLERANCE:.1%}, or the same to the decimal printed."
        ]
        for text in dict.fromkeys(
            size.published.size_note for size in found if size.published.size_note
        ):
            rows = [size.row for size in found if size.published.size_note == text]
            notes.append(f"{', '.join(rows)}: {text}.")
        print("".join(f"\n{note}\n" for note in notes), end="")
    elif options.format == "csv":
        flat = [_flat(size) for size in found]
        writer = csv.DictWriter(sys.stdout, flat[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(flat)
    else:
        print(
            json.dumps(
                {"convention": CONVENTION, "rows": [_flat(size) for size in found]}, indent=2
            )
        )
    return int(any(size.verdict == "off" for size in found))


def _cells(size: Size) -> list[str]:
    return [
        label(size.table) if size.table else "-",
        size.row,
        _figure(size.published.params_m, "{:.1f}"),
        _figure(size.params and size.params / 1e6, "{:.3f}"),
        _figure(size.params_off, "{:+.2%}"),
        _figure(size.published.gflops, "{:.3f}" if (size.published.gflops or 1) < 1 else "{:.2f}"),
        _figure(size.macs and size.macs / 1e9, "{:.4f}" if (size.macs or 0) < 1e9 else "{:.3f}"),
        _figure(size.macs_off, "{:+.2%}"),
        f"**{size.verdict}**" if size.verdict == "off" else size.verdict,
    ]


def _flat(size: Size) -> dict[str, Any]:
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


def _figure(value: float | None, pattern: str) -> str:
    return "" if value is None else pattern.format(value)
