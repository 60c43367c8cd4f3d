"""Sections cost, peers and step: the benchmarks of these names, on the device (benchmarks floor)."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from senet_repro.benchmarks.gpu_probe import Findings, Probe
from senet_repro.benchmarks.options import BenchOptions


def probe_cost(probe: Probe, findings: Findings) -> None:
    """Measure SE against plain networks on the device."""
    _take_benchmark("cost", probe, findings, _choose_device(probe))


def probe_peers(probe: Probe, findings: Findings) -> None:
    """Measure SE-ResNet-50 against timm's on the device."""
    _take_benchmark("peers", probe, findings, _choose_device(probe))


def probe_step(probe: Probe, findings: Findings) -> None:
    """Measure a run against a bare loop on the device."""
    run = probe.list_settings("trainer.precision=bf16-mixed")
    _take_benchmark("step", probe, findings, run)


def _choose_device(probe: Probe) -> list[str]:
    return [*probe.overrides, f"trainer.accelerator={probe.accelerator}"]


def _take_benchmark(name: str, probe: Probe, findings: Findings, overrides: Sequence[str]) -> None:
    measure = getattr(import_module(f"senet_repro.benchmarks.{name}"), f"measure_{name}")
    options = BenchOptions(
        overrides=tuple(overrides),
        is_quick=probe.is_quick,
        data_root=probe.data_root,
    )
    findings.add_measurements(measure(options))
