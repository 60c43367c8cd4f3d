"""The options of a benchmark, as its verb hands them over (benchmarks floor; no torch)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class BenchOptions:
    """Holds what a person asked a benchmark for."""

    overrides: tuple[str, ...] = ()  # of the run to measure, such as model=resnet29
    is_quick: bool = False  # a rehearsal on tiny inputs, whose figures say nothing
    data_root: str | None = None  # folder of the set, where a benchmark reads real pictures


@dataclass(frozen=True, kw_only=True)
class ProbeOptions(BenchOptions):
    """Holds what a person asked the probe of a GPU for."""

    limit_s: float | None = None  # of the whole probe; None: its own
    sections: tuple[str, ...] = ()  # those to take; none: all of them
    output: str | None = None  # folder for a line of JSON per section, as it ends
