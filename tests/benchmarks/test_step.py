"""A run's step is timed beside a bare loop's once both are found to compute the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from senet_repro.benchmarks import step
from senet_repro.benchmarks.options import BenchOptions
from senet_repro.benchmarks.step import DEMO_GOAL, GOAL, _Epochs, measure_step
from senet_repro.core.errors import ConfigError

ON_CPU = ("trainer.accelerator=cpu", "trainer.threads=1")


@pytest.fixture
def times(monkeypatch: pytest.MonkeyPatch) -> dict[str, _Epochs]:
    """What both ways leave behind, as a test states it."""
    times = {"run": _Epochs(2.0, 44.0), "bare": _Epochs(2.0, 40.0)}
    monkeypatch.setattr(step, "_train_run", lambda _run, _gpus: times["run"])
    monkeypatch.setattr(step, "_train_bare", lambda _run, _device: times["bare"])
    return times


def test_the_demo_and_a_deeper_network_are_measured_where_no_run_is_named(
    times: dict[str, _Epochs], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step, "_DEMO", (*step._DEMO, *ON_CPU))
    monkeypatch.setattr(step, "_DEEPER", (*step._DEEPER, *ON_CPU))
    demo, deeper = measure_step(BenchOptions())
    assert demo.what == "training step, resnet11, digits, batch 128, 32-true"
    assert deeper.what == "training step, resnet29, digits, batch 128, 32-true"
    assert (demo.goal, deeper.goal) == (DEMO_GOAL, GOAL)
    assert (demo.ours, demo.theirs, demo.ratio) == (44.0, 40.0, 1.1)
    assert demo.check == "losses of the first epoch within 1e-05"


def test_losses_that_differ_are_not_timed(times: dict[str, _Epochs]) -> None:
    times["run"] = _Epochs(2.01, 1.0)
    with pytest.raises(RuntimeError, match=r"losses of the first epoch differ by 0\.01"):
        measure_step(BenchOptions(overrides=ON_CPU, is_quick=True))


def test_a_run_whose_gradients_are_scaled_is_refused() -> None:
    with pytest.raises(ConfigError, match="scales no gradients: give"):
        measure_step(BenchOptions(overrides=("trainer.precision=16-mixed",)))


def test_a_run_of_parts_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"one device .* leave trainer\.devices"):
        measure_step(BenchOptions(overrides=("trainer.accumulate=2",)))


@pytest.mark.parametrize("overrides", [(), ("protocol=cifar10", "model=resnet11")])
def test_data_that_are_not_there_are_told_before_anything_is_measured(
    overrides: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step, "_measure_run", lambda *_: pytest.fail("a run was measured"))
    with pytest.raises(ConfigError, match="no cifar10 in"):
        measure_step(BenchOptions(overrides=overrides, data_root=str(tmp_path)))
