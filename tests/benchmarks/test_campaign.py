"""The campaign is computed from slices of its runs, and a fast wrong answer fails."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from senet_repro.benchmarks import campaign, campaign_worker
from senet_repro.benchmarks.campaign import Pace, WayTime, measure_campaign
from senet_repro.benchmarks.options import BenchOptions
from senet_repro.config.composition import compose
from senet_repro.core.errors import RunFailed

RUNS = [["r=2"], ["r=4"]]


@pytest.mark.parametrize(
    ("places", "workers", "expected"),
    [
        ([0, 1, 2, 3], 2, [[0, 2], [1, 3]]),
        ([0, 1, 2], 2, [[0, 2], [1, 0]]),
        ([0, 1], 12, [[0], [1]]),
    ],
)
def test_workers_have_as_many_runs_each_so_that_all_are_busy_to_the_end(
    places: list[int], workers: int, expected: list[list[int]]
) -> None:
    assert campaign._share_out(places, workers) == expected


def time_as_told(loss: float) -> Any:
    """Two runs plain, of which our way has measured one: it takes half the time."""
    plain = WayTime(6.0, {0: Pace(10.0, 10.0, 5.0, 1.0), 1: Pace(20.0, 20.0, 6.0, 1.5)})
    fast = WayTime(12.0, {0: Pace(11.0, 2.0, 2.5, loss)})

    def time_way(way: campaign.Way, *_others: object) -> WayTime:
        return plain if way.workers == 1 else fast

    return time_way


def test_minutes_and_images_of_whole_epochs_follow_from_slices(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(campaign, "list_table_runs", lambda _: RUNS)
    monkeypatch.setattr(campaign, "_time_way", time_as_told(1.01))
    minutes, images = measure_campaign(BenchOptions(is_quick=True))
    # Once, and thirty epochs, of each run and seed: 160 s and 200 s. Ours is compiled once, and takes half of it.
    assert minutes.theirs == (6 + 3 * 360) / 60
    assert minutes.ours == (12 + 3 * 360 / 2 / 2) / 60
    assert images.theirs == pytest.approx(3 * 30 * 2 * 1437 / (6 + 3 * 360))
    assert images.ratio == pytest.approx(1 / minutes.ratio)
    assert "computed from 2 steps and 125 evaluated images of 1 runs (yardstick: 2)" in minutes.what
    assert minutes.check == "training losses of 1 runs within 1e-01"
    monkeypatch.setattr(campaign, "_time_way", time_as_told(2.0))
    with pytest.raises(RuntimeError, match="a fast wrong answer is not timed"):
        measure_campaign(BenchOptions(is_quick=True))


def test_what_runs_take_once_and_per_image_is_measured_on_a_slice(tmp_path: Path) -> None:
    sound = ["r=16", "trainer.threads=1", "trainer.accelerator=cpu"]
    # Its loss overflows.
    wild = [*sound, "recipe.lr=1000"]
    report = measure_slices([sound, wild], tmp_path)
    (run,) = report["runs"]
    assert (run["overrides"], run["train_images"], run["eval_images"]) == (sound, 128, 125)
    assert run["train_s"] > 0
    assert run["eval_s"] > 0
    assert run["loss"] > 0
    reports = [report, {**report, "start_s": report["start_s"] + 1}]
    found = campaign._merge_reports(campaign.BEFORE, [sound, wild], compose(sound).data, reports)
    assert found.start_s == report["start_s"] + 1
    # The whole set has 1,437 training and 360 test images.
    epoch_s = run["train_s"] * 1437 / 128 + run["eval_s"] * 360 / 125
    assert found.paces[0].epoch_s == pytest.approx(epoch_s)
    assert (list(found.paces), found.diverged) == ([0], {1})


def measure_slices(runs: list[list[str]], folder: Path) -> dict[str, Any]:
    """The report of a process that trains slices of runs, of one step each."""
    job, output = folder / "job.json", folder / "report.json"
    comparison = replace(campaign.QUICK, steps=1)
    job.write_text(json.dumps(campaign._describe_job(comparison, runs, 1, 128, folder)))
    campaign_worker.main(job, output)
    report: dict[str, Any] = json.loads(output.read_text())
    return report


def test_runs_that_diverge_on_their_slice_are_named_and_the_others_stand_for_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(campaign, "list_table_runs", lambda base: [[*base, "r=2"], [*base, "r=4"]])
    paces = {0: Pace(10.0, 10.0, 5.0, 1.0)}
    monkeypatch.setattr(
        campaign, "_time_way", lambda *_: WayTime(6.0, paces, diverged=frozenset({1}))
    )
    minutes, _ = measure_campaign(BenchOptions(is_quick=True))
    assert minutes.what.endswith("; not measured, since their loss on a slice is not finite: r=4")
    # Two runs of three seeds: once, and thirty epochs.
    assert minutes.theirs == (6 + 2 * 3 * 160) / 60


def test_a_fast_way_that_alone_diverges_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    pace = Pace(10.0, 10.0, 5.0, 1.0)
    plain, fast = WayTime(6.0, {0: pace, 1: pace}), WayTime(6.0, {0: pace}, frozenset({1}))
    monkeypatch.setattr(campaign, "list_table_runs", lambda _: RUNS)
    monkeypatch.setattr(campaign, "_time_way", lambda way, *_: plain if way.workers == 1 else fast)
    with pytest.raises(RuntimeError, match="diverges where the plain one does not"):
        measure_campaign(BenchOptions(is_quick=True))


def test_a_campaign_whose_runs_all_diverge_is_an_error() -> None:
    reports = [{"start_s": 1.0, "runs": [], "diverged": [["r=2"]]}]
    with pytest.raises(RunFailed, match="all diverge on their slice"):
        campaign._merge_reports(campaign.BEFORE, RUNS, compose(["r=2"]).data, reports)
