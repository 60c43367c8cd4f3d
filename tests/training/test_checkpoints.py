"""Checkpoints are whole or absent, the one before is kept, and only a run's own is used."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from senet_repro.core.errors import DataError
from senet_repro.core.signals import Deferral
from senet_repro.execution.execute import train_to_record
from senet_repro.results.run_folder import RunFolder
from senet_repro.training import checkpoints
from senet_repro.training.callbacks import SafePoints
from senet_repro.training.checkpoints import Checkpoints, read_checkpoint
from tests.training.runs import EACH_EPOCH, outcomes, same, silent, small, timeless_epochs, weights

pytestmark = pytest.mark.usefixtures("one_thread")


def store(folder: Path, *overrides: str) -> Checkpoints:
    return Checkpoints(small(folder, *overrides), RunFolder(folder))


def state(value: float) -> dict[str, Any]:
    return {"state_dict": {"net.x": torch.full((3,), float(value))}}


def value(path: Path) -> float:
    return float(read_checkpoint(path)["state_dict"]["net.x"][0])


def test_the_one_before_is_kept_and_nothing_else(tmp_path: Path) -> None:
    folder, files = RunFolder(tmp_path), store(tmp_path)
    assert files.find_newest(silent) is None
    for number in range(3):
        files.save_checkpoint(state(number), folder.last_checkpoint)
    assert value(folder.last_checkpoint) == 2
    assert value(folder.previous_checkpoint) == 1
    names = sorted(path.name for path in folder.checkpoints.iterdir())
    assert names == ["last.ckpt", "previous.ckpt"]
    assert files.find_newest(silent) == folder.last_checkpoint


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-50])


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[content.index(b"\x00\x00\x80\x3f")] ^= 1  # of a weight of 1.0
    path.write_bytes(content)


def another_program(path: Path) -> None:
    torch.save({"epoch": 3}, path)


def another_run(path: Path) -> None:
    folder = path.parent.parent / "other"
    folder.mkdir()
    other = RunFolder(folder).last_checkpoint
    store(folder, "r=2").save_checkpoint(state(1), other)
    shutil.copy(other, path)


def another_seed(path: Path) -> None:
    content = read_checkpoint(path)
    content["senet_repro"]["seed"] = 7
    torch.save(content, path)


def newer(path: Path) -> None:
    content = read_checkpoint(path)
    content["senet_repro"]["format_version"] = 99
    torch.save(content, path)


def within_an_epoch_of_an_older_version(path: Path) -> None:
    content = read_checkpoint(path)
    content["senet_repro"]["format_version"] = 1
    torch.save({**content, "epoch_so_far": {"sums": [1.0, 2.0, 3.0, 4.0]}}, path)


class Code:
    """What a malicious file would have run."""

    def __reduce__(self) -> tuple[Callable[[str], Any], tuple[str]]:
        return print, ("this must not be printed",)


def code(path: Path) -> None:
    torch.save({**read_checkpoint(path), "extra": Code()}, path)


DAMAGES = {
    cut_short: "is not a whole checkpoint",
    flip_a_bit: "is not a whole checkpoint",
    another_program: "is no checkpoint of senet_repro",
    another_run: "belongs to another run, [0-9a-f]{8} seed 0",
    another_seed: "belongs to another run, [0-9a-f]{8} seed 7",
    newer: "is of a newer senet_repro",
    within_an_epoch_of_an_older_version: "is of an older senet_repro and in the middle of an epoch",
    code: "is not a whole checkpoint",
}


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_one_that_cannot_be_used_is_named_and_the_one_before_is_used(
    damage: Callable[[Path], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, files = RunFolder(tmp_path), store(tmp_path)
    for number in (0, 1):
        files.save_checkpoint(state(number), folder.last_checkpoint)
    damage(folder.last_checkpoint)
    told: list[str] = []
    assert files.find_newest(told.append) == folder.previous_checkpoint
    assert len(told) == 1
    assert value(folder.previous_checkpoint) == 0
    assert told[0].endswith("going on from previous.ckpt")
    folder.previous_checkpoint.unlink()
    with pytest.raises(
        DataError,
        match=f"last\\.ckpt {DAMAGES[damage]}.*delete .*checkpoints to start the run anew",
    ):
        files.find_newest(silent)
    assert "must not be printed" not in capsys.readouterr().out


@pytest.mark.parametrize("step", ["write_bytes", "_load_stamped", "flush_folder"])
def test_a_failure_at_any_step_of_writing_leaves_one_to_go_on_from(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, files = RunFolder(tmp_path), store(tmp_path)
    for number in (0, 1):
        files.save_checkpoint(state(number), folder.last_checkpoint)

    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "the disk broke")

    with monkeypatch.context() as broken:
        broken.setattr(checkpoints, step, fail)
        with pytest.raises(OSError, match="the disk broke"):
            files.save_checkpoint(state(2), folder.last_checkpoint)
    found = files.find_newest(silent)
    assert found is not None
    assert value(found) == (2 if step == "flush_folder" else 1)


def test_a_run_whose_last_checkpoint_is_lost_ends_the_same(tmp_path: Path) -> None:
    whole, hurt = (small(tmp_path / name, EACH_EPOCH) for name in ("whole", "hurt"))
    for run in (whole, hurt):
        train_to_record(run, silent)
    folder = RunFolder.of(hurt)
    folder.record_file.unlink()
    cut_short(folder.last_checkpoint)
    train_to_record(hurt, silent)
    assert timeless_epochs(hurt) == timeless_epochs(whole)
    assert same(weights(hurt), weights(whole))
    assert outcomes(hurt) == outcomes(whole)


def test_a_checkpoint_between_epochs_of_an_older_version_is_gone_on_from(tmp_path: Path) -> None:
    folder, files = RunFolder(tmp_path), store(tmp_path)
    files.save_checkpoint(state(1), folder.last_checkpoint)
    content = read_checkpoint(folder.last_checkpoint)
    content["senet_repro"]["format_version"] = 1
    torch.save(content, folder.last_checkpoint)
    assert files.find_newest(silent) == folder.last_checkpoint


class Clock:
    """A trainer as `SafePoints` sees it: so many devices, of which one is meant, and what they agree on."""

    def __init__(self, devices: int, is_first: bool, agreed: bool) -> None:
        self.world_size = devices
        self.is_global_zero = is_first
        self.strategy = self
        self.agreed = agreed
        self.said: list[bool] = []

    def reduce_boolean_decision(self, decision: bool, all: bool) -> bool:
        self.said.append(decision)
        return self.agreed


@pytest.mark.parametrize(
    ("pause_s", "trainer", "is_due", "said"),
    [
        (0, Clock(1, is_first=True, agreed=False), True, []),
        (3600, Clock(1, is_first=True, agreed=True), False, []),
        (0, Clock(2, is_first=True, agreed=True), True, [True]),
        # Its own clock says so, and is not asked.
        (0, Clock(2, is_first=False, agreed=False), False, [False]),
        (3600, Clock(2, is_first=False, agreed=True), True, [False]),
    ],
)
def test_the_clock_of_the_first_device_says_when_a_checkpoint_is_due(
    pause_s: int, trainer: Any, is_due: bool, said: list[bool], tmp_path: Path
) -> None:
    points = SafePoints(RunFolder(tmp_path), Deferral(), pause_s)
    assert points._is_checkpoint_due(trainer) == is_due
    assert trainer.said == said
