"""Standard output and error that outlive their terminal (core floor).

A run is worth more than its lines: the terminal may close, `head` may have seen enough, the disk of a log may be full.
What cannot be printed then is not printed, whoever prints it, and training goes on.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, TextIO, cast

# The reader or the terminal is gone for good; a full disk may have space again.
_GONE = (errno.EPIPE, errno.EIO, errno.EBADF)


class LenientStream:
    """Stands before a stream of text, and drops what it does not take."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write `text` if the stream takes it; returns its length in any case."""
        try:
            self._stream.write(text)
        except (OSError, ValueError) as error:
            self._give_up(error)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write each of `lines`, as `write` does."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Hand on what was written, if the stream takes it."""
        try:
            self._stream.flush()
        except (OSError, ValueError) as error:
            self._give_up(error)

    def isatty(self) -> bool:
        """Return whether the stream is a terminal that is still there."""
        # A stream that somebody closed raises ValueError.
        with suppress(OSError, ValueError):
            return self._stream.isatty()
        return False

    def _give_up(self, error: Exception) -> None:
        """Lead the stream to nowhere if nobody will ever read it again."""
        if isinstance(error, OSError) and error.errno in _GONE:
            # Libraries and other processes write to the descriptor itself.
            with suppress(OSError, ValueError):
                _lead_to_nowhere(self._stream.fileno())


def open_missing_streams() -> None:
    """Open what a caller has closed of standard input, output and error, on nothing.

    Otherwise the next file that this process opens would be taken for one of them, and lines be written into it.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            # The lowest free descriptor is the one that is missing.
            os.open(os.devnull, os.O_RDWR)
    # Python has no stream where there was no descriptor when it started.
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


def guard_stderr() -> None:
    """Let no line on standard error fail, for the rest of this process; again does no harm."""
    if not isinstance(sys.stderr, LenientStream):
        sys.stderr = cast(TextIO, LenientStream(sys.stderr))


def guard_streams() -> None:
    """Let no line on standard output or error fail, for the rest of this process; again does no harm."""
    guard_stderr()
    if not isinstance(sys.stdout, LenientStream):
        sys.stdout = cast(TextIO, LenientStream(sys.stdout))


def _lead_to_nowhere(descriptor: int) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)
