"""The verb bench: one benchmark here, all of them in processes of their own, and what fails is told."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from senet_repro.benchmarks.measurement import Measurement, require_agreement
from senet_repro.benchmarks.options import BenchOptions
from senet_repro.cli.verbs import bench
from senet_repro.core.errors import Stopped
from tests.benchmarks.test_report import MACHINE, make_measurement
from tests.commands import InProcess, wait_until


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[BenchOptions]:
    """Let `step` measure nothing and say what it was asked for, and `peers` disagree."""
    found: list[BenchOptions] = []

    def measure_step(options: BenchOptions) -> list[Measurement]:
        found.append(options)
        return [make_measurement(what="a step")]

    def measure_peers(options: BenchOptions) -> list[Measurement]:
        require_agreement("logits", 1.0, 1e-5)
        return []

    fakes = ModuleType("fakes")
    fakes.__dict__.update(measure_step=measure_step, measure_peers=measure_peers)
    machine = ModuleType("machine")
    machine.__dict__["describe_machine"] = lambda: MACHINE
    monkeypatch.setitem(sys.modules, "fakes", fakes)
    # The real one imports torch and Lightning.
    monkeypatch.setitem(sys.modules, "senet_repro.benchmarks.machine", machine)
    monkeypatch.setitem(bench.BENCHMARKS, "step", ("fakes", "measure_step"))
    monkeypatch.setitem(bench.BENCHMARKS, "peers", ("fakes", "measure_peers"))
    return found


def test_settings_and_flags_come_in_any_order_and_files_are_written_where_asked(
    asked: list[BenchOptions], answer: InProcess, tmp_path: Path
) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    words = ["--quick", "r=2", "--output", str(tmp_path), "model=resnet29", "--data", str(pictures)]
    done = answer("bench", "step", *words)
    assert (done.returncode, done.stderr) == (0, "")
    (options,) = asked
    assert options.overrides == ("r=2", "model=resnet29")
    assert (options.is_quick, options.data_root) == (True, str(pictures))
    assert "a step, beside" in done.stdout
    written = json.loads((tmp_path / "step.json").read_text())
    assert (written["quick"], written["overrides"]) == (True, ["r=2", "model=resnet29"])


def test_a_fast_wrong_answer_is_told_in_a_line_with_exit_code_1(
    asked: list[BenchOptions], answer: InProcess, tmp_path: Path
) -> None:
    done = answer("bench", "peers", "--output", str(tmp_path))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("senet_repro: bench peers: logits differ by 1, more than 1e-05")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["step", "--output", "FILE/below"], "--output FILE/below: Not a directory; give a folder"),
        (["--output", "FILE"], "--output FILE: File exists; give a folder to write to"),
        (["input", "--data", "FILE"], "--data FILE: there is no such folder"),
        (["cost", "trainer.foo=1"], "unknown key 'trainer.foo'"),
        (["gpu", "--only", "bogus"], "bench gpu --only=bogus: give env"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_loaded_or_measured(
    words: list[str], told: str, answer: InProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(what: str) -> None:
        raise AssertionError(f"loaded {what}")

    monkeypatch.setattr(bench, "loading_for_good", load)
    monkeypatch.setattr(bench, "_run_to_end", load)
    file = tmp_path / "file"
    file.touch()
    done = answer("bench", *(word.replace("FILE", str(file)) for word in words))
    assert (done.returncode, done.stdout) == (2, "")
    assert told.replace("FILE", str(file)) in done.stderr


def test_without_a_word_every_benchmark_has_a_process_and_a_failed_one_holds_up_none(
    answer: InProcess, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    started: list[list[str]] = []

    def run_to_end(command: list[str]) -> int:
        started.append(command[4:])
        return int(command[4] == "cost")

    monkeypatch.setattr(bench, "_run_to_end", run_to_end)
    monkeypatch.setattr(bench, "find_spec", lambda name: None)
    monkeypatch.setattr("senet_repro.training.devices.list_visible_gpus", lambda: ())
    done = answer("bench", "--quick", "--output", str(tmp_path))
    assert done.returncode == 1
    assert [words[0] for words in started] == ["input", "step", "cost", "jobs", "campaign"]
    assert all(words[1:] == ["--quick", "--output", str(tmp_path)] for words in started)
    assert "bench peers is left out: timm, its yardstick, is not installed" in done.stderr
    assert "bench gpu is left out: no GPU is seen" in done.stderr
    assert done.stderr.endswith("senet_repro: failed: cost\n")


def test_a_process_of_a_benchmark_is_told_when_this_one_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "told"
    script = f"trap 'touch {told}; kill $!; exit 0' TERM; sleep 60 & touch {tmp_path}/ready; wait"

    def wait_once(process: subprocess.Popen[bytes], timeout: float | None = None) -> int:
        monkeypatch.undo()
        wait_until(lambda: (tmp_path / "ready").exists())
        raise Stopped(signal.SIGTERM)

    monkeypatch.setattr(subprocess.Popen, "wait", wait_once)
    with pytest.raises(Stopped):
        bench._run_to_end(["sh", "-c", script])
    assert told.exists()
