"""Learning curves: which rows share a panel, and how their lines are told apart."""

from __future__ import annotations

from pathlib import Path

import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex

from senet_repro.config.paper_tables import find_table
from senet_repro.report.figures.drawing import use_house_style
from senet_repro.report.figures.learning_curves import (
    RowCurves,
    draw_learning_curves,
    pair_rows,
    plot_panels,
    read_rows,
)
from senet_repro.report.figures.style import BLUE, VERMILLION
from senet_repro.report.tables.build import ResultTable, build_tables
from senet_repro.results.epochs import append_epoch
from senet_repro.results.store import Results, load_results
from tests.object_runs import write_detector
from tests.records import row_records
from tests.report.pages import write_runs


def _run_table(folder: Path, name: str, rows: list[str]) -> tuple[ResultTable, Results]:
    """A table of which some rows were run with two seeds each, on the demo's data where it names no networks."""
    paper = find_table(name)
    overrides = [] if paper.rows[rows[0]].network else ["protocol=demo"]
    for row in rows:
        images = None if paper.rows[row].network else 360
        write_runs(folder, row_records(paper, row, [3.0, 4.0], *overrides, eval_images=images))
    results = load_results(folder)
    (table,) = build_tables(results, [paper])
    return table, results


def _plot(table: ResultTable, results: Results) -> list[Axes]:
    rows = read_rows(table, "top1_err_pct", results.folders)
    with use_house_style():
        figure = plot_panels(table, pair_rows(table.paper, rows))
    return [panel for panel in figure.axes if panel.get_visible()]


@pytest.mark.parametrize(
    ("name", "rows", "panels"),
    [
        (
            "cifar10",
            ["ResNet-110", "SE-ResNet-110", "WRN-16-8", "SE-ResNet-164"],
            [["ResNet-110", "SE-ResNet-110"], ["SE-ResNet-164"], ["WRN-16-8"]],
        ),
        ("reduction_ratio", ["r = 4", "r = 16"], [["r = 4"], ["r = 16"]]),
        (
            "reduction_ratio",
            ["r = 4", "r = 16", "original"],
            [["original", "r = 4"], ["original", "r = 16"]],
        ),
        # Their baseline has SE itself, and the network without SE is a row of other tables.
        ("squeeze", ["max", "avg"], [["max"], ["avg"]]),
    ],
)
def test_a_row_with_se_shares_its_panel_with_its_baseline_without(
    name: str, rows: list[str], panels: list[list[str]]
) -> None:
    paper = find_table(name)
    curves = {}
    for row, printed in paper.rows.items():
        has_se = "none" not in [(printed.axes or {}).get(axis) for axis in ("r", "stages")]
        if row in rows:
            curves[row] = RowCurves(row, has_se, None, None)
    found = pair_rows(paper, curves)
    assert [[row.name for row in content] for content in found] == panels


def test_training_is_dashed_and_each_network_has_a_colour(tmp_path: Path) -> None:
    panels = _plot(*_run_table(tmp_path, "no_squeeze", ["ResNet-50", "NoSqueeze", "SE"]))
    assert [panel.get_title(loc="left") for panel in panels] == ["NoSqueeze", "SE"]
    for panel in panels:
        looks = {
            str(line.get_label()): (line.get_linestyle(), to_hex(line.get_color()))
            for line in panel.get_lines()
        }
        assert looks == {
            "without SE, training": ("--", VERMILLION),
            "without SE, validation": ("-", VERMILLION),
            "with SE, training": ("--", BLUE),
            "with SE, validation": ("-", BLUE),
        }
        # A band from the least to the greatest seed goes with each of the lines.
        assert len(panel.collections) == len(panel.get_lines())


def test_a_row_without_a_partner_has_its_own_two_lines(tmp_path: Path) -> None:
    panels = _plot(*_run_table(tmp_path, "squeeze", ["max", "avg"]))
    assert [panel.get_title(loc="left") for panel in panels] == ["max", "avg"]
    assert [len(panel.get_lines()) for panel in panels] == [2, 2]


def test_strokes_of_one_training_curve_lie_in_the_gaps_of_the_other(tmp_path: Path) -> None:
    (panel,) = _plot(*_run_table(tmp_path, "no_squeeze", ["ResNet-50", "SE"]))
    # matplotlib has no way to read a pattern of dashes back.
    (plain_offset, (stroke, gap)), (offset, pattern) = [
        line._unscaled_dash_pattern  # type: ignore[attr-defined]
        for line in panel.get_lines()
        if line.get_linestyle() == "--"
    ]
    assert (stroke, gap) == tuple(pattern)
    assert stroke == gap == abs(offset - plain_offset)


def test_each_panel_has_its_own_epochs_and_no_error_is_below_zero(tmp_path: Path) -> None:
    table, results = _run_table(tmp_path, "squeeze", ["max", "avg"])
    longer = next(row for row in table.rows if row.name == "avg")
    for record in longer.records:
        folder = results.folders[record.run_key, record.seed]
        append_epoch(folder, {"epoch": 50, "train_top1_err_pct": 0.0, "top1_err_pct": 0.0})
    shorter_panel, longer_panel = _plot(table, results)
    assert shorter_panel.get_xlim()[1] < 3 < 50 <= longer_panel.get_xlim()[1]
    assert shorter_panel.get_ylim() == longer_panel.get_ylim()
    assert longer_panel.get_ylim()[0] == 0


@pytest.mark.parametrize(
    ("name", "rows", "alt", "partner"),
    [
        (
            "no_squeeze",
            ["ResNet-50", "SE"],
            "learning curves of SE beside ResNet-50",
            "the same network without it (ResNet-50).",
        ),
        ("squeeze", ["max", "avg"], "learning curves of max, avg", None),
    ],
)
def test_words_say_which_networks_share_a_panel(
    tmp_path: Path, name: str, rows: list[str], alt: str, partner: str | None
) -> None:
    table, results = _run_table(tmp_path, name, rows)
    drawing = draw_learning_curves(table, name, results.folders)
    assert drawing is not None
    assert drawing.alt.endswith(alt)
    assert ("Figure 4" in drawing.caption) == bool(partner)
    assert drawing.caption.endswith(partner or "their greatest.")
    # The legend names each line once, whatever the number of panels.
    assert drawing.svg.count("with SE, validation") == 1


def test_there_are_no_curves_without_epochs(tmp_path: Path) -> None:
    table, _ = _run_table(tmp_path, "squeeze", ["max", "avg"])
    assert draw_learning_curves(table, "squeeze", {}) is None


def test_curves_of_detectors_claim_no_precision_in_training(tmp_path: Path) -> None:
    write_detector(tmp_path, "none", 0)
    results = load_results(tmp_path)
    (table,) = build_tables(results, [find_table("coco")])
    drawing = draw_learning_curves(table, "coco", results.folders)
    assert drawing is not None
    assert "in each epoch, in validation: " in drawing.caption
