"""Import what a process keeps to its end, at less cost (core floor)."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from senet_repro.core.slow_work import SlowWork


@contextmanager
def loading_for_good(what: str) -> Iterator[None]:
    """Import large libraries within this context, such as `with loading_for_good("torch"): import torch`.

    They are kept to the process's end, and are spared the garbage collector: torch and Lightning make half a million
    objects, among which it finds no garbage, as often as it looks. It would do so while they are imported, now and then
    in a training, and several times as the process ends, for a second or two. Like any slow work, it is told.
    """
    was_enabled, modules = gc.isenabled(), len(sys.modules)
    gc.disable()
    try:
        with SlowWork(f"loading {what}"):
            yield
        # A later import of the same would keep what runs have made since, garbage included.
        if len(sys.modules) > modules:
            keep_for_good()
    finally:
        if was_enabled:
            gc.enable()


def keep_for_good() -> None:
    """Have the garbage collector look no more at the objects that there are; call it once all is imported."""
    gc.freeze()
