"""`python -m senet_repro sizes`: parameters and multiply-adds against the published figures."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from senet_repro.config.tables import label
from senet_repro.report.render import aligned

HEADER = ("", "row", "paper params M", "counted", "off", "paper GFLOPs", "counted", "off", "verdict")


def main(arguments: Sequence[str]) -> int:
    """Print every row; exit code 1 if a count is off."""
    argparse.ArgumentParser(
        prog="python -m senet_repro sizes", description="Parameters and multiply-adds against the published figures."
    ).parse_args(arguments)
    from senet_repro.models.sizes import CONVENTION, TOLERANCE, sizes  # late: --help need not wait for torch

    found = list(sizes())
    cells = [
        (
            label(size.table),
            size.row,
            _figure(size.published.params_m, "{:.1f}"),
            f"{size.params / 1e6:.3f}",
            _figure(size.params_off, "{:+.2%}"),
            _figure(size.published.gflops, "{:.2f}"),
            f"{size.macs / 1e9:.3f}",
            _figure(size.macs_off, "{:+.2%}"),
            f"**{size.verdict}**" if size.verdict == "off" else size.verdict,
        )
        for size in found
    ]
    print(aligned([HEADER, *cells]))
    print(f"\n{CONVENTION} A match is within {TOLERANCE:.1%}.")
    return int(any(size.verdict == "off" for size in found))


def _figure(value: float | None, pattern: str) -> str:
    return "" if value is None else pattern.format(value)
