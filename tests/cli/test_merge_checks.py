"""The figures of a run of others follow from what it found on each of all the images that ours were evaluated on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from senet_repro.cli.merge_checks import KnownRuns, check_run
from senet_repro.core.errors import ConfigError
from senet_repro.results.campaign import Campaign, PlannedTable
from senet_repro.results.outcomes import measure_errors, pack_outcomes
from senet_repro.results.record import Record, write_record
from senet_repro.results.reported import name_run_folder
from senet_repro.results.run_folder import RunFolder
from senet_repro.tasks import find_task
from tests.object_runs import write_detector
from tests.records import add_outcomes, make_record


def know_plan_of(record: Record) -> KnownRuns:
    table = PlannedTable(overrides=[], seeds=[0], runs=[name_run_folder(record)])
    campaign = Campaign(name="mine", written_at="", commit=None, tables={"planned": table})
    return KnownRuns(campaign, {}, {}, {})


def leave_outcomes(folder: Path, labels: np.ndarray) -> Record:
    """A record whose network is right on all images that its outcomes hold, with these labels."""
    likeliest = (labels[:, np.newaxis] + np.arange(5)) % 10
    outcomes = pack_outcomes(labels, likeliest)
    outcomes.write_into(folder)
    errors = measure_errors(outcomes, find_task("classification").metrics)
    record = make_record((), seed=0, top1=0.0)
    metrics = {**record.metrics, **errors}
    record = replace(record, metrics=metrics, outcomes=outcomes.summarise(), folder=folder)
    write_record(folder, record)
    return record


def test_outcomes_are_of_as_many_images_as_were_evaluated(tmp_path: Path) -> None:
    record = leave_outcomes(tmp_path, np.arange(36) % 10)
    with pytest.raises(ConfigError, match=r"holds 36 images, and it evaluated 360"):
        check_run(tmp_path, know_plan_of(record))


def test_labels_are_those_of_our_own_outcomes(tmp_path: Path) -> None:
    ours = add_outcomes(make_record((), seed=0, top1=0.0), tmp_path / "ours", [True] * 360)
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    known = know_plan_of(ours)
    known.ours[ours.run_key, 1] = ours
    leave_outcomes(theirs, np.arange(360) % 10)
    assert check_run(theirs, known).outcomes is not None
    # As easy images would be.
    leave_outcomes(theirs, np.zeros(360, int))
    with pytest.raises(ConfigError, match="has other labels than ours"):
        check_run(theirs, known)


@pytest.mark.parametrize("figure", ["params", "macs"])
def test_the_network_is_of_our_own_size(figure: str, tmp_path: Path) -> None:
    ours = make_record((), seed=1, top1=0.0)
    record = leave_outcomes(tmp_path, np.arange(360) % 10)
    known = know_plan_of(record)
    known.ours[ours.run_key, ours.seed] = ours
    assert check_run(tmp_path, known) == record
    write_record(tmp_path, replace(record, **{figure: 1}))
    with pytest.raises(ConfigError, match="multiply-adds, and ours of the same run"):
        check_run(tmp_path, known)


def test_a_detectors_figures_are_computed_anew(tmp_path: Path) -> None:
    record = write_detector(tmp_path, "none", seed=0)
    assert record.folder is not None
    known = know_plan_of(record)
    assert check_run(record.folder, known) == record
    RunFolder(record.folder).epochs_file.unlink()
    write_record(record.folder, replace(record, metrics={**record.metrics, "ap_pct": 99.0}))
    with pytest.raises(ConfigError, match=r"its ap_pct is 99, and .* by its detections.npz"):
        check_run(record.folder, known)
