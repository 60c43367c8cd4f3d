"""Jobs on one machine spread over its GPUs, and one that dies frees its own."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack, nullcontext
from pathlib import Path

import pytest
import torch

from senet_repro.config.schema import Trainer
from senet_repro.core.errors import ConfigError
from senet_repro.training import devices
from senet_repro.training.devices import reserve_gpus, reserve_names, uses_gpu


@pytest.fixture(autouse=True)
def _own_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.mark.parametrize(
    ("names", "wanted", "expected"),
    [
        (["0", "1"], [1, 1, 1, 1, 1], [["0"], ["1"], ["0"], ["1"], ["0"]]),
        (["2"], [1, 1, 1], [["2"], ["2"], ["2"]]),
        (["0", "1", "2"], [2, 1, 2], [["0", "1"], ["2"], ["0", "1"]]),
        (["0", "1"], [2, 2], [["0", "1"], ["0", "1"]]),
    ],
)
def test_each_job_takes_what_the_fewest_use(
    names: list[str], wanted: list[int], expected: list[list[str]]
) -> None:
    with ExitStack() as jobs:
        assert [jobs.enter_context(reserve_names(names, count)) for count in wanted] == expected


def test_what_a_job_gives_back_is_taken_first() -> None:
    names = ["0", "1"]
    with reserve_names(names, 1), ExitStack() as second:
        assert second.enter_context(reserve_names(names, 1)) == ["1"]
        second.close()
        with reserve_names(names, 1) as third:
            assert third == ["1"]


RESERVE = """
import sys, tempfile
from senet_repro.training import devices
tempfile.tempdir = sys.argv[1]
with devices.reserve_names(["0", "1"], 1) as mine:
    print(*mine, flush=True)
    sys.stdin.read()
"""


def test_processes_share_and_one_that_is_killed_frees_its_own(tmp_path: Path) -> None:
    def start() -> tuple[subprocess.Popen[str], str]:
        command = [sys.executable, "-c", RESERVE, str(tmp_path)]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        return process, process.stdout.readline().strip()

    first, second = start(), start()
    assert (first[1], second[1]) == ("0", "1")
    first[0].kill()
    first[0].communicate()
    third = start()
    assert third[1] == "0"
    for process, _ in (second, third):
        process.communicate()


@pytest.mark.parametrize(
    ("accelerator", "gpus", "expected"),
    [("auto", [], False), ("auto", ["0"], True), ("cpu", ["0"], False), ("gpu", [], True)],
)
def test_gpus_are_used_where_asked_for_or_where_there_are_any(
    accelerator: str, gpus: Sequence[str], expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "list_visible_gpus", lambda: list(gpus))
    assert uses_gpu(Trainer(accelerator=accelerator)) == expected


@pytest.mark.parametrize(
    ("nvidia", "has_amd", "expected"),
    [
        ("libc.so.6", False, ["0", "1"]),
        ("libnowhere.so", True, ["0", "1"]),
        ("libnowhere.so", False, []),
    ],
)
def test_gpus_are_looked_for_where_there_is_a_driver(
    nvidia: str,
    has_amd: bool,
    expected: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    amd = tmp_path / "kfd"
    if has_amd:
        amd.touch()
    monkeypatch.setattr(devices, "_NVIDIA_DRIVER", nvidia)
    monkeypatch.setattr(devices, "_AMD_DRIVER", amd)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert devices.list_visible_gpus() == expected


def test_a_machine_without_a_gpu_is_told_what_a_cpu_is_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(devices, "list_visible_gpus", list)
    asked = reserve_gpus(Trainer(accelerator="gpu"))
    with pytest.raises(
        ConfigError, match=r"^trainer\.accelerator=gpu: .* give trainer\.accelerator=cpu"
    ):
        asked.__enter__()


def test_more_gpus_than_there_are_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "list_visible_gpus", lambda: ["0"])
    asked = reserve_gpus(Trainer(accelerator="gpu", devices=2))
    with pytest.raises(ConfigError, match="this machine has 1 GPUs; give as many"):
        asked.__enter__()


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (Trainer(precision="16-mixed"), r"16-bit floats on GPUs only; give bf16-mixed or 32-true"),
        (Trainer(devices=2, sync_bn=True), r"trainer\.sync_bn=true: torch offers it on GPUs only"),
        (Trainer(devices=9), r"this machine has 2 cores; give 2 or fewer"),
    ],
)
def test_what_the_cpu_does_not_offer_is_refused_before_training(
    asked: Trainer, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "list_visible_gpus", list)
    monkeypatch.setattr(devices.os, "sched_getaffinity", lambda _: {0, 1})
    with pytest.raises(ConfigError, match=message):
        reserve_gpus(asked).__enter__()


@pytest.mark.parametrize(
    ("environment", "is_refused"),
    [
        ({"CXX": "nowhere-c++"}, True),
        ({"CXX": ""}, True),
        ({"CXX": 'compiler"'}, True),
        ({}, True),
        ({"CXX": "nowhere-c++", "TORCH_INDUCTOR_INSTALL_GXX": "1"}, False),
        ({"CXX": "compiler"}, False),
        ({"CXX": "compiler --quick"}, False),
    ],
)
def test_compilation_without_a_compiler_is_refused_before_it_begins(
    environment: dict[str, str],
    is_refused: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compiler = tmp_path / "compiler"
    compiler.touch(mode=0o755)
    for name in ("CXX", "TORCH_INDUCTOR_INSTALL_GXX"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"PATH": str(tmp_path), **environment}.items():
        monkeypatch.setenv(name, value)
    expected = pytest.raises(ConfigError, match="install g") if is_refused else nullcontext()
    with expected, reserve_gpus(Trainer(accelerator="cpu", compile=True)):
        pass
    with reserve_gpus(Trainer(accelerator="cpu")):
        pass
