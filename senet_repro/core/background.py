"""Work beside a block of code, in a thread that ends with it (core floor)."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class BackgroundWork(ABC):
    """Runs `_work_until_end` in a thread of its own while a block runs: `with BackgroundWork(): ...`.

    A subclass waits by `self._has_ended.wait(seconds)`, which is true once the block has ended.
    """

    def __init__(self) -> None:
        self._has_ended = threading.Event()
        self._thread = threading.Thread(target=self._work_until_end, daemon=True)

    def __enter__(self) -> Self:
        """Begin to work."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Work no more, however the block ended."""
        self._has_ended.set()
        self._thread.join()

    @abstractmethod
    def _work_until_end(self) -> None:
        """Work now and then, until the block has ended."""
