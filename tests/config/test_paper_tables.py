"""The table files: the rows of the paper, its figures, and a sweep that covers them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import replace

import pytest
from omegaconf import OmegaConf

from senet_repro.config.composition import compose
from senet_repro.config.conf_dir import CONF_DIR
from senet_repro.config.help_text import build_help
from senet_repro.config.identity import AXES, build_identity, run_key
from senet_repro.config.paper_tables import (
    find_table,
    format_selection,
    label_table,
    paper_run,
    paper_tables,
)
from senet_repro.config.schema import Claim, PaperTable, Row
from senet_repro.core.errors import ConfigError
from senet_repro.tasks import find_task
from tests.expected import read_expected

TABLES = list(paper_tables().values())


def _forms(table: PaperTable) -> dict[str, object]:
    return {
        name: build_identity(paper_run(table, row))
        for name, row in table.rows.items()
        if row.axes is not None
    }


# Table 2 alone takes a quarter of a minute, and is swept as Tables 4 and 5 are: with the tests that take long.
MOST_ROWS = (pytest.mark.slow, pytest.mark.faults)
SWEPT = [
    pytest.param(table, id=table.name, marks=MOST_ROWS if table.name == "imagenet" else ())
    for table in TABLES
]


@pytest.mark.parametrize("table", SWEPT)
def test_the_sweep_trains_exactly_the_rows(table: PaperTable) -> None:
    selected = format_selection(table)
    params = OmegaConf.load(
        CONF_DIR / f"{selected[1:].replace('=', '/')}.yaml"
    ).hydra.sweeper.params
    choices = [[f"{axis}={value}" for value in _split(values)] for axis, values in params.items()]
    protocol = ["protocol=imagenet"] if selected.startswith("+ablation") else []
    swept = [
        build_identity(compose([selected, *protocol, *point]))
        for point in itertools.product(*choices)
    ]
    rows = list(_forms(table).values())
    assert all(point in rows for point in swept)
    assert all(row in swept for row in rows)


def _split(values: str) -> list[str]:
    # The values of one axis as Hydra's command line reads them; a list such as [2] holds no comma in these files.
    return values.split(",")


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_rows_set_axes_or_a_network_and_no_two_are_the_same_run(table: PaperTable) -> None:
    assert all(set(row.axes or {}) <= {*AXES, "model"} for row in table.rows.values())
    forms = list(_forms(table).values())
    assert all(forms.count(form) == 1 for form in forms)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_baselines_are_rows_that_differ_from_theirs_in_the_axes_alone(table: PaperTable) -> None:
    forms = _forms(table)
    for name in forms:
        baseline = table.baseline_of(name)
        if baseline:
            assert {**forms[name], "se": None} == {**forms[baseline], "se": None}  # type: ignore[dict-item]
    if table.name not in ("state_of_the_art", "larger_crops"):
        assert {table.baseline_of(name) for name in forms} > {None}


def test_every_published_figure_stands_in_the_files_as_it_was_transcribed_a_second_time() -> None:
    lines = [*read_expected("published.csv"), *read_expected("published_coco.csv")]
    published = {(line.pop("table"), line.pop("row")): line for line in lines}
    found = {
        (table.name, name): row
        for table in TABLES
        if table.number
        for name, row in table.rows.items()
    }
    assert found.keys() == published.keys()
    for point, figures in published.items():
        for key, text in figures.items():
            expected = float(text) if text else None
            assert found[point].published(key) == expected, (point, key)


def test_tables_are_found_by_number_and_name() -> None:
    assert find_table("10") is find_table("reduction_ratio")
    for table in TABLES:
        assert find_table(table.name) is table
        if table.number:
            assert find_table(str(table.number)) is table
            assert label_table(table) == f"Table {table.number}"
    numbers = [table.number or math.inf for table in TABLES]
    assert numbers == sorted(numbers)
    assert label_table(find_table("last_stage")) == "Section 4"
    with pytest.raises(
        ConfigError,
        match=r"no table '1'; there are 2 imagenet, 3 mobile.*; the paper's Table 1 lists the layers",
    ):
        find_table("1")


def test_the_help_names_every_table() -> None:
    text = build_help(verbs="")
    assert all(table.name in text for table in TABLES)


def test_a_table_is_part_of_the_run_that_sweeps_it() -> None:
    assert all(compose([format_selection(table)]).table == table for table in TABLES)


CLAIMS = [(table, claim) for table in TABLES for claim in table.claims]
CLAIM_IDS = [f"{table.name}: {claim.says}" for table, claim in CLAIMS]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_table_has_claims_and_no_two_say_the_same(table: PaperTable) -> None:
    says = [claim.says for claim in table.claims]
    assert says
    assert len(set(says)) == len(says)


@pytest.mark.parametrize(("table", "claim"), CLAIMS, ids=CLAIM_IDS)
def test_claims_name_rows_that_are_there_and_have_what_their_kind_needs(
    table: PaperTable, claim: Claim
) -> None:
    assert set(claim.rows) <= {*table.rows, *table.beside}
    assert len(set(claim.rows)) == len(claim.rows) >= 2
    assert claim.section.split(".")[0] in ("4", "5", "6", "7")
    assert (claim.margin is not None) == (claim.increase_pct is not None) == (claim.kind == "cost")
    has_margin = claim.margin_share is not None or bool(claim.margins)
    assert has_margin == (claim.kind in ("equivalent", "rivals"))
    assert (claim.most_share is not None) == (claim.kind == "rivals")
    sizes = ("params_m", "gflops")
    metrics = [metric.name for metric in find_task(table.task).metrics]
    assert claim.figure in (sizes if claim.kind == "cost" else (None, *metrics))
    assert claim.kind != "cost" or len(claim.rows) == 2


@pytest.mark.parametrize(("table", "claim"), CLAIMS, ids=CLAIM_IDS)
def test_the_published_figures_bear_out_what_the_paper_claims(
    table: PaperTable, claim: Claim
) -> None:
    rows, figure = {**table.beside, **table.rows}, claim.figure or "top1_err_pct"
    figures = [rows[name].published(figure) for name in claim.rows]
    better = {metric.name: metric.better for metric in find_task(table.task).metrics}
    if None in figures:
        pytest.skip("the paper prints no figure of one of the rows")
    elif claim.kind == "lower":
        # The better one first.
        assert figures == sorted(set(figures), reverse=better[figure] == "higher")
    elif claim.kind == "below":
        assert rows[claim.rows[-1]].axes is None
        assert figures[0] < figures[-1]
    elif claim.kind == "equivalent":
        assert max(figures) - min(figures) < _find_published_margin(claim, rows, figure)
    elif claim.kind == "rivals":
        first, second = (rows[name] for name in claim.rows)
        assert first.gflops is not None
        assert second.gflops is not None
        assert figures[0] < figures[1] + claim.margins["imagenet"]
        assert first.gflops <= (claim.most_share or 0) * second.gflops
    else:
        assert abs(100 * (figures[0] / figures[1] - 1) - (claim.increase_pct or 0)) <= (
            claim.margin or 0
        )


def _find_published_margin(claim: Claim, rows: Mapping[str, Row], figure: str) -> float:
    """The margin in points of ImageNet: fixed there, or a share of the published gain."""
    if "imagenet" in claim.margins:
        return claim.margins["imagenet"]
    with_se, without = (rows[name].published(figure) for name in claim.gain)
    assert claim.margin_share is not None
    assert with_se is not None
    assert without is not None
    return claim.margin_share * (without - with_se)


def test_rows_beside_a_table_are_as_other_tables_print_them() -> None:
    printed = [
        row
        for table in TABLES
        if format_selection(table).startswith("+ablation")
        for row in table.rows.values()
    ]
    beside = [row for table in TABLES for row in table.beside.values()]
    assert beside
    for row in beside:
        assert any((other.axes, other.figures) == (row.axes, row.figures) for other in printed)


def test_claims_are_no_part_of_what_a_run_is() -> None:
    run = compose(["+ablation=squeeze"])
    assert run.table
    assert run.table.claims
    bare = replace(run, table=replace(run.table, claims=[], beside={}))
    assert run_key(bare) == run_key(run) == run_key(replace(run, table=None))
