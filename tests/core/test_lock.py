"""A folder has one writer, and who dies gives it free."""

from __future__ import annotations

import fcntl
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from senet_repro.core.lock import hold_lock, is_locked
from tests.commands import wait_until
from tests.folders import held_elsewhere


def test_a_second_process_is_told_who_holds_the_lock_and_gets_it_when_that_one_is_killed(
    tmp_path: Path,
) -> None:
    told = []
    with held_elsewhere(tmp_path) as holder:

        def on_wait(who: str) -> None:
            told.append(who)
            os.kill(holder.pid, signal.SIGKILL)

        with hold_lock(tmp_path, on_wait):
            pass
    assert told == [
        f"waiting for process {holder.pid} on {os.uname().nodename}, which works in {tmp_path}"
    ]


def test_who_died_with_the_lock_is_told_to_the_next_and_who_gave_it_back_is_not(
    tmp_path: Path,
) -> None:
    told: list[str] = []
    with hold_lock(tmp_path, told.append):
        pass
    with hold_lock(tmp_path, told.append):
        pass
    assert told == []
    with held_elsewhere(tmp_path) as holder:
        assert is_locked(tmp_path)
        holder.kill()
        holder.wait()
        assert not is_locked(tmp_path)
        with hold_lock(tmp_path, told.append):
            assert is_locked(tmp_path)
    assert told == [
        f"process {holder.pid} on {os.uname().nodename} died while it worked in {tmp_path}; taking over"
    ]


def test_looking_at_a_lock_makes_nobody_wait(tmp_path: Path) -> None:
    told: list[str] = []
    with hold_lock(tmp_path, told.append):
        pass
    with (tmp_path / "lock").open("rb") as look:
        fcntl.flock(look, fcntl.LOCK_SH)
        threading.Timer(0.02, fcntl.flock, (look, fcntl.LOCK_UN)).start()
        with hold_lock(tmp_path, told.append):
            pass
    assert told == []
    assert not is_locked(tmp_path / "nowhere")


def test_who_waits_for_a_folder_that_is_removed_gets_it_anew(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    told: list[str] = []
    with ThreadPoolExecutor() as pool:
        with hold_lock(folder, told.append):

            def lock_it() -> bool:
                with hold_lock(folder, told.append):
                    return is_locked(folder)

            other = pool.submit(lock_it)
            wait_until(lambda: told, "the other to wait for the lock", poll_s=0.005)
            folder.rename(tmp_path / "doomed")
        assert other.result(timeout=30)
    assert (folder / "lock").exists()


def test_a_lock_is_taken_at_once_or_not_at_all(tmp_path: Path) -> None:
    told: list[str] = []
    with hold_lock(tmp_path, told.append), hold_lock(tmp_path, told.append, wait=False) as second:
        assert second is None
    with hold_lock(tmp_path, told.append, wait=False) as first:
        assert first is not None
        assert is_locked(tmp_path)
    assert told == []
