"""Silence of two seconds is broken, and no other."""

from __future__ import annotations

import sys
import time

import pytest

from senet_repro.core import slow_work
from senet_repro.core.slow_work import SlowWork
from tests.commands import wait_until


def test_quick_work_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    with SlowWork("counting"):
        pass
    assert capsys.readouterr() == ("", "")


def test_slow_work_says_what_it_does_and_how_far_it_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slow_work, "FIRST_S", 0.01)
    monkeypatch.setattr(slow_work, "AGAIN_S", 0.01)
    said = ""

    def says(line: str) -> bool:
        nonlocal said
        out, err = capsys.readouterr()
        assert out == ""
        said += err
        return line in said

    with SlowWork("counting") as work:
        wait_until(lambda: says("senet_repro: counting ...\n"))
        work.count(3, 8)
        wait_until(lambda: says("senet_repro: counting (3 of 8) ...\n"))


def test_work_goes_on_where_nothing_can_be_said(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone:
        def write(self, _text: str) -> int:
            raise BrokenPipeError

        def flush(self) -> None:
            raise BrokenPipeError

    monkeypatch.setattr(slow_work, "FIRST_S", 0.0)
    monkeypatch.setattr(sys, "stderr", Gone())
    with SlowWork("counting"):
        time.sleep(0.02)


def test_work_that_fails_is_not_spoken_of_any_more(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slow_work, "FIRST_S", 0.02)
    with pytest.raises(KeyboardInterrupt), SlowWork("counting"):
        raise KeyboardInterrupt
    time.sleep(0.04)
    assert capsys.readouterr().err == ""
