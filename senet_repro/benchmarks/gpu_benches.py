"""Sections cost, peers and step: the benchmarks of these names, on the device (benchmarks floor)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from senet_repro.benchmarks.cost import measure_each_cost
from senet_repro.benchmarks.gpu_probe import Findings, Probe
from senet_repro.benchmarks.measurement import Measurement
from senet_repro.benchmarks.options import BenchOptions
from senet_repro.benchmarks.peers import measure_each_peer
from senet_repro.benchmarks.step import measure_step

Measure = Callable[[BenchOptions], Iterable[Measurement]]


def probe_cost(probe: Probe, findings: Findings) -> None:
    """Measure SE against plain networks on the device."""
    _take_benchmark(measure_each_cost, probe, findings, _choose_device(probe), probe.is_quick)


def probe_peers(probe: Probe, findings: Findings) -> None:
    """Measure SE-ResNet-50 against timm's on the device."""
    _take_benchmark(measure_each_peer, probe, findings, _choose_device(probe), probe.is_quick)


def probe_step(probe: Probe, findings: Findings) -> None:
    """Measure a run against a bare loop on the device, in one round of two epochs: all rounds would take minutes."""
    run = probe.list_settings("trainer.precision=bf16-mixed")
    _take_benchmark(measure_step, probe, findings, run, is_quick=True)


def _choose_device(probe: Probe) -> list[str]:
    return [*probe.overrides, f"trainer.accelerator={probe.accelerator}"]


def _take_benchmark(
    measure: Measure,
    probe: Probe,
    findings: Findings,
    overrides: Sequence[str],
    is_quick: bool,
) -> None:
    """Keep each measurement of a benchmark as it comes: its section may be ended before the last one."""
    options = BenchOptions(
        overrides=tuple(overrides),
        is_quick=is_quick,
        data_root=probe.data_root,
    )
    for measured in measure(options):
        findings.add_measurements([measured])
