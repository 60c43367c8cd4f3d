"""Runs that share a device wait for room in its memory, and for each other alone."""

from __future__ import annotations

import signal
import tempfile
from pathlib import Path

import pytest

from senet_repro.core.errors import Stopped
from senet_repro.core.files import read_object
from senet_repro.core.signals import Deferral
from senet_repro.training import device_memory, memory_room
from senet_repro.training.device_memory import MachineMemory
from senet_repro.training.memory_room import hold_room
from tests.commands import wait_until

GB = 10**9


class FakeMemory:
    """A GPU of 10 GB, of which nobody takes what was reserved."""

    name = "GPU 0"

    def __init__(self, free: int | None = 10 * GB) -> None:
        self.free = free
        self.own = 0

    def count_free(self) -> int | None:
        return self.free

    def count_own(self) -> int:
        return self.own

    def give_back(self) -> None:
        pass


class Patience(Deferral):
    """Looks at the signal a few times, and then has `memory` free, or a signal."""

    def __init__(self, memory: FakeMemory | None = None) -> None:
        super().__init__()
        self._memory = memory
        self.looks = 0

    def stop_if_signalled(self) -> None:
        self.looks += 1
        if self.looks == 3:
            if self._memory is None:
                self.signum = signal.SIGTERM
            else:
                self._memory.free = 20 * GB
        super().stop_if_signalled()


@pytest.fixture(autouse=True)
def _own_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(memory_room, "LOOK_S", 0.0)
    monkeypatch.setattr(memory_room, "NOTE_S", 0.01)


def test_a_run_waits_until_there_is_room_and_says_so_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    memory = FakeMemory()
    patience = Patience(memory)
    with hold_room(memory, 6 * GB, Deferral()), hold_room(memory, 5 * GB, patience):
        assert patience.looks == 3
    said = capsys.readouterr().err
    assert said.count("for memory: about 5.0 GB are needed and 4.0 GB to be had on GPU 0") == 1
    assert said.count("\n") == 1


def test_what_fits_beside_others_waits_for_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    memory = FakeMemory()
    patience = Patience()
    with hold_room(memory, 6 * GB, patience), hold_room(memory, 3 * GB, patience):
        pass
    # Both have given their room back.
    with hold_room(memory, 9 * GB, patience):
        pass
    assert (patience.looks, capsys.readouterr().err) == (0, "")


def test_a_signal_ends_the_wait() -> None:
    memory = FakeMemory()
    with hold_room(memory, 9 * GB, Deferral()), pytest.raises(Stopped):
        hold_room(memory, 9 * GB, Patience()).__enter__()


def test_a_run_that_fits_nowhere_is_tried_where_no_other_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with hold_room(FakeMemory(), 12 * GB, Patience()):
        pass
    said = capsys.readouterr().err
    assert "about 12.0 GB of memory are needed and 10.0 GB to be had on GPU 0: tried" in said
    assert "trainer.accumulate" in said


def test_a_machine_that_does_not_tell_keeps_nobody_waiting() -> None:
    memory = FakeMemory(free=None)
    with hold_room(memory, 9 * GB, Patience()), hold_room(memory, 9 * GB, Patience()):
        pass


def test_what_a_run_has_taken_is_not_counted_twice(tmp_path: Path) -> None:
    memory = FakeMemory()
    with hold_room(memory, 6 * GB, Deferral()):
        memory.own, memory.free = 6 * GB, 4 * GB
        (note,) = tmp_path.glob("**/memory-GPU-0-0/memory.json")
        wait_until(lambda: read_object(note)["taken"] == 6 * GB, limit_s=10)
        with hold_room(memory, 3 * GB, Patience()):
            pass


def test_what_a_killed_run_left_of_a_note_is_removed_by_the_next(tmp_path: Path) -> None:
    memory = FakeMemory()
    with hold_room(memory, GB, Deferral()):
        (note,) = tmp_path.glob("**/memory-GPU-0-0/memory.json")
    part = note.with_name(".memory.json.123.tmp")
    part.write_text("{")
    with hold_room(memory, GB, Deferral()):
        assert not part.exists()


@pytest.mark.parametrize(
    ("limit", "expected"),
    [("max", 8192), ("6000", 3000), (None, 8192)],
    ids=["no limit", "a container's", "no group"],
)
def test_the_machine_has_what_the_system_and_the_container_leave(
    limit: str | None, expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal: 16 kB\nMemAvailable: 8 kB\n")
    if limit is not None:
        (tmp_path / "memory.max").write_text(f"{limit}\n")
        (tmp_path / "memory.current").write_text("5000\n")
        (tmp_path / "memory.stat").write_text("anon 1000\ninactive_file 2000\n")
    monkeypatch.setattr(device_memory, "MEMINFO", meminfo)
    monkeypatch.setattr(device_memory, "GROUP", tmp_path)
    assert MachineMemory().count_free() == expected
    monkeypatch.setattr(device_memory, "MEMINFO", tmp_path / "none")
    assert MachineMemory().count_free() is None
