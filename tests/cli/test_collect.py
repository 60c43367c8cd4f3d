"""A detector's run is copied with what it found and with its pictures."""

from __future__ import annotations

from pathlib import Path

from senet_repro.cli.collect import restore_collected
from senet_repro.results.account import Account, AccountedRun
from senet_repro.results.detections import load_detections
from senet_repro.results.example_pictures import read_pictures
from senet_repro.results.record import read_record
from senet_repro.results.run_folder import RunFolder
from senet_repro.results.run_states import RunState
from tests.object_runs import write_detector


def test_detections_and_pictures_go_with_their_record(tmp_path: Path) -> None:
    record = write_detector(tmp_path / "collected", "none", seed=0)
    assert record.folder is not None
    name = record.folder.parent.name
    state = RunState(folder=record.folder, name=record.name, seed=0, state="done")
    run = AccountedRun(folder_name=name, seed=0, state=state, diverged=False, starts=1)
    restore_collected(Account(runs=[run], unplanned=[], problems=[]), tmp_path / "runs")
    copy = RunFolder(tmp_path / "runs" / name / "seed0")
    assert not copy.outcomes_file.exists()
    detections = load_detections(read_record(copy.record_file))
    assert detections is not None
    assert detections.summarise() == record.outcomes
    assert read_pictures(copy.path) == read_pictures(record.folder)
    assert len(read_pictures(copy.path)) == 4
