"""How far `cost` is: a line on standard error now and then (benchmarks floor; no torch)."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping

from senet_repro.core.durations import format_duration
from senet_repro.core.printing import print_line
from senet_repro.results.costs import INFERENCE, KINDS, ONE_IMAGE, TRAINING_STEP

QUIET_S = 10.0
"""A line is printed this often at most."""

WORDS = {TRAINING_STEP: "training step", INFERENCE: "inference", ONE_IMAGE: "one image"}

# Forward and backward pass take about three times the forward pass.
_STEP_PASSES = 3


class CostProgress:
    """Tells which network is timed, and how long all of them may still take."""

    def __init__(
        self, gflops: Mapping[str, float], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Take the networks that are asked for, in their order, by their multiply-adds."""
        self._gflops = dict(gflops)
        self._clock = clock
        self._started_s = self._printed_s = clock()
        self._done = 0.0
        self._name = ""
        self._rounds = 1
        self._shares: dict[str, float] = {}

    def skip_network(self, name: str) -> None:
        """Leave out a network that was measured before."""
        del self._gflops[name]

    def begin_network(self, name: str, batch: int, rounds: int) -> None:
        """Begin with a network, which is timed in so many rounds, in batches of so many images."""
        self._done += self._gflops.get(self._name, 0.0)
        self._name, self._rounds = name, rounds
        work = {TRAINING_STEP: _STEP_PASSES * batch, INFERENCE: batch, ONE_IMAGE: 1}
        whole = sum(work.values())
        self._shares = {kind: part / whole for kind, part in work.items()}

    def report(self, kind: str, rounds: int) -> None:
        """Note that so many rounds of one of `results.costs.KINDS` are done."""
        now_s = self._clock()
        if now_s - self._printed_s < QUIET_S:
            return
        self._printed_s = now_s
        names = list(self._gflops)
        position = f"{names.index(self._name) + 1} of {len(names)}"
        left_s = self._estimate_left(kind, rounds, now_s)
        print_line(
            f"senet_repro: cost {self._name} ({position}), {WORDS[kind]}, round {rounds} of {self._rounds}, "
            f"{format_duration(left_s)} left",
            file=sys.stderr,
        )

    def _estimate_left(self, kind: str, rounds: int, now_s: float) -> float:
        """Return the seconds that are left, as if time went by multiply-adds."""
        share = rounds / self._rounds * self._shares[kind]
        for earlier in KINDS[: KINDS.index(kind)]:
            share += self._shares[earlier]
        done = self._done + share * self._gflops[self._name]
        whole = sum(self._gflops.values())
        return (now_s - self._started_s) * (whole - done) / done
