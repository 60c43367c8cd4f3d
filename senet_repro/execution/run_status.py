"""How a run's status.json follows it from its start to its end (execution floor; no torch)."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from senet_repro.config.identity import run_key
from senet_repro.config.schema import Run
from senet_repro.core.errors import Diverged, reason_of
from senet_repro.execution.failure_report import read_log_tail
from senet_repro.results.store import read_status, write_status

_PROGRESS = ("epoch", "epoch_share")


class RunStatus:
    """A context that writes how the training in its body ended: done, failed with the reason, or stopped."""

    def __init__(self, run: Run, folder: Path) -> None:
        self._run = run
        self._folder = folder

    def __enter__(self) -> RunStatus:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _at: TracebackType | None,
    ) -> None:
        if error is None:
            self._write("done", epoch=self._run.recipe.epochs)
            return
        # A full disk may be the failure itself, which must not be hidden by another.
        with suppress(OSError):
            if isinstance(error, Exception):
                # A run that diverged does so at each start, while others failed of what may be mended since.
                diverged = isinstance(error, Diverged)
                log_tail = read_log_tail(error)
                self._write("failed", reason=reason_of(error), diverged=diverged, log_tail=log_tail)
            else:
                self.write_stopped()

    def write_running(self) -> None:
        """Write that the run is trained from now on."""
        # An earlier attempt may have come some way.
        self._write("running", **self._read_progress())

    def write_stopped(self) -> None:
        """Write that a signal ended the training; the run is resumed from here."""
        self._write("stopped", **self._read_progress())

    def _write(self, state: str, **details: Any) -> None:
        write_status(
            self._folder,
            run_key=run_key(self._run),
            seed=self._run.seed,
            state=state,
            epochs=self._run.recipe.epochs,
            **details,
        )

    def _read_progress(self) -> dict[str, Any]:
        """Return how far the run came, as training has written it."""
        status = read_status(self._folder)
        return {name: status[name] for name in _PROGRESS if name in status}
