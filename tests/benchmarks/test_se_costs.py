"""What SE costs a network: paired rounds, memory, joules, and how far a measurement is."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from senet_repro.benchmarks import energy, se_costs, tensor_bytes
from senet_repro.benchmarks.cost import check_gradients
from senet_repro.benchmarks.cost_progress import CostProgress
from senet_repro.benchmarks.network_settings import Plan, take_device
from senet_repro.benchmarks.options import BenchOptions
from senet_repro.benchmarks.tensor_bytes import TensorBytes, prepare_counted
from senet_repro.benchmarks.timing import Setting, prepare_training
from senet_repro.config.network_pairs import list_network_pairs
from senet_repro.core.errors import ConfigError
from senet_repro.report.tables.costs import CostRow
from senet_repro.results.costs import INFERENCE, KINDS, ONE_IMAGE, TRAINING_STEP, MeasuredCost
from senet_repro.stats.estimates import Estimate

CPU = torch.device("cpu")
MOBILENET = ("+experiment=mobile", "model=mobilenet", "trainer.accelerator=cpu")


@pytest.fixture(scope="module")
def plan() -> Iterator[Plan]:
    with take_device(BenchOptions(overrides=MOBILENET, is_quick=True)) as found:
        yield replace(found, rounds=7)


class Machine:
    """A machine that grows slower with each call, on which SE takes so many times as long."""

    def __init__(self, cost_of_se: float) -> None:
        self.calls: list[tuple[bool, int]] = []
        self._cost_of_se = cost_of_se

    def build(self, _plan: Plan, with_se: bool) -> nn.Module:
        net = nn.Linear(2, 2)
        net.with_se = with_se  # type: ignore[assignment]
        return net

    def prepare(self, net: Any, setting: Setting) -> Callable[[], tuple[bool, int]]:
        return lambda: (net.with_se, setting.batch)

    def time(self, call: Callable[[], tuple[bool, int]], _device: object, _calls: int) -> float:
        with_se, batch = call()
        self.calls.append((with_se, batch))
        slowness = 1 + 0.02 * len(self.calls)
        return slowness * (self._cost_of_se if with_se else 1.0)


def _measure(
    plan: Plan, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> tuple[MeasuredCost, list[tuple[str, int]]]:
    monkeypatch.setattr(se_costs, "build_network", machine.build)
    monkeypatch.setattr(se_costs, "prepare_inference", machine.prepare)
    monkeypatch.setattr(
        se_costs, "prepare_counted", lambda build, of: (machine.prepare(build(), of), 1)
    )
    monkeypatch.setattr(se_costs, "time_calls", machine.time)
    monkeypatch.setattr(se_costs, "check_gradients", lambda _plan: "checked")
    monkeypatch.setattr(se_costs, "count_run", lambda run: (1, 2 if run.r == "none" else 3))
    told: list[tuple[str, int]] = []
    found = se_costs.measure_network(plan, True, lambda kind, done: told.append((kind, done)))
    return found, told


def _holds(estimate: Estimate, value: float) -> bool:
    assert estimate.half_width is not None
    return abs(estimate.mean - value) <= estimate.half_width


@pytest.mark.parametrize("cost_of_se", [1.0, 1.2])
def test_the_ratio_of_a_network_against_itself_is_1_within_its_own_interval(
    cost_of_se: float, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    cost, _ = _measure(plan, Machine(cost_of_se), monkeypatch)
    row = CostRow(pair=list_network_pairs()["mobilenet"], cost=cost)
    for kind in KINDS:
        ratio = row.estimate_ratio(kind)
        assert ratio.n == plan.rounds
        # Also on a machine that slows by half meanwhile; and one that takes longer is told from it.
        assert _holds(ratio, cost_of_se)
        assert _holds(ratio, 1.0) == (cost_of_se == 1.0)


def test_each_kind_is_timed_in_turn_in_its_own_batches_and_tells_how_far_it_is(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = Machine(1.0)
    cost, told = _measure(plan, machine, monkeypatch)
    turns = [False, True, True, False]
    assert [with_se for with_se, _ in machine.calls[:4]] == turns
    batches = [batch for _, batch in machine.calls]
    assert batches == [2] * 4 * plan.rounds + [1] * 2 * plan.rounds
    assert told == [(kind, done + 1) for kind in KINDS for done in range(plan.rounds)]
    # Without SE first.
    assert (cost.params, cost.macs) == ([1, 1], [2, 3])
    assert cost.energy_j == []
    setting = cost.setting
    assert (setting.device_type, setting.threads, setting.batch) == ("cpu", 1, 2)
    assert (setting.precision, setting.is_compiled) == ("32-true", False)


@pytest.mark.parametrize(
    ("device", "compile_", "expected"),
    [("cpu", "auto", False), ("cpu", True, True), ("cuda", "auto", True), ("cuda", False, False)],
)
def test_auto_compiles_on_a_gpu_alone(
    plan: Plan, device: str, compile_: bool | str, expected: bool
) -> None:
    trainer = replace(plan.run.trainer, compile=compile_)
    asked = replace(plan, device=torch.device(device), run=replace(plan.run, trainer=trainer))
    assert se_costs._choose_setting(asked).is_compiled == expected


def test_a_precision_that_cannot_be_timed_is_refused(plan: Plan) -> None:
    trainer = replace(plan.run.trainer, precision="16-mixed")
    with pytest.raises(ConfigError, match=r"precision=16-mixed: give 32-true or bf16-mixed"):
        se_costs.describe_setting(replace(plan, run=replace(plan.run, trainer=trainer)))


def test_tensors_count_once_and_until_they_are_gone() -> None:
    with TensorBytes() as counted:
        first = torch.zeros(1000)
        view = first.view(10, 100)
        second = torch.zeros(500)
        del first
        third = torch.zeros(50)
        del view, second
        again = torch.zeros(1000)
    assert counted.peak == 4 * (1000 + 500 + 50)
    assert third.sum() + again.sum() == 0


@pytest.mark.parametrize("is_compiled", [False, True])
def test_memory_is_that_of_network_gradients_and_optimizer_at_least(
    is_compiled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared: list[bool] = []
    real = prepare_training

    def prepare(net: nn.Module, setting: Setting) -> Any:
        prepared.append(setting.is_compiled)
        return real(net, replace(setting, is_compiled=False))

    monkeypatch.setattr(tensor_bytes, "prepare_training", prepare)
    setting = Setting(device=CPU, precision="32-true", batch=4, px=8, is_compiled=is_compiled)
    units = 1000
    weights = units * 3 * 8 * 8 + units
    _, size = prepare_counted(lambda: nn.Sequential(nn.Flatten(), nn.Linear(192, units)), setting)
    assert 3 * 4 * weights <= size < 4 * 4 * weights
    # What is counted is not compiled, and what is timed is as was asked for.
    assert prepared == [False, True][: 1 + is_compiled]


def _install_driver(monkeypatch: pytest.MonkeyPatch, *, tells: bool) -> None:
    nvml = ModuleType("pynvml")
    readings = iter(range(0, 10**6, 500))

    class NVMLError(Exception):
        pass

    def read(handle: str) -> int:
        assert handle == "GPU-abc"
        if not tells:
            raise NVMLError
        return next(readings)

    nvml.__dict__.update(
        NVMLError=NVMLError,
        nvmlInit=lambda: None,
        nvmlDeviceGetHandleByUUID=lambda uuid: uuid,
        nvmlDeviceGetTotalEnergyConsumption=read,
    )
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    monkeypatch.setattr(energy, "find_spec", lambda _name: object())
    properties = SimpleNamespace(uuid="abc")
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _device: properties)


def test_joules_are_told_by_a_gpus_driver_or_the_reason_is(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = torch.device("cuda")
    assert energy.find_energy_counter(CPU) == (None, energy.NO_GPU)
    monkeypatch.setattr(energy, "find_spec", lambda _name: None)
    assert energy.find_energy_counter(gpu) == (None, energy.NO_LIBRARY)
    _install_driver(monkeypatch, tells=False)
    assert energy.find_energy_counter(gpu) == (None, energy.NO_COUNTER)
    _install_driver(monkeypatch, tells=True)
    read, told = energy.find_energy_counter(gpu)
    assert told == energy.TOLD
    assert read is not None
    # Half a joule for each reading.
    assert read() == 0.5


def test_joules_are_those_of_one_call_over_seconds_of_them() -> None:
    clock_s = [0.0]
    waited: list[float] = []

    def call() -> None:
        clock_s[0] += 0.5

    joules = energy.measure_joules(
        call, lambda: 100 * clock_s[0], lambda: waited.append(clock_s[0]), lambda: clock_s[0]
    )
    assert joules == 50
    assert waited == [0.0, 0.5, 1.0, 1.5, 2.0]


def test_progress_tells_network_kind_round_and_time_left(
    capsys: pytest.CaptureFixture[str],
) -> None:
    clock_s = [0.0]
    progress = CostProgress({"first": 0.4, "kept": 5.0, "second": 2.4}, lambda: clock_s[0])
    progress.skip_network("kept")
    progress.begin_network("first", 5)
    clock_s[0] = 9.0
    progress.report(TRAINING_STEP, 1)
    clock_s[0] = 30.0
    # All but a fifth of one part in four.
    progress.report(INFERENCE, 5)
    progress.begin_network("second", 5)
    clock_s[0] = 60.0
    progress.report(TRAINING_STEP, 0)
    progress.report(ONE_IMAGE, 5)
    assert capsys.readouterr().err.splitlines() == [
        "senet_repro: cost first (1 of 2), inference, round 5 of 5, 2 min left",
        "senet_repro: cost second (2 of 2), training step, round 0 of 5, 3 min left",
    ]


# A residual network's zero gradients, dropout, and an input that a stem shrinks to nothing at 64 pixels.
@pytest.mark.faults
@pytest.mark.parametrize("words", [("mobile", "shufflenet"), ("imagenet", "inception_resnet_v2")])
def test_gradients_are_compared_on_every_kind_of_network(words: tuple[str, str]) -> None:
    table, network = words
    overrides = (f"+experiment={table}", f"model={network}", "trainer.accelerator=cpu")
    with take_device(BenchOptions(overrides=overrides, is_quick=True)) as plan:
        assert "gradients" in check_gradients(plan)
