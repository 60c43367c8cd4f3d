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

# Of a network's time: forward and backward pass take about three times the forward pass of as many images.
_SHARES = {TRAINING_STEP: 0.6, INFERENCE: 0.2, ONE_IMAGE: 0.2}
# What a network takes beside its multiply-adds, as so many of them: small ones are slower than they suggest.
_OTHER_GFLOPS = 0.6


class CostProgress:
    """Tells which network is timed, and how long all of them may still take."""

    def __init__(
        self, gflops: Mapping[str, float], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Take the networks that are asked for, in their order, by their multiply-adds."""
        self._gflops = {name: _OTHER_GFLOPS + count for name, count in gflops.items()}
        self._clock = clock
        self._started_s = self._printed_s = clock()
        self._done = 0.0
        self._name = ""
        self._rounds = 1

    def skip_network(self, name: str) -> None:
        """Leave out a network that was measured before."""
        del self._gflops[name]

    def begin_network(self, name: str, rounds: int) -> None:
        """Begin with a network, which is timed in so many rounds."""
        self._done += self._gflops.get(self._name, 0.0)
        self._name, self._rounds = name, rounds

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
        """Return the seconds that are left, as if time went by the size of networks."""
        share = rounds / self._rounds * _SHARES[kind]
        for earlier in KINDS[: KINDS.index(kind)]:
            share += _SHARES[earlier]
        done = self._done + share * self._gflops[self._name]
        whole = sum(self._gflops.values())
        return (now_s - self._started_s) * (whole - done) / done
