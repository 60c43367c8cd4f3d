"""The task of detection: its record is refused where its figures are not those of its detections, and without its
library it is refused before anything is trained.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from torch import nn

from senet_repro.config.composition import compose
from senet_repro.core.errors import ConfigError
from senet_repro.report.tables.load import load_printable_results
from senet_repro.results.run_folder import RunFolder
from senet_repro.tasks.detection import TASK
from senet_repro.tasks.detection.average_precision import measure_average_precision
from senet_repro.training.run_record import read_outcomes_of
from senet_repro.training.surroundings import list_versions
from tests.conftest import ROOT
from tests.detections import draw_detections
from tests.object_runs import write_detector

SHAPES = ["+experiment=coco", "protocol=shapes"]
NO_LIBRARY = r"faster-coco-eval, which is not installed: give pip install 'senet-repro\[coco\]'"


def test_detections_of_another_evaluation_make_no_record(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    assert read_outcomes_of(folder, {"ap_pct": 1.0}, TASK) is None
    detections = draw_detections(images=8)
    detections.write_into(tmp_path)
    measured = measure_average_precision(detections)
    epoch = {"epoch": 3, **measured, "train_loss": 0.4}
    found = read_outcomes_of(folder, epoch, TASK)
    assert found is not None
    assert found.summary == detections.summarise()
    assert found.measured == measured
    for name in measured:
        with pytest.raises(ConfigError, match=f"detections.npz has a {name} of .* delete"):
            read_outcomes_of(folder, {**epoch, name: measured[name] + 0.01}, TASK)


def test_records_are_read_without_the_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = write_detector(tmp_path, "none", seed=0)
    monkeypatch.setitem(sys.modules, "faster_coco_eval", None)
    results = load_printable_results(tmp_path)
    assert results.unreadable == []
    assert [read.outcomes for read in results.records] == [record.outcomes]


def test_a_network_without_the_library_is_not_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faster_coco_eval", None)
    with pytest.raises(ConfigError, match=NO_LIBRARY):
        TASK.build_module(compose(SHAPES), nn.Identity())


@pytest.mark.slow
def test_a_command_without_the_library_is_refused_before_torch_is_imported(tmp_path: Path) -> None:
    words = [*SHAPES, f"results_dir={tmp_path}"]
    code = (
        "import sys\nsys.modules['faster_coco_eval'] = None\nfrom senet_repro.cli.main import main\n"
        f"sys.argv[1:] = {words!r}\n"
        "try: main()\n"
        "except SystemExit as left: assert 'torch' not in sys.modules; raise"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 2, done.stderr
    assert "pip install 'senet-repro[coco]'" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_record_names_the_library_that_measured_it() -> None:
    assert "faster-coco-eval" not in list_versions()
    assert list_versions(TASK.name)["faster-coco-eval"].startswith("1.")
