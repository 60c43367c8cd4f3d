"""How long the seven ablation tables take on this machine, from slices of all their runs (benchmarks floor).

Each of the seventeen distinct runs is trained on the first images of its set, by processes side by side and, as the
yardstick, in the way of before: one process, float32, without compilation. What a run takes once (its network, its
compilation, its record) and what it takes for each image are measured; whole epochs, seeds and tables are computed.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from senet_repro.benchmarks.measurement import Measurement, require_agreement
from senet_repro.benchmarks.options import BenchOptions
from senet_repro.benchmarks.processes import read_end, start_process, wait_or_stop
from senet_repro.benchmarks.table_runs import list_table_runs
from senet_repro.config.composition import compose
from senet_repro.config.schema import Data, Run
from senet_repro.core.errors import RunFailed
from senet_repro.core.wording import join_words
from senet_repro.training.devices import uses_gpu

SEEDS = 3
EPOCHS = 30
# A process that has not ended by then has hung.
MOST_S = 1800.0
WORKER = "senet_repro.benchmarks.campaign_worker"


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way to train all runs."""

    name: str
    settings: tuple[str, ...] = ()
    workers: int = 1
    # A second seed is measured where it finds what the first has compiled.
    seeds: int = 1
    # Of the runs every so many-th one is measured, and the others are taken to gain as much.
    every: int = 1


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Our way and the yardstick, and how much of an epoch both train."""

    ours: Way
    yardstick: Way
    steps: int
    eval_images: int
    # How many times as fast our way is to be at least.
    least_gain: float | None = None
    # Between the losses of both ways over their first epoch, from the same weights: bf16 and float32 round differently.
    loss_tolerance: float = 0.1


BEFORE = Way(name="one process, float32, eager")

ON_GPU = Comparison(
    ours=Way(name="twelve processes, trainer=gpu", settings=("trainer=gpu",), workers=12, seeds=2),
    yardstick=BEFORE,
    steps=78,
    # Whole batches of an evaluation, here and below.
    eval_images=4_000,
    # Over so many steps rounding grows.
    loss_tolerance=0.3,
)
ON_CPU = Comparison(
    # Compiling takes a minute for each network, and is measured for four.
    ours=Way(
        name="two processes, trainer=cpu",
        settings=("trainer=cpu", "trainer.threads=1"),
        workers=2,
        seeds=2,
        every=5,
    ),
    yardstick=BEFORE,
    steps=2,
    eval_images=125,
    least_gain=2.0,
)
QUICK = Comparison(
    ours=Way(name="two processes", settings=("trainer.threads=1",), workers=2, every=8),
    yardstick=replace(BEFORE, every=8),
    steps=2,
    eval_images=125,
)


@dataclass(frozen=True)
class Pace:
    """The seconds that a run takes of a process: once for each seed, and for each epoch of the whole set."""

    first_s: float  # once, of the first seed
    again_s: float  # once, of each further one
    epoch_s: float
    loss: float

    @property
    def whole_s(self) -> float:
        """Return what `SEEDS` runs of `EPOCHS` epochs take."""
        return self.first_s + (SEEDS - 1) * self.again_s + SEEDS * EPOCHS * self.epoch_s


@dataclass(frozen=True)
class WayTime:
    """The paces of the runs that were measured of a way, by their places in the list of all."""

    start_s: float
    paces: dict[int, Pace]
    # Places of the runs that could not be measured, see `WorkerReport`.
    diverged: frozenset[int] = frozenset()


def measure_campaign(options: BenchOptions) -> list[Measurement]:
    """Return minutes and images per second of seven tables, three seeds and thirty epochs, computed from slices.

    Raises:
        RunFailed: a process of the benchmark did not come to its end.
        RuntimeError: the fast way has other losses than the plain one.
    """
    base = _list_base(options)
    # The runs differ in their axes, and have all else in common.
    shared = compose(base)
    runs = list(list_table_runs(base))
    comparison = _choose_comparison(options, shared)
    plain = _time_way(comparison.yardstick, comparison, runs, shared)
    fast = _time_way(comparison.ours, comparison, runs, shared)
    # The runs that both have measured tell how much the others gain.
    common = sorted(set(fast.paces) & set(plain.paces))
    check = _compare_losses(fast, plain, common, comparison.loss_tolerance)
    plain_s = _compute_all(plain, len(runs))
    share = _sum_seconds(fast, common) / _sum_seconds(plain, common)
    ours_s = fast.start_s + plain_s * share / comparison.ours.workers
    theirs_s = plain.start_s + plain_s
    images = SEEDS * EPOCHS * len(runs) * shared.data.train_images
    what = _describe_campaign(comparison, shared, len(runs), fast, plain)
    left_out = sorted(fast.diverged | plain.diverged)
    if left_out:
        # What a run has of its own comes after what all share.
        names = [" ".join(runs[place][len(base) :]) for place in left_out]
        what += (
            f"; not measured, since their loss on a slice is not finite: {join_words(names, 'and')}"
        )
    least_gain, most_share = comparison.least_gain, None
    if least_gain is not None:
        most_share = 1 / least_gain
    told = partial(_tell, what=what, yardstick=comparison.yardstick.name, check=check)
    return [
        told(
            ours=ours_s / 60,
            theirs=theirs_s / 60,
            unit="min",
            goal=most_share,
            is_more_better=False,
        ),
        told(
            ours=images / ours_s,
            theirs=images / theirs_s,
            unit="images/s",
            goal=least_gain,
            is_more_better=True,
        ),
    ]


def _tell(
    *,
    what: str,
    yardstick: str,
    unit: str,
    ours: float,
    theirs: float,
    goal: float | None,
    is_more_better: bool,
    check: str,
) -> Measurement:
    """Return a figure of both ways, measured in one round."""
    ratio = ours / theirs
    return Measurement(
        what=what,
        yardstick=yardstick,
        unit=unit,
        ours=ours,
        theirs=theirs,
        ratio=ratio,
        lowest=ratio,
        highest=ratio,
        rounds=1,
        goal=goal,
        is_more_better=is_more_better,
        check=check,
    )


def _describe_campaign(
    comparison: Comparison, shared: Run, runs: int, fast: WayTime, plain: WayTime
) -> str:
    """Return what was measured and what was computed from it, in words."""
    return (
        f"7 tables x {SEEDS} seeds x {EPOCHS} epochs, {runs} runs a seed, {shared.model.name} on {shared.data.name}, "
        f"{comparison.ours.name}; computed from {comparison.steps} steps and {comparison.eval_images} evaluated images "
        f"of {len(fast.paces)} runs (yardstick: {len(plain.paces)})"
    )


def _compute_all(time_of_way: WayTime, runs: int) -> float:
    """Return the seconds of all runs and seeds, where those that were measured stand for the others."""
    measured_s = _sum_seconds(time_of_way, list(time_of_way.paces))
    return measured_s * runs / len(time_of_way.paces)


def _list_base(options: BenchOptions) -> list[str]:
    """Return what all runs share: the small CIFAR network, unless other settings are asked for."""
    base = ["protocol=demo"] if options.is_quick else ["protocol=cifar10"]
    if options.data_root is not None and not options.is_quick:
        base.append(f"data.root={options.data_root}")
    return base + list(options.overrides)


def _choose_comparison(options: BenchOptions, shared: Run) -> Comparison:
    """Return what is compared on the device that runs would train on."""
    if options.is_quick:
        return QUICK
    return ON_GPU if uses_gpu(shared.trainer) else ON_CPU


def _time_way(way: Way, comparison: Comparison, runs: Sequence[list[str]], shared: Run) -> WayTime:
    """Train slices of a way's runs in its processes, and return the paces of these runs."""
    places = list(range(0, len(runs), way.every))
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        started = []
        for number, share in enumerate(_share_out(places, way.workers)):
            overrides = [[*runs[place], *way.settings] for place in share]
            job_file = folder / f"job{number}.json"
            job = _describe_job(comparison, overrides, way.seeds, shared.recipe.batch_size, folder)
            job_file.write_text(json.dumps(job), encoding="utf-8")
            files = [str(job_file), str(folder / f"report{number}.json")]
            log = folder / f"log{number}"
            process = start_process([sys.executable, "-m", WORKER, *files], log)
            started.append((stack.enter_context(process), log))
        deadline_s = time.monotonic() + MOST_S
        for running, log in started:
            if wait_or_stop(running, deadline_s) != 0:
                raise RunFailed(f"a process of the campaign failed: {read_end(log)}")
        reports = [json.loads(path.read_text()) for path in sorted(folder.glob("report*.json"))]
    return _merge_reports(way, runs, shared.data, reports)


