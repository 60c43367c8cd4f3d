"""Jobs side by side are timed by whole commands, and only where they give the same table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from senet_repro.benchmarks import jobs
from senet_repro.benchmarks.jobs import measure_jobs
from senet_repro.benchmarks.options import BenchOptions
from senet_repro.training import devices


class Commands:
    """Stands in the place of the command line: leaves records and epochs, and prints tables."""

    def __init__(self, tables: Sequence[str] = ("table",)) -> None:
        self.asked: list[str] = []
        self._tables = list(tables)

    def __call__(self, arguments: Sequence[str]) -> str:
        line = " ".join(arguments)
        self.asked.append(line)
        if arguments[0] == "table":
            return self._tables.pop(0) if len(self._tables) > 1 else self._tables[0]
        folder = Path(arguments[-1].removeprefix("results_dir="))
        seeds = 12 if "n_jobs=12" in line else 1
        # A twelfth of a GPU, four times as well used.
        epoch_s = 30 if seeds == 12 else 10
        epoch = {"train_images": 100, "train_s": 1.0, "epoch_s": epoch_s, "train_loss": 1.0}
        for seed in range(seeds):
            run_folder = folder / "run" / f"seed{seed}"
            run_folder.mkdir(parents=True)
            (run_folder / "record.json").touch()
            (run_folder / "metrics.jsonl").write_text(f"{json.dumps(epoch)}\n")
        return ""


def test_two_jobs_are_timed_beside_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    commands = Commands()
    monkeypatch.setattr(jobs, "_call", commands)
    (measured,) = measure_jobs(BenchOptions(is_quick=True))
    assert (measured.goal, measured.is_more_better, measured.unit) == (0.6, False, "s")
    assert measured.check == "tables of 2 sweeps equal to the byte"
    sweeps = [line for line in commands.asked if line.startswith("-m")]
    assert ["hydra/launcher=joblib" in line for line in sweeps] == [True, False]
    assert len({line.split()[-1] for line in sweeps}) == 2


def test_settings_are_of_the_runs_of_both_sweeps(monkeypatch: pytest.MonkeyPatch) -> None:
    commands = Commands()
    monkeypatch.setattr(jobs, "_call", commands)
    measure_jobs(BenchOptions(overrides=("model=resnet20",), is_quick=True))
    sweeps = [line for line in commands.asked if line.startswith("-m")]
    assert [line.count("model=resnet20") for line in sweeps] == [1, 1]


def test_another_table_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_call", Commands(["one table", "another"]))
    with pytest.raises(RuntimeError, match="a fast wrong answer does not count"):
        measure_jobs(BenchOptions(is_quick=True))


def test_twelve_runs_on_a_gpu_are_set_beside_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "_call", Commands())
    monkeypatch.setattr(devices, "list_visible_gpus", lambda: ["0"])
    _, crowd = measure_jobs(BenchOptions(data_root=str(tmp_path)))
    assert (crowd.ours, crowd.theirs, crowd.ratio) == (pytest.approx(40), 10, pytest.approx(4))
    assert crowd.meets_goal
    assert crowd.check == "training losses of seed 0 within 5e-02"
