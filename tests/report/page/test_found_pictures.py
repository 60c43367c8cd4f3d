"""The page shows pictures of detectors with what they found, and their precision by the size of objects."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from senet_repro.config.paper_tables import find_table
from senet_repro.report.page.found_pictures import show_found_objects
from senet_repro.report.page.sections import Section
from senet_repro.report.tables.build import ResultTable, build_tables
from senet_repro.report.tables.object_sizes import measure_sizes
from senet_repro.results.run_folder import RunFolder
from senet_repro.results.store import load_results
from senet_repro.tasks.detection.metrics import SIZE_METRICS
from tests.object_runs import write_detector
from tests.report.browser import CHROMIUM, look_at
from tests.report.pages import make_page, squeeze_records, write_runs


@pytest.fixture(scope="module")
def detectors(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Section, str]:
    folder = tmp_path_factory.mktemp("runs")
    for stages, seed in (("none", 1), ("none", 0), ("all", 0)):
        write_detector(folder, stages, seed)
    (section,), html = make_page(folder, "coco")
    return folder, section, html


def test_the_first_seed_of_each_row_shows_its_pictures(
    detectors: tuple[Path, Section, str],
) -> None:
    _, section, html = detectors
    assert [(run.row, run.seed) for run in section.found] == [("ResNet-50", 0), ("SE-ResNet-50", 0)]
    ids = re.findall('id="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    for run in section.found:
        assert len(run.pictures) == 4
        for picture in run.pictures:
            assert picture.name in ids
            assert f"{picture.caption}." in html
    assert html.count("data:image/jpeg;base64,") == 8
    assert "found, and not there" in html


def test_precision_by_size_is_a_mean_over_the_seeds_of_each_row(
    detectors: tuple[Path, Section, str],
) -> None:
    _, section, html = detectors
    assert [(row.name, row.seeds) for row in section.sizes] == [
        ("ResNet-50", 2),
        ("SE-ResNet-50", 1),
    ]
    small = section.sizes[0].estimates[0]
    runs = [record.metrics["ap_small_pct"] for record in section.table.rows[0].records]
    assert small is not None
    assert small.mean == pytest.approx(sum(runs) / 2)
    assert all(metric.label in html for metric in SIZE_METRICS)
    # Drawn shapes are small.
    assert section.sizes[0].estimates[1:] == [None, None]
    assert "<td>no such object</td>" in html


def read_table(folder: Path, name: str) -> tuple[ResultTable, list[str]]:
    """The table of some runs without its page, and the files that were skipped."""
    results = load_results(folder)
    (table,) = build_tables(results, [find_table(name)])
    return table, results.unreadable


def test_a_table_of_another_task_has_neither(tmp_path: Path) -> None:
    write_runs(tmp_path, squeeze_records())
    table, problems = read_table(tmp_path, "squeeze")
    assert show_found_objects(table, "squeeze", problems) == []
    assert measure_sizes(table) == []
    assert problems == []


@pytest.mark.parametrize("damage", ["picture", "stranger", "detections", "none"])
def test_what_cannot_be_believed_is_named_and_the_table_stands(
    damage: str, detectors: tuple[Path, Section, str], tmp_path: Path
) -> None:
    folder, _, _ = detectors
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    (first,) = tmp_path.glob("*plain*/seed0")
    run = RunFolder(first)
    picture = next(run.pictures.iterdir())
    if damage == "picture":
        picture.write_bytes(b"no picture")
    elif damage == "stranger":
        picture.rename(run.name_picture(999))
    elif damage == "detections":
        run.detections_file.write_bytes(b"none")
    else:
        shutil.rmtree(run.pictures)
    table, problems = read_table(tmp_path, "coco")
    shown = show_found_objects(table, "coco", problems)
    assert [run.row for run in shown] == ["SE-ResNet-50"]
    assert len(measure_sizes(table)) == 2
    if damage == "none":
        assert problems == []
    else:
        (message,) = problems
        assert str(first) in message


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium")
def test_a_browser_shows_the_pictures_at_any_width(
    detectors: tuple[Path, Section, str], tmp_path: Path
) -> None:
    _, _, html = detectors
    page = tmp_path / "index.html"
    page.write_text(html)
    for width_px in (390, 1280):
        seen, complaints = look_at(page, width_px)
        assert complaints == []
        assert seen["scroll_width_px"] <= width_px
        assert seen["wide"] == []
