"""Section resume: a run straight, again, and stopped within its second epoch and resumed (benchmarks floor)."""

from __future__ import annotations

import signal
import threading
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch

from senet_repro.benchmarks.gpu_probe import (
    Findings,
    Probe,
    Trained,
    measure_distance,
    train_run,
)
from senet_repro.core.errors import Stopped
from senet_repro.core.signals import Deferral
from senet_repro.results.epochs import read_epochs
from senet_repro.results.run_folder import RunFolder
from senet_repro.training.checkpoints import read_checkpoint

# Where the host waits for the device, the lines that it does so most often.
MOST_PLACES = 6
POLL_S = 0.002
# The way of trainer=gpu first, which takes the least time, too.
WAYS = {"graph": ("trainer.graph=true",), "eager": ()}


def probe_resume(probe: Probe, findings: Findings) -> None:
    """Train two epochs as a graph and eager, each straight, again, and resumed; then count the host's waits."""
    for way, own in WAYS.items():
        findings.attempt(way, partial(_compare_ways, findings, probe, way, own))
        if probe.device.type == "cuda":
            findings.attempt(f"host_waits {way}", partial(_count_host_waits, probe, way, own))


def _compare_ways(
    findings: Findings, probe: Probe, way: str, own: tuple[str, ...]
) -> dict[str, Any]:
    """Return how far the weights of three equal runs are apart, of which the third was stopped and resumed."""
    settings = _list_settings(probe, own)
    straight = train_run(settings, probe.folder / f"{way}-straight")
    again = train_run(settings, probe.folder / f"{way}-again")
    # The first epoch tells less of it: within that a graph is recorded.
    half_s = again.epochs[1]["train_s"] / 2
    resumed, steps_before = _train_with_stop(settings, probe.folder / f"{way}-resumed", half_s)
    runs = (straight, again, resumed)
    is_same = bool((straight.weights == resumed.weights).all())
    is_repeatable = bool((straight.weights == again.weights).all())
    if is_repeatable and not is_same:
        findings.note_fault(
            f"{way}: two equal runs have the same bits, and a resumed one has others"
        )
    return {
        "again_same_bits": is_repeatable,
        "again": measure_distance(again.weights, straight.weights),
        "resumed_same_bits": is_same,
        "resumed": measure_distance(resumed.weights, straight.weights),
        "stopped_after_steps": steps_before,
        "top1_err_pct": [run.epochs[-1]["top1_err_pct"] for run in runs],
        "fit_s": round(straight.fit_s, 2),
        "epochs_s": [epoch["epoch_s"] for epoch in straight.epochs],
    }


def _list_settings(probe: Probe, own: tuple[str, ...]) -> list[str]:
    return probe.list_settings("recipe.epochs=2", "trainer.precision=bf16-mixed", *own)


def _train_with_stop(settings: list[str], folder: Path, half_s: float) -> tuple[Trained, int]:
    """Train, stop once `half_s` of the second epoch have passed, and go on.

    The steps that were taken before the stop are returned, too.

    Raises:
        RuntimeError: the run was over before it could be stopped.
    """
    deferral = Deferral()
    folder.mkdir()
    watcher = threading.Thread(
        target=_stop_in_second_epoch, args=(folder, deferral, half_s), daemon=True
    )
    watcher.start()
    try:
        train_run(settings, folder, deferral)
    except Stopped:
        steps = read_checkpoint(RunFolder(folder).last_checkpoint)["global_step"]
        return train_run(settings, folder), int(steps)
    raise RuntimeError("the run was over before it could be stopped: its second epoch is too short")


def _stop_in_second_epoch(folder: Path, deferral: Deferral, half_s: float) -> None:
    """Note a signal as a `Deferral` would, once the second epoch is about half way."""
    while not read_epochs(folder):
        time.sleep(POLL_S)
    time.sleep(half_s)
    deferral.signum = signal.SIGTERM


def _count_host_waits(probe: Probe, way: str, own: tuple[str, ...]) -> dict[str, Any]:
    """Return how often the host waited for the device in two epochs, and in which lines most often.

    Torch tells of what it knows; a wait in a library that calls CUDA by itself is not among it.
    """
    folder = probe.folder / f"{way}-waits"
    with _record_host_waits() as seen:
        trained = train_run(_list_settings(probe, own), folder)
    places = Counter(
        f"{Path(each.filename).name}:{each.lineno}"
        for each in seen
        if "synchroniz" in str(each.message)
    )
    images = sum(epoch["train_images"] for epoch in trained.epochs)
    return {
        "waits": places.total(),
        "steps": images // trained.run.recipe.batch_size,
        "most": dict(places.most_common(MOST_PLACES)),
    }


@contextmanager
def _record_host_waits() -> Iterator[list[warnings.WarningMessage]]:
    """Let torch warn each time the host waits for the device, and record all warnings."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        # Lightning's warnings are silenced as a run begins, and with them those that are due to its lines.
        with patch.object(warnings, "filterwarnings"):
            torch.cuda.set_sync_debug_mode("warn")
            try:
                yield seen
            finally:
                torch.cuda.set_sync_debug_mode("default")
