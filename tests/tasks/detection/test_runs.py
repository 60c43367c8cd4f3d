"""A run of detection keeps every promise of a run: its record, its frozen layers, resuming, any number of devices."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from senet_repro.config.identity import run_dir
from senet_repro.execution.execute import train_to_record
from senet_repro.results.detections import read_detections
from senet_repro.results.epochs import read_epochs
from senet_repro.results.run_folder import RunFolder
from senet_repro.results.starts import count_starts
from senet_repro.training.first_weights import build_trunk
from tests.commands import ROOT
from tests.tasks.detection.small_runs import list_words, small_run
from tests.training.runs import same, silent, timeless_epochs, weights

pytestmark = [pytest.mark.usefixtures("one_thread"), pytest.mark.slow]

STOPPED = """
import os, signal, sys
import torch
torch.set_num_threads(1)
from senet_repro.cli.main import main
from senet_repro.tasks.detection.module import DetectionModule
steps = []
step = DetectionModule.training_step
def stop_in_step(self, batch, index):
    steps.append(index)
    if len(steps) == int(os.environ["STOP_IN"]):
        os.kill(os.getpid(), signal.SIGTERM)
    return step(self, batch, index)
DetectionModule.training_step = stop_in_step
main()
"""


def test_a_run_leaves_a_record_of_what_it_found_and_its_frozen_layers_as_they_were(
    tmp_path: Path,
) -> None:
    run = small_run(tmp_path, "recipe.epochs=3", "recipe.lr=0.02")
    path, record = train_to_record(run, silent)
    assert (record.task, record.eval_images, record.epochs) == ("detection", 8, 3)
    assert {"ap_pct", "ap50_pct", "ap_small_pct", "train_loss_box"} <= record.metrics.keys()
    detections = read_detections(RunFolder(path.parent).detections_file)
    assert record.outcomes == detections.summarise()
    losses = [epoch["train_loss"] for epoch in read_epochs(path.parent)]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.8 * losses[0]
    before = build_trunk(run).state_dict()
    after = weights(run)
    for name, tensor in before.items():
        place = name.removeprefix("stages.")
        found = after.get(f"net.backbone.body.{place}")
        is_kept = name.startswith(("stem.", "stages.2.")) or ".bn." in name
        if found is not None:
            assert torch.equal(found, tensor) == is_kept, name


@pytest.mark.parametrize("step", [3, pytest.param(7, marks=pytest.mark.faults)])
def test_a_run_stopped_in_any_step_ends_with_the_same_weights_and_epochs(
    step: int, tmp_path: Path
) -> None:
    whole = small_run(tmp_path)
    train_to_record(whole, silent)
    words = list_words(tmp_path, f"results_dir={tmp_path / 'cut'}")
    stopped = subprocess.run(
        [sys.executable, "-c", STOPPED, *words],
        cwd=ROOT,
        env={**os.environ, "STOP_IN": str(step)},
        check=False,
    )
    assert stopped.returncode == 143
    cut = small_run(tmp_path, f"results_dir={tmp_path / 'cut'}")
    train_to_record(cut, silent)
    assert same(weights(whole), weights(cut))
    assert timeless_epochs(whole) == timeless_epochs(cut)
    files = [RunFolder.of(run).detections_file.read_bytes() for run in (whole, cut)]
    assert files[0] == files[1]
    assert [count_starts(run_dir(run)) for run in (whole, cut)] == [1, 2]


@pytest.mark.faults
@pytest.mark.parametrize("devices", [pytest.param(2, marks=pytest.mark.gate), 3])
def test_several_processes_find_what_one_finds_whatever_the_batch(
    devices: int, tmp_path: Path
) -> None:
    # A rate that changes nothing: what differs is the share of the pictures that each process evaluates.
    still = ["recipe.epochs=1", "recipe.lr=1e-12", "recipe.batch_size=6"]
    alone = small_run(tmp_path, *still, f"results_dir={tmp_path / 'alone'}", "recipe.batch_size=4")
    shared = small_run(tmp_path, *still, f"trainer.devices={devices}")
    _, record = train_to_record(alone, silent)
    _, record_of_several = train_to_record(shared, silent)
    assert record_of_several.eval_images == record.eval_images == 8
    one, several = (read_detections(RunFolder.of(run).detections_file) for run in (alone, shared))
    assert len(one.found.scores) > 8
    np.testing.assert_array_equal(several.found.offsets, one.found.offsets)
    np.testing.assert_allclose(several.found.boxes, one.found.boxes, atol=1e-4)
    np.testing.assert_allclose(several.found.scores, one.found.scores, atol=1e-5)
    for name in ("ap_pct", "ap50_pct"):
        assert record_of_several.metrics[name] == pytest.approx(record.metrics[name], abs=1e-6)
