"""The ablation files: the rows of the paper, its figures, and a sweep that covers them."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from senet_repro.config.canonical import AXES, AXIS_DEFAULTS, canonical_se
from senet_repro.config.composition import CONF_DIR, compose
from senet_repro.config.schema import ConfigError, PaperTable
from senet_repro.config.tables import find_table, label, paper_tables

TABLES = list(paper_tables().values())
STYLE = {"fc": "linear", "bias": False}


def _points(table: PaperTable) -> list[object]:
    return [canonical_se({**AXIS_DEFAULTS, **row.axes}, STYLE, [2, 3, 4, 5]) for row in table.rows.values()]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_the_sweep_trains_exactly_the_rows(table: PaperTable) -> None:
    params = OmegaConf.load(CONF_DIR / "ablation" / f"{table.name}.yaml").hydra.sweeper.params
    choices = [[(axis, value) for value in _split(values)] for axis, values in params.items()]
    swept = [
        canonical_se({**AXIS_DEFAULTS, **dict(point)}, STYLE, [2, 3, 4, 5]) for point in itertools.product(*choices)
    ]
    rows = _points(table)
    assert all(point in rows for point in swept)
    assert all(row in swept for row in rows)


def _split(values: str) -> list[object]:
    # The values of one axis as Hydra's command line reads them; a list such as [2] holds no comma in these files.
    points = [OmegaConf.create(f"value: {part}").value for part in values.split(",")]
    return [OmegaConf.to_container(point) if OmegaConf.is_config(point) else point for point in points]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_rows_set_axes_only_and_no_two_are_the_same_run(table: PaperTable) -> None:
    assert table.baseline in table.rows
    assert all(set(row.axes) <= set(AXES) for row in table.rows.values())
    points = _points(table)
    assert all(points.count(point) == 1 for point in points)


@pytest.mark.parametrize(
    ("name", "row", "figures"),
    [
        ("reduction_ratio", "r = 4", (22.25, 6.09, 35.7, None)),
        ("squeeze", "max", (22.57, 6.09, None, None)),
        ("excitation", "relu", (23.47, 6.98, None, None)),
        ("stages", "SE_Stage_4", (22.68, 6.22, 26.4, 3.86)),
        ("integration", "SE-Identity", (22.20, 6.15, None, None)),
        ("se_3x3", "SE_3x3", (22.48, 6.02, 25.8, 3.86)),
        ("no_squeeze", "NoSqueeze", (22.93, 6.39, 28.1, 4.27)),
        ("last_stage", "all but the last", (None, None, None, None)),
    ],
)
def test_published_figures_stand_in_the_files(name: str, row: str, figures: tuple[float | None, ...]) -> None:
    found = paper_tables()[name].rows[row]
    assert (found.top1_err_pct, found.top5_err_pct, found.params_m, found.gflops) == figures


def test_tables_are_found_by_number_and_name() -> None:
    assert find_table("10") is find_table("reduction_ratio")
    assert [label(table) for table in TABLES] == [*(f"Table {n}" for n in range(10, 17)), "Section 4"]
    with pytest.raises(ConfigError, match="no table '9'; there are 10 reduction_ratio"):
        find_table("9")


def test_the_help_names_every_table() -> None:
    text = (Path(CONF_DIR) / "hydra" / "help" / "senet_repro.yaml").read_text()
    assert all(table.name in text for table in TABLES)


def test_a_table_is_part_of_the_run_that_sweeps_it() -> None:
    assert compose(["+ablation=squeeze"]).table == paper_tables()["squeeze"]
