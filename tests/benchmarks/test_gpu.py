"""The probe of a GPU: what a section finds out is kept whatever becomes of it, and its checks see what is wrong."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from senet_repro.benchmarks import gpu
from senet_repro.benchmarks.gpu import SECTIONS, measure_gpu
from senet_repro.benchmarks.measurement import Measurement
from senet_repro.benchmarks.options import BenchOptions, ProbeOptions
from senet_repro.core.errors import ConfigError
from tests.benchmarks.test_report import make_measurement

ON_CPU = ("trainer.accelerator=cpu",)
FOUND = {"facts": {"a": 1}, "measurements": [asdict(make_measurement())], "faults": []}


@pytest.mark.parametrize(
    ("exit_code", "found", "faults"),
    [
        (0, FOUND, []),
        (0, {**FOUND, "faults": ["logits differ"]}, ["logits differ"]),
        (1, {**FOUND, "faults": ["OSError: full"]}, ["OSError: full"]),
        (-9, None, ["ended with exit code -9: the last words"]),
        (None, FOUND, ["was ended at its limit of"]),
    ],
)
def test_a_section_that_fails_is_told_and_keeps_what_it_found(
    exit_code: int | None,
    found: dict[str, Any] | None,
    faults: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = []

    @contextmanager
    def start_process(command: list[str], log: Path) -> Iterator[None]:
        asked.append(json.loads(Path(command[-2]).read_text()))
        log.write_text("the last words")
        if found is not None:
            Path(command[-1]).write_text(json.dumps(found))
        yield

    monkeypatch.setattr(gpu, "start_process", start_process)
    monkeypatch.setattr(gpu, "wait_or_stop", lambda process, deadline_s: exit_code)
    options = ProbeOptions(overrides=ON_CPU, sections=("env", "steps"), output=str(tmp_path))
    measurements = measure_gpu(options)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["section"] for line in lines] == ["env", "steps"]
    assert (tmp_path / "gpu.jsonl").read_text().splitlines() == [json.dumps(line) for line in lines]
    for line in lines:
        assert len(line["faults"]) == len(faults)
        assert all(map(str.startswith, line["faults"], faults))
        assert line["facts"] == (found or {}).get("facts", {})
    assert measurements[:-1] == [make_measurement()] * (2 if found else 0)
    assert measurements[-1].meets_goal is not bool(faults)
    assert [request["accelerator"] for request in asked] == ["cpu", "cpu"]


def test_a_probe_without_time_says_so_and_begins_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delattr(gpu, "start_process")
    measure_gpu(ProbeOptions(overrides=ON_CPU, sections=("env",), limit_s=1))
    assert json.loads(capsys.readouterr().out)["faults"] == ["no time was left for it"]


def test_sections_and_devices_that_are_not_there_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("senet_repro.training.devices.list_visible_gpus", lambda: ())
    with pytest.raises(ConfigError, match="--only=stesp: give env, correct, steps"):
        measure_gpu(ProbeOptions(sections=("stesp",)))
    with pytest.raises(ConfigError, match="no GPU is seen; bench gpu trainer"):
        measure_gpu(BenchOptions())


def test_findings_are_on_the_disk_at_once_and_a_failure_is_one_of_them(tmp_path: Path) -> None:
    from senet_repro.benchmarks.gpu_probe import Findings

    def fail() -> None:
        raise RuntimeError("no graph")

    findings = Findings(tmp_path / "found.json")
    assert findings.attempt("steps", lambda: math.inf) == math.inf
    assert json.loads(findings.file.read_text())["facts"] == {"steps": math.inf}  # type: ignore[union-attr]
    assert findings.attempt("graph", fail) is None
    findings.add_measurements([make_measurement()])
    kept = json.loads((tmp_path / "found.json").read_text())
    assert kept["faults"] == ["graph: RuntimeError: no graph"]
    assert kept["measurements"][0]["ratio"] == 0.9496


@pytest.mark.parametrize("section", SECTIONS.values(), ids=list(SECTIONS))
def test_every_section_is_a_function(section: gpu.Section) -> None:
    from importlib import import_module

    assert callable(getattr(import_module(section.module), section.function))


def test_networks_on_the_device_are_set_beside_exact_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    from senet_repro.benchmarks import gpu_correct
    from senet_repro.benchmarks.gpu_probe import Findings, Probe

    monkeypatch.setattr(gpu_correct, "QUICK_RUNS", 1)
    probe = Probe(accelerator="cpu", folder=tmp_path, deadline_s=time.monotonic(), is_quick=True)
    findings = Findings()
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    gpu_correct.probe_correct(probe, findings)
    assert (findings.faults, findings.facts["networks"]) == ([], 1)
    # Whatever this process measures next is measured in the precision that it had before.
    assert before == (torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32)
    worst = findings.facts["furthest_from_float64"]
    assert set(worst) == set(gpu_correct.MODES)
    assert 0 < worst["float32"]["gradients"]["distance"] < 1e-4
    assert worst["bf16"]["gradients"]["distance"] > 1e-3
    # The device is the CPU itself, on which a product is never in TF32.
    assert worst["float32"]["logits"]["times"] == worst["bf16"]["logits"]["times"] == 1
    assert worst["tf32"]["logits"]["times"] < 0.1


def test_a_network_that_computes_something_else_is_a_fault() -> None:
    import torch

    from senet_repro.benchmarks import gpu_correct
    from senet_repro.benchmarks.gpu_probe import Findings

    exact = gpu_correct.Results(torch.ones(4), torch.ones(4))
    wrong = gpu_correct.Results(torch.full((4,), 1.5), torch.full((4,), math.nan))
    on_cpu = gpu_correct.Distances(logits=0.1, gradients=0.25)
    worst: dict[str, dict[str, Any]] = {}
    for network, found in {"a": exact, "b": wrong, "c": exact}.items():
        distances = gpu_correct._measure_distances(found, exact)
        gpu_correct._keep_worst(worst, "bf16", network, distances, on_cpu)
    findings = Findings()
    gpu_correct._judge_distances(findings, "bf16", gpu_correct.MODES["bf16"], worst["bf16"])
    beside = "times as far as in bf16 on the CPU, more than 2.5"
    assert findings.faults == [
        f"logits in bf16 of b: 0.5 from float64, 5 {beside}",
        f"gradients in bf16 of b: nan from float64, nan {beside}",
    ]


@pytest.mark.parametrize(
    ("moved", "faults"),
    [
        ((1.0, 1.0), []),
        ((1.0, 0.8), ["float32 on the device is 0.14 from the CPU"]),
        ((1.0, math.nan), ["float32 on the device is nan from the CPU"]),
    ],
)
def test_steps_that_lead_elsewhere_than_on_the_cpu_are_a_fault(
    moved: tuple[float, float], faults: list[str]
) -> None:
    import torch

    from senet_repro.benchmarks import gpu_steps
    from senet_repro.benchmarks.gpu_probe import Findings

    def train(name: str, *_own: str) -> SimpleNamespace:
        way = torch.tensor([1.0, 1.0] if name == "cpu" else moved)
        return SimpleNamespace(moved=way, weights=way, loss=2.0)

    findings = Findings()
    gpu_steps._compare_with_cpu(findings, train)  # type: ignore[arg-type]
    assert [fault.partition(", more")[0] for fault in findings.faults] == faults


def test_the_way_of_the_weights_begins_at_their_first_values() -> None:
    from senet_repro.benchmarks.gpu_probe import subtract_first_weights
    from senet_repro.config.composition import compose
    from senet_repro.training.fit import build_network

    run = compose(["protocol=demo"])
    state = {f"net.{name}": value for name, value in build_network(run).state_dict().items()}
    assert float(subtract_first_weights(run, state).abs().max()) == 0
    state["net.head.fc.bias"] = state["net.head.fc.bias"] + 0.5
    moved = subtract_first_weights(run, state)
    assert moved.count_nonzero() == len(state["net.head.fc.bias"])
    assert float(moved.max()) == 0.5


def test_a_benchmark_that_is_cut_off_keeps_what_it_had_measured(tmp_path: Path) -> None:
    from senet_repro.benchmarks import gpu_benches
    from senet_repro.benchmarks.gpu_probe import Findings, Probe

    def measure(_options: BenchOptions) -> Iterator[Measurement]:
        yield make_measurement()
        raise KeyboardInterrupt

    probe = Probe(accelerator="cpu", folder=tmp_path, deadline_s=time.monotonic())
    findings = Findings(tmp_path / "found.json")
    with pytest.raises(KeyboardInterrupt):
        gpu_benches._take_benchmark(measure, probe, findings, (), is_quick=True)
    kept = json.loads((tmp_path / "found.json").read_text())
    assert kept["measurements"] == [asdict(make_measurement())]


@pytest.mark.parametrize(
    ("losses", "faults"),
    [
        ({"graph": 2.0, "eager": 2.1}, []),
        ({"graph": 2.0, "eager": 2.5}, ["graph, bf16 / eager, bf16: RuntimeError: losses"]),
        ({"graph": math.nan, "eager": 2.0}, ["graph, bf16 / eager, bf16: RuntimeError: losses"]),
    ],
)
def test_two_ways_that_train_to_other_losses_are_a_fault(
    losses: dict[str, float], faults: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from senet_repro.benchmarks import gpu_speed
    from senet_repro.benchmarks.gpu_probe import Findings, Probe

    def train_run(settings: list[str], _folder: Path) -> SimpleNamespace:
        is_graph = "trainer.graph=true" in settings
        return SimpleNamespace(
            loss=losses["graph" if is_graph else "eager"], step_ms=2.0 if is_graph else 8.0
        )

    monkeypatch.setattr(gpu_speed, "train_run", train_run)
    pairs = [pair for pair in gpu_speed.PAIRS if pair[0].name == "graph, bf16"]
    monkeypatch.setattr(gpu_speed, "PAIRS", pairs)
    probe = Probe(accelerator="cpu", folder=tmp_path, deadline_s=time.monotonic() + 100)
    findings = Findings()
    gpu_speed.probe_speed(probe, findings)
    assert [fault[: len(faults[0])] for fault in findings.faults] == faults
    assert [measured.ratio for measured in findings.measurements] == [0.25] * (not faults)


@pytest.mark.faults
def test_the_whole_probe_is_rehearsed_on_the_cpu(tmp_path: Path) -> None:
    words = ["gpu", *ON_CPU, "--quick", "--limit", "1500", "--output", str(tmp_path)]
    command = [sys.executable, "-m", "senet_repro", "bench", *words]
    subprocess.run(command, check=True, timeout=1600)
    lines = (tmp_path / "gpu.jsonl").read_text().splitlines()
    faults = {found["section"]: found["faults"] for found in map(json.loads, lines)}
    assert faults == {name: [] for name in SECTIONS}
