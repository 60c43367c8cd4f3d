"""Runs on disks that fill up or cannot be written to: told with the mend, and gone on with once there is room."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.sweeps import SMALL, finish, records, states, table
from tests.disks import make_read_only, resize, small_disk
from tests.training.runs import EACH_EPOCH

pytestmark = [
    pytest.mark.slow,
    pytest.mark.faults,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk"),
]

SWEEP = ["-m", "+ablation=reduction_ratio", "r=2,none", "recipe.epochs=3", EACH_EPOCH, *SMALL]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    assert finish(folder, *SWEEP).returncode == 0
    return folder


# A checkpoint takes 1.2 MB, and is written beside the two before it.
@pytest.mark.parametrize(
    "size_kib", [64, 1000, pytest.param(2600, marks=pytest.mark.gate), 3700, 4200]
)
def test_a_sweep_that_fills_the_disk_says_so_and_goes_on_once_there_is_room(
    size_kib: int, whole: Path, tmp_path: Path
) -> None:
    with small_disk(tmp_path, size_kib):
        done = finish(tmp_path, *SWEEP)
        assert done.returncode == 1, done.stderr
        assert "No space left on device" in done.stderr
        assert "free some space and give the same command again" in done.stderr
        assert "Traceback" not in done.stderr
        assert not list(tmp_path.rglob(".*.tmp"))
        resize(tmp_path, 64_000)
        again = finish(tmp_path, *SWEEP)
        assert again.returncode == 0, again.stderr
        assert table(tmp_path) == table(whole)
        assert records(tmp_path) == records(whole)


@pytest.mark.parametrize(
    "command", [pytest.param(["r=2"], marks=pytest.mark.gate), ["-m", "r=2,4"]]
)
def test_a_disk_that_cannot_be_written_to_is_told_before_anything_is_trained(
    command: list[str], tmp_path: Path
) -> None:
    with small_disk(tmp_path, 4000):
        make_read_only(tmp_path)
        done = finish(tmp_path, *command, *SMALL)
        assert states(tmp_path) == []
    assert done.returncode == 2
    assert "Read-only file system" in done.stderr
    assert "give a results folder to write to" in done.stderr
    assert "Traceback" not in done.stderr
