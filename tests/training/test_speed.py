"""trainer.compile=auto compiles where the steps of a run are worth it, alike for all rows of a table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from senet_repro.config.schema import Run
from senet_repro.training import speed
from senet_repro.training.speed import (
    decide_compile,
    decide_graph,
    describe_speed,
    find_faster_trainer,
)
from tests.records import compose_once

# The convolutions of ResNet-29, and its multiply-adds of one image.
RESNET_29 = (30, 44_000_000)


@pytest.fixture(autouse=True)
def _known_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "has_compiler", lambda _is_on_gpu: True)
    monkeypatch.setattr(speed, "lacks_bf16", lambda: False)


def run_of(epochs: int, **trainer: Any) -> Run:
    """A run of so many epochs of 390 steps."""
    run = compose_once()
    return replace(
        run,
        recipe=replace(run.recipe, epochs=epochs, batch_size=128),
        data=replace(run.data, train_images=50_000),
        trainer=replace(run.trainer, threads=1, **trainer),
    )


@pytest.mark.parametrize(
    ("compile_", "epochs", "is_on_gpu", "trainer", "expected"),
    [
        (True, 1, False, {}, True),
        (False, 100, False, {}, False),
        ("auto", 30, False, {}, True),
        ("auto", 30, False, {"precision": "bf16-mixed"}, True),
        ("auto", 1, True, {"precision": "bf16-mixed"}, False),
        ("auto", 30, True, {"precision": "bf16-mixed"}, True),
        # The host has nothing to do, and compiled kernels gain little.
        ("auto", 30, True, {"precision": "bf16-mixed", "graph": True}, False),
    ],
)
def test_steps_decide(
    compile_: object,
    epochs: int,
    is_on_gpu: bool,
    trainer: dict[str, Any],
    expected: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(speed, "weigh_plain_network", lambda _run: RESNET_29)
    run = run_of(epochs, compile=compile_, **trainer)
    assert decide_compile(run, is_on_gpu) == expected
    words = describe_speed(run, is_on_gpu) or ""
    assert ("compiled: a step" in words) == expected
    assert ("the steps gain less than compiling costs" in words) == (
        compile_ == "auto" and not expected
    )


@pytest.mark.parametrize(
    ("graph", "is_on_gpu", "trainer", "kind", "expected"),
    [
        ("auto", True, {}, "memory", True),
        ("auto", False, {}, "memory", False),
        ("auto", True, {"devices": 2}, "memory", False),
        ("auto", True, {"accumulate": 2}, "memory", False),
        ("auto", True, {"precision": "16-mixed"}, "memory", False),
        ("auto", True, {}, "folders", False),
        (True, False, {}, "memory", True),
        (False, True, {}, "memory", False),
    ],
)
def test_a_graph_is_recorded_by_auto_where_a_gpu_trains_what_it_can_hold(
    graph: object, is_on_gpu: bool, trainer: dict[str, Any], kind: str, expected: bool
) -> None:
    run = run_of(1, graph=graph, **trainer)
    run = replace(run, data=replace(run.data, kind=kind))
    assert decide_graph(run, is_on_gpu) == expected


def test_the_demo_is_not_worth_compiling_whatever_its_axes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    demo = compose_once("trainer.compile=auto", "trainer.threads=1")
    gain_s = speed.estimate_gain_s(demo, False)
    # Weighed once: the other rows of a table have the same plain network.
    monkeypatch.setattr(speed, "_weigh_network", None)
    assert gain_s == speed.estimate_gain_s(replace(demo, r="none"), False) < 0


def test_auto_without_a_compiler_trains_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "has_compiler", lambda _is_on_gpu: False)
    run = run_of(100, compile="auto")
    assert not decide_compile(run, is_on_gpu=False)
    words = describe_speed(run, is_on_gpu=False) or ""
    assert "plain (trainer.compile=auto: no compiler)" in words


@pytest.mark.parametrize(
    ("present", "environment", "expected"),
    [
        (["gcc"], {}, True),
        (["clang"], {}, True),
        (["g++"], {}, False),
        (["gcc"], {"CC": "nowhere-cc"}, False),
    ],
)
def test_a_gpu_needs_a_c_compiler(
    present: list[str],
    environment: dict[str, str],
    expected: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.undo()
    for name in present:
        (tmp_path / name).touch(mode=0o755)
    monkeypatch.delenv("CC", raising=False)
    for name, value in {"PATH": str(tmp_path), **environment}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(speed, "find_spec", lambda _name: object())
    assert speed.has_compiler(is_on_gpu=True) == expected


def test_bf16_on_a_processor_without_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "lacks_bf16", lambda: True)
    told = describe_speed(run_of(1, precision="bf16-mixed"), is_on_gpu=False) or ""
    assert told.startswith("CPU, bf16-mixed, plain: a step takes about ")
    assert told.endswith("; this processor has no bf16 instructions, and 32-true is as fast on it")


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_no_run_is_compiled_where_compiled_steps_were_measured_to_gain_nothing(
    precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_of(1000, compile="auto", precision=precision)
    assert decide_compile(run, is_on_gpu=False)
    monkeypatch.setattr(speed, "lacks_bf16", lambda: True)
    assert not decide_compile(run, is_on_gpu=False)


def test_of_a_precision_that_a_cpu_has_not_no_speed_is_told() -> None:
    run = run_of(1, precision="16-mixed", compile="auto")
    assert describe_speed(run, is_on_gpu=False) is None
    assert describe_speed(run, is_on_gpu=True) is not None


@pytest.mark.parametrize(
    ("trainer", "is_on_gpu", "is_told"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"precision": "bf16-mixed"}, True, False),
        ({"accelerator": "gpu"}, True, False),
    ],
)
def test_a_gpu_in_float32_by_default_is_told_of_the_fast_way(
    trainer: dict[str, Any], is_on_gpu: bool, is_told: bool
) -> None:
    line = find_faster_trainer(run_of(1, **trainer), is_on_gpu)
    assert (line is not None) == is_told
