"""Room in a device's memory for each of the runs that share it (training floor).

Before a run trains, the memory that it will need is estimated and written down in a locked folder among the machine's
temporary files, as the reservations of GPUs are. The next run needs its own estimate free, beyond what the others have
written down and not taken yet; until then it waits. The kernel unlocks the folder when its process dies.

A run waits for other runs alone. Where no other is under way on the device it is tried at once: an estimate may be too
high, and a run that ends out of memory names its mend.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path

from senet_repro.config.schema import Run
from senet_repro.core.background import BackgroundWork
from senet_repro.core.files import (
    find_temporary_folder,
    read_object,
    remove_unfinished,
    write_json,
)
from senet_repro.core.lock import hold_lock, is_locked
from senet_repro.core.signals import Deferral
from senet_repro.core.wording import count_noun
from senet_repro.training.device_memory import DeviceMemory, GpuMemory, MachineMemory
from senet_repro.training.devices import list_visible_gpus
from senet_repro.training.memory_estimate import estimate_memory

LOOK_S = 1.0
# So often a run that trains writes down what it has taken by now.
NOTE_S = 2.0
# And not before it has grown by a tenth of its need.
NOTE_SHARE = 0.1
GB = 1e9


@contextmanager
def reserve_memory(run: Run, gpus: Sequence[str], deferral: Deferral) -> Iterator[None]:
    """Wait until there is room for a run of one device, and hold it until the context ends.

    `gpus` names the GPU that the run has reserved; it is empty for a run on the CPU.

    Raises:
        Stopped: a signal came while the run waited.
    """
    need = estimate_memory(run)
    memory = _find_memory(gpus)
    if need is None:
        # Its training says what is wrong with the network.
        yield
        return
    with hold_room(memory, need, deferral):
        try:
            yield
        finally:
            # Before the room is given to others. Lightning's objects hold each other, until they are collected.
            if gpus:
                gc.collect()
            memory.give_back()


def _find_memory(gpus: Sequence[str]) -> DeviceMemory:
    if not gpus:
        return MachineMemory()
    name = gpus[0]
    return GpuMemory(name, list_visible_gpus().index(name))


@contextmanager
def hold_room(memory: DeviceMemory, need: int, deferral: Deferral) -> Iterator[None]:
    """Hold room for `need` bytes in a device's memory, as soon as there is so much or no other run is there.

    Raises:
        Stopped: a signal came meanwhile.
    """
    folder = find_temporary_folder()
    folder.mkdir(mode=0o700, exist_ok=True)
    stem = f"memory-{memory.name.replace('/', '-').replace(' ', '-')}"
    is_told = False
    with ExitStack() as held:
        while True:
            # One run at a time decides, so that no two take the same room.
            with hold_lock(folder / f"{stem}-deciding"):
                others = _list_reservations(folder, stem)
                free = _count_room(memory, others)
                if free is None or need <= free or not others:
                    reservation = _take_reservation(held, folder, stem)
                    _write_reservation(reservation, need, 0)
                    break
            if not is_told:
                _print_wait(memory, need, free, len(others))
                is_told = True
            deferral.stop_if_signalled()
            time.sleep(LOOK_S)
        if free is not None and need > free:
            _print_doubt(memory, need, free)
        held.enter_context(_TakenNotes(memory, need, reservation))
        yield


def _list_reservations(folder: Path, stem: str) -> list[Path]:
    """Return the reservations on a device that living processes hold."""
    return [path for path in sorted(folder.glob(f"{stem}-[0-9]*")) if is_locked(path)]


def _count_room(memory: DeviceMemory, others: Sequence[Path]) -> int | None:
    """Return what is free beyond what others have reserved and not taken yet; None where nothing tells."""
    free = memory.count_free()
    if free is None:
        return None
    for path in others:
        reservation = read_object(path / "memory.json")
        still_to_come = reservation.get("need", 0) - reservation.get("taken", 0)
        free -= max(still_to_come, 0)
    return free


def _take_reservation(held: ExitStack, folder: Path, stem: str) -> Path:
    """Lock the first folder for a reservation that nobody holds, until `held` ends."""
    for number in count():
        reservation = folder / f"{stem}-{number}"
        if held.enter_context(hold_lock(reservation, wait=False)) is not None:
            # Of a run that was killed as it wrote; nothing else ever tidies the folder.
            remove_unfinished(reservation)
            return reservation
    raise AssertionError("numbers do not end")


def _write_reservation(reservation: Path, need: int, taken: int) -> None:
    write_json(reservation / "memory.json", {"need": need, "taken": taken})


def _print_wait(memory: DeviceMemory, need: int, free: int, others: int) -> None:
    now = time.strftime("%H:%M")
    print(
        f"waiting since {now} for memory: about {need / GB:.1f} GB are needed and {max(free, 0) / GB:.1f} GB to be had "
        f"on {memory.name}, beside {count_noun(others, 'other run')}",
        file=sys.stderr,
    )


def _print_doubt(memory: DeviceMemory, need: int, free: int) -> None:
    print(
        f"about {need / GB:.1f} GB of memory are needed and {max(free, 0) / GB:.1f} GB to be had on {memory.name}: "
        "tried all the same; a larger trainer.accumulate needs less",
        file=sys.stderr,
    )


class _TakenNotes(BackgroundWork):
    """Writes down now and then what this process has taken of its reservation, in a thread of its own."""

    def __init__(self, memory: DeviceMemory, need: int, reservation: Path) -> None:
        super().__init__()
        self._memory = memory
        self._need = need
        self._reservation = reservation
        self._taken_before = memory.count_own()
        self._noted = 0

    def _work_until_end(self) -> None:
        while not self._has_ended.wait(NOTE_S):
            taken = self._memory.count_own() - self._taken_before
            if taken - self._noted < NOTE_SHARE * self._need:
                continue
            self._noted = taken
            try:
                _write_reservation(self._reservation, self._need, taken)
            except OSError:
                # The disk is full: others see room for less than there is.
                return