def _share_out(places: list[int], workers: int) -> list[list[int]]:
    """Return the places that each worker takes, so many each that all of them are busy to the end."""
    workers = min(workers, len(places))
    each = -(-len(places) // workers)
    # From the front again, where the last ones would have fewer.
    cycle = (places * 2)[: each * workers]
    return [cycle[number::workers] for number in range(workers)]


def _describe_job(
    comparison: Comparison,
    overrides: Sequence[Sequence[str]],
    seeds: int,
    batch_size: int,
    folder: Path,
) -> dict[str, Any]:
    """Return the job of a worker, as `WorkerJob` reads it."""
    return {
        "runs": list(overrides),
        "seeds": seeds,
        "train_images": comparison.steps * batch_size,
        "eval_images": comparison.eval_images,
        "whole_epochs": EPOCHS,
        # What is compiled is kept beside the runs, for all workers.
        "results_dir": str(folder / "runs"),
        "begun_at": time.time(),
    }


def _merge_reports(
    way: Way, runs: Sequence[list[str]], data: Data, reports: Sequence[dict[str, Any]]
) -> WayTime:
    """Return what all workers found, a run that two of them have trained as its mean.

    Raises:
        RunFailed: they could measure none.
    """
    found: dict[int, list[Pace]] = {}
    diverged: set[int] = set()
    by_words = {(*words, *way.settings): place for place, words in enumerate(runs)}
    for report in reports:
        for measured in report["runs"]:
            place = by_words[tuple(measured["overrides"])]
            found.setdefault(place, []).append(_compute_pace(data, measured))
        diverged.update(by_words[tuple(words)] for words in report["diverged"])
    if not found:
        raise RunFailed("no run of the campaign could be measured: all diverge on their slice")
    start_s = max(report["start_s"] for report in reports)
    paces_of_runs = {place: _average_paces(paces) for place, paces in found.items()}
    return WayTime(start_s, paces_of_runs, frozenset(diverged))


def _compute_pace(data: Data, measured: dict[str, Any]) -> Pace:
    """Return what a run takes for whole epochs of a set, from a slice of one."""
    train_s = measured["train_s"] * data.train_images / measured["train_images"]
    eval_s = measured["eval_s"] * data.eval_images / measured["eval_images"]
    return Pace(measured["first_s"], measured["again_s"], train_s + eval_s, measured["loss"])


def _average_paces(paces: Sequence[Pace]) -> Pace:
    count = len(paces)
    rows: Iterator[tuple[float, ...]] = zip(*(asdict(pace).values() for pace in paces), strict=True)
    return Pace(*(sum(row) / count for row in rows))


def _sum_seconds(time_of_way: WayTime, places: Sequence[int]) -> float:
    return sum(time_of_way.paces[place].whole_s for place in places)


def _compare_losses(fast: WayTime, plain: WayTime, common: Sequence[int], tolerance: float) -> str:
    """Return in words that the losses of no run in common are farther apart than a tolerance.

    Raises:
        RuntimeError: they are, or the fast way diverges where the plain one does not.
    """
    if fast.diverged & plain.paces.keys():
        raise RuntimeError("the fast way diverges where the plain one does not: it is not timed")
    farthest = 0.0
    for place in common:
        difference = abs(fast.paces[place].loss - plain.paces[place].loss)
        farthest = max(farthest, difference)
    return require_agreement(f"training losses of {len(common)} runs", farthest, tolerance)
