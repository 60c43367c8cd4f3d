"""Below: a row is compared with a published figure that nothing is trained for here, on the paper's own data alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scipy.stats import ttest_1samp

from senet_repro.config.paper_tables import find_table
from senet_repro.report.claims.below import Below
from senet_repro.report.claims.claim_tests import list_tests_against, list_tests_for
from senet_repro.report.claims.judge import Judged, compare_rows, judge
from senet_repro.report.claims.kinds import read_claim
from senet_repro.report.tables import build
from senet_repro.report.tables.build import ResultTable
from senet_repro.results.record import Record
from senet_repro.results.store import Results
from tests.records import make_record, row_records

PAPER = find_table("places365")
BORDER = 11.48


def _build_table(records: list[Record]) -> ResultTable:
    # To compose the rows of all other tables takes seconds.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "paper_tables", lambda: {PAPER.name: PAPER})
        (table,) = build.build_tables(Results(records), [PAPER])
    (claim,) = (claim for claim in PAPER.claims if claim.kind == "below")
    return replace(table, paper=replace(PAPER, claims=[claim]))


def _judge(errors: list[float]) -> Judged:
    (one,) = judge(_build_table(row_records(PAPER, "SE-ResNet-152", errors)))
    return one


@pytest.mark.parametrize(
    ("errors", "verdict"),
    [
        ([11.0, 11.1, 11.05], "reproduced"),
        ([11.9, 12.0, 11.95], "contradicted"),
        ([11.4, 11.5, 11.45], "inconclusive"),
        ([11.0], "inconclusive"),
    ],
)
def test_our_seeds_are_tested_against_the_published_figure(
    errors: list[float], verdict: str
) -> None:
    one = _judge(errors)
    assert one.verdict == verdict
    assert one.difference is not None
    assert one.difference.mean == pytest.approx(sum(errors) / len(errors) - BORDER)
    assert "The border is 11.48 %, and the paper's difference to it -0.47." in one.evidence
    assert not any("the published figure" in proviso for proviso in one.provisos)


def test_the_p_value_is_that_of_one_sample_and_adjusted_in_its_family() -> None:
    errors = [11.2, 11.45, 11.3]
    table = _build_table(row_records(PAPER, "SE-ResNet-152", errors))
    kind = read_claim(table.paper, table.paper.claims[0])
    assert isinstance(kind, Below)
    (comparison,) = compare_rows(table, kind)
    expected = ttest_1samp(errors, BORDER, alternative="less").pvalue
    assert comparison.p_holds == pytest.approx(expected)
    assert comparison.p_fails == pytest.approx(1 - expected)
    # Two tests of one claim make its family.
    (one,) = judge(table)
    assert one.p_value == pytest.approx(2 * expected)
    # Seeds are planned for the one row that is trained.
    for tests in (list_tests_for(kind, [comparison]), list_tests_against(kind, [comparison])):
        (test,) = tests
        assert list(test.weights) == ["SE-ResNet-152"]


@pytest.mark.parametrize(
    ("override", "reason"),
    [
        ("data.subset=standard", "ours is a proxy (subset standard (challenge))."),
        ("recipe.epochs=20", "ours is not the paper's protocol (epochs 20 (60))."),
    ],
)
def test_other_data_and_another_protocol_cannot_tell(override: str, reason: str) -> None:
    words = ("+experiment=places365", override)
    records = [
        make_record(words, seed=seed, top1=40.0, top5=11.0 + seed / 100, eval_images=36_500)
        for seed in range(3)
    ]
    table = _build_table(records)
    (one,) = judge(table)
    assert one.verdict == "not testable"
    assert one.evidence.endswith(reason)
    assert (table.stands_for is not None) == ("subset" in override)
