"""The kinds of claims: what bears them out, in either direction of better, and what their YAML may not hold."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from senet_repro.config.paper_tables import find_table
from senet_repro.config.schema import Claim, PaperTable
from senet_repro.core.errors import ConfigError
from senet_repro.report.claims import comparisons
from senet_repro.report.claims.cost import Cost
from senet_repro.report.claims.equivalent import Equivalent
from senet_repro.report.claims.judge import judge
from senet_repro.report.claims.kinds import read_claim
from senet_repro.report.claims.lower import Lower
from senet_repro.report.claims.pairs import Pair, find_row
from senet_repro.report.claims.rivals import Rivals
from senet_repro.report.tables.build import build_tables
from senet_repro.results.metrics import Metric
from senet_repro.results.store import Results
from tests.records import row_records

ACCURACY = Metric(key="top1", label="top-1", quantity="err", noun="accuracy", better="higher")


def _claim(kind: str, **settings: object) -> Claim:
    return Claim(section="6", says="", kind=kind, rows=["max", "avg"], **settings)  # type: ignore[arg-type]


@pytest.fixture
def paper() -> PaperTable:
    return find_table("squeeze")


def test_each_word_of_the_yaml_is_a_kind(paper: PaperTable) -> None:
    kinds = {"lower": Lower, "equivalent": Equivalent, "cost": Cost, "rivals": Rivals}
    for word, kind in kinds.items():
        assert isinstance(read_claim(paper, _claim(word)), kind)
    with pytest.raises(
        ConfigError, match="kind=higher: give lower, equivalent, cost, rivals or below"
    ):
        read_claim(paper, _claim("higher"))


def test_a_claim_that_names_no_figure_is_about_the_first_metric_of_its_table(
    paper: PaperTable,
) -> None:
    assert read_claim(paper, _claim("lower")).figure_name == "top1_err_pct"
    assert read_claim(paper, _claim("lower", figure="top5_err_pct")).figure_name == "top5_err_pct"


@pytest.mark.parametrize(
    ("kind", "figure", "mend"),
    [("lower", "gflops", "give top1_err_pct or top5_err_pct"), ("cost", "loss", "params_m or gfl")],
)
def test_a_figure_that_the_kind_cannot_be_about_is_refused(
    paper: PaperTable, kind: str, figure: str, mend: str
) -> None:
    with pytest.raises(ConfigError, match=f"figure={figure}: .*{mend}"):
        assert read_claim(paper, _claim(kind, figure=figure)).figure_name


def test_where_higher_is_better_a_row_is_better_that_is_higher(
    paper: PaperTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [*row_records(paper, "max", [75.0, 75.1]), *row_records(paper, "avg", [73.0, 73.2])]
    (table,) = build_tables(Results(records), [paper])
    lower = Lower(paper, _claim("lower"))
    pair = Pair(find_row(table, "max"), find_row(table, "avg"))
    error = lower.compare(table, pair)
    assert error is not None
    assert error.p_holds > 0.95 > 0.05 > error.p_fails
    assert (error.region_for, error.regions_against) == ((-math.inf, 0.0), [(0.0, math.inf)])
    monkeypatch.setattr(comparisons, "list_table_metrics", lambda paper: [ACCURACY])
    accuracy = lower.compare(table, pair)
    assert accuracy is not None
    assert (accuracy.p_holds, accuracy.p_fails) == (error.p_fails, error.p_holds)
    assert (accuracy.region_for, accuracy.regions_against) == ((0.0, math.inf), [(-math.inf, 0.0)])


def test_verdicts_follow_the_better_direction_of_the_metric(
    paper: PaperTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [
        *row_records(paper, "max", [75.0, 75.1, 75.2]),
        *row_records(paper, "avg", [73.0, 73.2, 73.1]),
    ]
    (table,) = build_tables(Results(records), [paper])
    table = replace(table, paper=replace(paper, claims=[_claim("lower")]))
    assert [one.verdict for one in judge(table)] == ["contradicted"]
    monkeypatch.setattr(comparisons, "list_table_metrics", lambda paper: [ACCURACY])
    (one,) = judge(table)
    assert one.verdict == "reproduced"
    assert "max minus avg: top-1 accuracy +2.00 ±" in one.evidence
