"""Figures: what they draw, when there is none, and that neither home nor settings of the user take part."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from senet_repro.config.paper_tables import find_table
from senet_repro.report.figures.captions import describe_standing
from senet_repro.report.figures.curves import read_curve
from senet_repro.report.figures.drawing import make_figure, render_figure, use_house_style
from senet_repro.report.figures.table_figures import draw_table_figures
from senet_repro.report.tables.build import ResultTable, build_tables
from senet_repro.results.record import Record
from senet_repro.results.run_folder import RunFolder
from senet_repro.results.store import Results, load_results
from tests.records import make_record
from tests.report.pages import squeeze_records, write_runs


def _table(records: list[Record], name: str = "squeeze") -> ResultTable:
    (table,) = build_tables(Results(records), [find_table(name)])
    return table


def test_curves_are_the_mean_and_the_range_of_the_seeds(tmp_path: Path) -> None:
    write_runs(tmp_path, squeeze_records())
    results = load_results(tmp_path)
    row = next(row for row in _table(results.records).rows if row.name == "max")
    valid = read_curve(row, "top1_err_pct", results.folders)
    train = read_curve(row, "train_top1_err_pct", results.folders)
    assert valid is not None
    assert train is not None
    assert (valid.epochs, valid.n) == ([1, 2], 2)
    assert (valid.mean, valid.least, valid.greatest) == ([24.5, 4.0], [23.5, 3.5], [25.5, 4.5])
    assert train.mean == [25.5, 5.0]


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"[1]\n", b'{"epoch": "one", "top1_err_pct": null}\n']
)
def test_runs_whose_epochs_cannot_be_read_have_no_curve(tmp_path: Path, content: bytes) -> None:
    write_runs(tmp_path, [make_record([], seed=0, top1=3.0)])
    results = load_results(tmp_path)
    for folder in results.folders.values():
        RunFolder(folder).epochs_file.write_bytes(content)
    assert all(
        read_curve(row, "top1_err_pct", results.folders) is None
        for row in _table(results.records).rows
    )


def test_there_is_no_figure_where_there_is_nothing_to_compare() -> None:
    (only,) = draw_table_figures(_table([make_record([], seed=0, top1=3.0)]), "squeeze", {})
    assert only.name == "squeeze-errors"


def test_a_figures_file_says_what_it_is_of_and_stands_alone() -> None:
    drawn = draw_table_figures(_table(squeeze_records()), "squeeze", {})
    assert [drawing.name for drawing in drawn][:2] == ["squeeze-errors", "squeeze-differences"]
    for drawing in drawn:
        assert "Table 11: Squeeze operator" in drawing.svg
        assert "digits, a proxy for ImageNet" in drawing.svg
        assert drawing.png.startswith(b"\x89PNG")
        assert not re.search("<image|<script|url\\((?!#)", drawing.svg)


def test_a_figure_in_the_page_takes_the_pages_font_and_colours_and_has_ids_of_its_own() -> None:
    drawn = draw_table_figures(_table(squeeze_records()), "squeeze", {})
    assert [drawing.name for drawing in drawn][:2] == ["squeeze-errors", "squeeze-differences"]
    for drawing in drawn:
        assert not re.findall("(?:fill|stroke): #", drawing.inline)
        assert "var(--ink)" in drawing.inline
        assert "font-family" not in drawing.inline
        assert all(
            found.startswith(drawing.name) for found in re.findall(' id="([^"]+)"', drawing.inline)
        )
        assert set(re.findall('href="#([^"]+)"', drawing.inline)) <= set(
            re.findall(' id="([^"]+)"', drawing.inline)
        )


@pytest.mark.parametrize(
    ("overrides", "table", "images", "said"),
    [
        ([], "squeeze", 360, "digits, a proxy for ImageNet; one seed is no evidence"),
        (
            ["protocol=imagenet"],
            "squeeze",
            50_000,
            "ImageNet, the paper's protocol; one seed is no evidence",
        ),
        (
            ["protocol=imagenet", "recipe.epochs=2"],
            "squeeze",
            50_000,
            "ImageNet, not the paper's protocol; one seed is no evidence",
        ),
    ],
)
def test_what_a_table_stands_for_is_said(
    overrides: list[str], table: str, images: int, said: str
) -> None:
    assert (
        describe_standing(
            _table([make_record(overrides, seed=0, top1=22.0, eval_images=images)], table)
        )
        == said
    )


def test_settings_of_the_user_change_nothing() -> None:
    table = _table(squeeze_records())
    plain = draw_table_figures(table, "squeeze", {})
    import matplotlib

    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red", "text.parse_math": True}):
        assert draw_table_figures(table, "squeeze", {}) == plain


def test_a_name_with_dollar_signs_stays_that_name() -> None:
    with use_house_style():
        figure = make_figure(460, 300)
        figure.suptitle("a $b$ <i>")
        drawing = render_figure(figure, "name", "alt", "caption")
    assert "a $b$ &lt;i&gt;" in drawing.svg
    assert "a $b$ &lt;i&gt;" in drawing.inline


@pytest.mark.slow
def test_drawing_writes_nothing_in_the_home_directory(tmp_path: Path) -> None:
    code = (
        "from senet_repro.report.figures.drawing import *\n"
        "with use_house_style():\n"
        "    assert render_figure(make_figure(460, 300), 'n', 'a', 'c').png\n"
    )
    home, temporary = tmp_path / "home", tmp_path / "tmp"
    home.mkdir()
    temporary.mkdir()
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("MPLCONFIGDIR", "XDG_CACHE_HOME")
    }
    environment |= {"HOME": str(home), "TMPDIR": str(temporary)}
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, env=environment)
    assert list(home.iterdir()) == []
    # One folder, which the next process finds again.
    assert [path.name for path in temporary.iterdir()] == [f"senet_repro-{os.getuid()}"]
