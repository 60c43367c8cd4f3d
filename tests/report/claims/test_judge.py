"""Verdicts on the paper's claims from fixture records."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import DescrStatsW

from senet_repro.config.paper_tables import find_table, paper_tables
from senet_repro.config.schema import Claim, PaperTable
from senet_repro.report.claims.evidence import caution_verdicts
from senet_repro.report.claims.judge import Judged, compare_order, judge
from senet_repro.report.claims.kinds import find_paper_difference, read_claim
from senet_repro.report.tables.build import ResultTable, build_tables
from senet_repro.report.text.verdicts import format_verdicts, judge_tables
from senet_repro.report.text.verdicts_json import format_verdicts_json
from senet_repro.results.record import Record
from senet_repro.results.store import Results
from tests.records import row_records

PAPER = "protocol=imagenet"  # of every ablation, where something else is changed in it
NEAR = (
    0.02,
    -0.03,
    0.01,
)  # what a seed adds to an error: three seeds that tell tenths of a point apart


def records_of(name: str, errors: Mapping[str, Sequence[float]], *overrides: str) -> list[Record]:
    table = find_table(name)
    return [
        record
        for row, top1 in errors.items()
        for record in row_records(table, row, top1, *overrides)
    ]


def table_of(name: str, records: Sequence[Record]) -> ResultTable:
    (table,) = build_tables(Results(list(records)), [find_table(name)])
    return table


def judged(name: str, errors: Mapping[str, Sequence[float]], *overrides: str) -> dict[str, Judged]:
    return {
        one.claim.says: one for one in judge(table_of(name, records_of(name, errors, *overrides)))
    }


def seeds(mean: float, noise: Sequence[float] = NEAR) -> list[float]:
    return [mean + each for each in noise]


ORDERED = {
    "sigmoid": seeds(22.3),
    "tanh": seeds(23.0, NEAR[::-1]),
    "relu": seeds(23.5),
    "ResNet-50": seeds(23.3),
}
CHAIN, WORSE = (
    "sigmoid is better than tanh, tanh than ReLU",
    "with ReLU the network is worse than without SE",
)


@pytest.mark.parametrize(
    ("changed", "verdict"),
    [
        ({}, "reproduced"),
        ({"tanh": seeds(24.0)}, "contradicted"),  # one pair of the chain the other way is enough
        ({"tanh": seeds(22.3, (0.5, -0.4, 0.1))}, "inconclusive"),
        ({"tanh": [23.0]}, "inconclusive"),
        ({"tanh": []}, "not run"),
    ],
)
def test_a_chain_holds_where_each_pair_does_and_fails_where_any_does(
    changed: dict[str, list[float]], verdict: str
) -> None:
    assert judged("excitation", {**ORDERED, **changed})[CHAIN].verdict == verdict


def test_the_pair_that_decides_a_chain_is_the_one_shown() -> None:
    found = judged("excitation", {**ORDERED, "tanh": seeds(24.0)})[CHAIN]
    assert found.difference is not None
    assert (found.difference.mean, found.n) == (pytest.approx(0.5), 3)
    # The paper's own of these two, and not of the whole chain.
    assert found.paper_difference == pytest.approx(-0.47)
    assert found.evidence.startswith(
        "tanh minus relu (of 2 pairs of rows the one that decides): top-1 error +0.50 ± "
    )
    assert (
        "3 seeds in common. One-sided paired t for the opposite: p < 0.001 after Holm"
        in found.evidence
    )


def test_a_planned_seed_that_a_row_diverged_with_is_named_in_the_evidence_of_its_claims() -> None:
    plan = {
        "id": "plan.yaml",
        "written_at": "2026-01-01T12:00:00+00:00",
        "seeds": [0, 1, 2, 3],
        "grows_from": None,
        "tables": ["excitation"],
        "sha256": "0" * 64,
    }
    errors = {**ORDERED, "tanh": [*seeds(23.0), 23.0]}
    records = [replace(record, plan=plan) for record in records_of("excitation", errors)]
    relu = next(record for record in records if record.config["excitation"] == "relu")
    results = Results(records, failures={(relu.run_key, 3): "the loss was not finite"})
    (table,) = build_tables(results, [find_table("excitation")])
    for found in judge(table):
        assert "3 of 4 planned seeds: 0-2; missing 3; a run failed with seed 3." in found.evidence
        assert found.is_provisional


def test_a_claim_compares_with_a_row_of_another_table() -> None:
    found = judged("excitation", ORDERED)[WORSE]
    assert (found.verdict, found.evidence.split(":")[0]) == ("reproduced", "ResNet-50 minus relu")
    assert (
        judged("excitation", {**ORDERED, "ResNet-50": seeds(24.0)})[WORSE].verdict == "contradicted"
    )


def test_p_values_are_those_of_statsmodels_after_holm_over_both_directions_within_the_table() -> (
    None
):
    errors = {
        "SE": [22.31, 22.18, 22.44, 22.25],
        "SE-PRE": [22.25, 22.30, 22.41, 22.11],
        "SE-POST": [22.71, 22.52, 22.77, 22.90],
        "SE-Identity": [22.60, 22.41, 22.50, 22.49],
        "ResNet-50": [23.40, 23.20, 23.35, 23.28],
    }
    arrays = {row: np.array(figures) for row, figures in errors.items()}

    def p_below(values: np.ndarray) -> float:
        return float(DescrStatsW(values).ttest_mean(0.0, "smaller")[1])

    before = ("SE", "SE-PRE", "SE-Identity")
    holds = [p_below(arrays[row] - arrays["SE-POST"]) for row in before]
    fails = [1 - p_value for p_value in holds]
    gain = arrays["ResNet-50"] - arrays["SE"]
    within, beyond = [], []
    for first, second in combinations(before, 2):
        difference = arrays[first] - arrays[second]
        sides = [p_below(sign * difference - 0.333 * gain) for sign in (1, -1)]
        within.append(max(sides))
        beyond.append(max(2 * min(1 - side for side in sides), p_below(-gain)))
    holds.append(max(within))
    fails.append(min(1.0, 3 * min(beyond)))
    adjusted = multipletests([*holds, *fails], method="holm")[1][: len(holds)]
    found = list(judged("integration", errors).values())
    assert [one.p_value for one in found] == pytest.approx(list(adjusted))
    expected = ["reproduced" if p <= 0.05 else "inconclusive" for p in adjusted]
    assert [one.verdict for one in found] == expected
    assert len(set(expected)) == 2


def test_a_claim_alone_may_be_reproduced_where_among_others_it_is_not() -> None:
    # p = 0.010: 0.020 with its opposite, 0.08 beside the six tests of three claims that say nothing
    errors = {"avg": [22.3, 22.3, 22.3], "ResNet-50": [22.85, 22.9, 22.95]}
    errors = {**errors, "ResNet-50": [22.75, 22.9, 23.05]}
    assert (
        judged("squeeze", errors)["averages as the squeeze lower the error"].verdict == "reproduced"
    )
    more = judged("squeeze", {**errors, "max": [22.4, 22.2, 22.3]})
    assert more["averages as the squeeze lower the error"].verdict == "inconclusive"


EQUIVALENT = "from r = 2 to r = 16 the error does not depend on r"


@pytest.mark.parametrize(
    ("r4", "verdict"),
    [
        (seeds(22.31, (0.01, 0.0, -0.01)), "reproduced"),
        (seeds(22.90, (0.01, 0.0, -0.01)), "contradicted"),
        (seeds(22.63, (0.01, 0.0, -0.01)), "inconclusive"),
        (seeds(22.30, (0.3, 0.0, -0.3)), "inconclusive"),
        ([22.3], "inconclusive"),
    ],
)
def test_an_equivalence_is_of_every_two_of_its_rows_within_the_margin(
    r4: list[float], verdict: str
) -> None:
    others = {f"r = {r}": seeds(22.3, (0.0, 0.01, -0.01)) for r in (2, 8, 16)}
    others["original"] = seeds(23.3, (0.01, -0.01, 0.0))
    found = judged("reduction_ratio", {**others, "r = 4": r4})[EQUIVALENT]
    assert found.verdict == verdict
    assert "of 6 pairs of rows" in found.evidence


@pytest.mark.parametrize("name", [table.name for table in paper_tables().values()])
def test_with_one_seed_every_claim_about_errors_is_inconclusive(name: str) -> None:
    table = find_table(name)
    rows = {**table.beside, **table.rows}
    errors = {
        row: [rows[row].published("top1_err_pct") or 22.0]
        for row in rows
        if rows[row].axes is not None
    }
    about_errors = [
        one for one in judge(table_of(name, records_of(name, errors))) if one.claim.kind != "cost"
    ]
    offered = [
        one for one in about_errors if any(rows[row].axes is not None for row in one.claim.rows)
    ]
    assert {(one.verdict, one.p_value, one.n) for one in offered} == {("inconclusive", None, 1)}
    assert all("no evidence" in one.evidence for one in offered)


def test_two_seeds_can_settle_only_what_is_plain() -> None:
    errors = {"avg": [22.30, 22.31], "max": [22.60, 22.61], "ResNet-50": [22.60, 22.65]}
    found = judged("squeeze", errors)
    assert found["averages are the better squeeze"].verdict == "reproduced"
    assert found["maxima as the squeeze lower the error, too"].verdict == "inconclusive"


def test_only_seeds_in_common_are_compared() -> None:
    first, second = (row_records(find_table("squeeze"), row, seeds(22.3)) for row in ("avg", "max"))
    one, *_ = judge(table_of("squeeze", [*first[:2], *second[1:]]))
    assert one.n == 1
    apart, *_ = judge(table_of("squeeze", [*first[:1], *second[1:]]))
    assert (apart.verdict, apart.difference, apart.n) == ("inconclusive", None, 0)
    assert apart.evidence == "Its rows have no seed in common."


def test_seeds_that_agree_to_the_image_are_credited_with_the_spread_of_one() -> None:
    for images, verdict in ((1, "inconclusive"), (5, "reproduced")):
        errors = {"avg": [2.5] * 3, "ResNet-50": [2.5 + images * 100 / 360] * 3}
        one = judged("squeeze", errors, "protocol=demo")["averages as the squeeze lower the error"]
        assert one.verdict == verdict
        assert one.p_value
        assert one.difference
        assert one.difference.sd == pytest.approx(100 / 360)


def _sized(records: Sequence[Record], params: int, macs: int) -> list[Record]:
    return [replace(record, params=params, macs=macs) for record in records]


SIZES = {
    "SE": (28_071_976, 3_866_007_552),
    "all but the last": (26_500_000, 3_860_000_000),
    "ResNet-50": (25_557_032, 3_857_973_248),
}


def _sizes(*overrides: str, **changed: tuple[int, int]) -> list[tuple[str, str]]:
    table = find_table("last_stage")
    records = [
        record
        for row, size in {**SIZES, **changed}.items()
        for record in _sized(row_records(table, row, [22.3], *overrides), *size)
    ]
    return [
        (one.verdict, one.evidence)
        for one in judge(table_of("last_stage", records))
        if one.claim.kind == "cost"
    ]


def test_costs_are_counted_and_need_one_seed() -> None:
    found = _sizes()
    assert [verdict for verdict, _ in found] == ["reproduced"] * 3
    said = (
        "28,071,976 against 25,557,032 parameters: +9.84 %; the paper has +10 %, and up to 1 more or less would do. "
        "Counted, so no test."
    )
    assert found[0][1] == said
    wrong = _sizes(SE=(40_000_000, 3_900_000_000))
    assert [verdict for verdict, _ in wrong] == ["contradicted", "reproduced", "contradicted"]


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["protocol=demo"], "Counted on resnet11, not on the paper's resnet50."),
        ([PAPER, "se.bias=true"], "Counted on another form of the paper's network"),
        ([PAPER, "data.eval_px=160"], "Counted on another form of the paper's network"),
        (
            [PAPER, "model.options.stride_on=conv3x3"],
            "Counted on another form of the paper's network",
        ),
    ],
)
def test_costs_of_another_network_are_inconclusive_and_say_so(
    overrides: list[str], said: str
) -> None:
    verdict, evidence = _sizes(*overrides)[0]
    assert verdict == "inconclusive"
    assert said in evidence


def test_costs_of_the_papers_network_otherwise_trained_still_count() -> None:
    assert {verdict for verdict, _ in _sizes(PAPER, "recipe.epochs=2")} == {"reproduced"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"hardware": {"device": "cuda", "devices": 1, "name": "H200"}},
            "device (cuda: avg; cpu: max)",
        ),
        ({"commit": "1" * 40}, "commit (1111111: avg; 0000000: max)"),
    ],
)
def test_whatever_differs_beside_the_axis_is_named(changes: dict[str, Any], said: str) -> None:
    table = find_table("squeeze")
    first = [replace(record, **changes) for record in row_records(table, "avg", seeds(22.3))]
    one, *_ = judge(table_of("squeeze", [*first, *row_records(table, "max", seeds(22.6))]))
    assert f"The rows differ, or may differ, beside what is tested: {said}" in one.evidence


def test_what_differs_in_the_row_that_gives_the_margin_is_named_too() -> None:
    table = find_table("se_3x3")
    errors = {"SE": seeds(22.0), "SE_3x3": seeds(22.1), "ResNet-50": seeds(23.0)}
    records = [r for row, e in errors.items() for r in row_records(table, row, e)]
    other = [replace(r, commit="1" * 40) if r.axes is None else r for r in records]
    found = {one.claim.kind: one.evidence for one in judge(table_of("se_3x3", other))}
    assert "commit (0000000: SE; 1111111: ResNet-50)" in found["equivalent"]


def test_rows_that_differ_in_the_axis_alone_name_nothing() -> None:
    assert (
        "beside what is tested"
        not in judged("squeeze", {"avg": seeds(22.3), "max": seeds(22.6)})[
            "averages are the better squeeze"
        ].evidence
    )


def test_networks_of_an_experiment_are_the_axis_and_their_recipes_are_not() -> None:
    table = find_table("cifar10")
    rows = {"ResNet-110": 6.4, "SE-ResNet-110": 5.2}
    records = [r for row, e in rows.items() for r in row_records(table, row, seeds(e))]
    one, *_ = judge(table_of("cifar10", records))
    assert (one.verdict, "beside what is tested" in one.evidence) == ("reproduced", False)
    across = Claim(section="5.1", says="", kind="lower", rows=["SE-ResNet-110", "WRN-16-8"])
    paper = replace(table, claims=[across])
    result = table_of("cifar10", [*records, *row_records(table, "WRN-16-8", seeds(9.0))])
    (found,) = judge(replace(result, paper=paper))
    assert "epochs (164: SE-ResNet-110; 200: WRN-16-8)" in found.evidence
    assert "network" not in found.evidence


def test_a_cited_network_has_its_published_figure_for_every_seed() -> None:
    table = find_table("state_of_the_art")
    records = row_records(table, "SENet-154, 224 px", [18.7, 18.6, 18.8])
    top1, _, larger, _ = judge(table_of("state_of_the_art", records))
    assert (top1.verdict, top1.difference and round(top1.difference.mean, 9)) == (
        "reproduced",
        -1.23,
    )
    assert "DPN-131, 224 px is the figure that the paper cites, taken as exact." in top1.evidence
    assert (larger.verdict, larger.evidence) == (
        "not run",
        "The paper's rows are not offered here.",
    )


def test_the_order_of_rows_is_compared_with_the_papers() -> None:
    errors = {f"r = {r}": [22.0 + r / 100] for r in (2, 4, 8, 16)}
    found = compare_order(table_of("reduction_ratio", records_of("reduction_ratio", errors)))
    assert found is not None
    assert (found.n, found.tau) == (
        4,
        pytest.approx(0.0),
    )  # 22.29, 22.25, 22.26, 22.28 in the paper
    assert (
        compare_order(table_of("squeeze", records_of("squeeze", {"avg": [1.0], "max": [2.0]})))
        is None
    )


def test_a_proxy_is_said_to_judge_the_proxy() -> None:
    proxy = table_of("squeeze", records_of("squeeze", {"avg": [2.0]}, "protocol=demo"))
    assert "Verdicts on a proxy are about it and not about the paper's experiment" in str(
        caution_verdicts(proxy)
    )
    changed = table_of("squeeze", records_of("squeeze", {"avg": [2.0]}, PAPER, "recipe.epochs=2"))
    assert "Verdicts on a changed protocol" in str(caution_verdicts(changed))
    assert caution_verdicts(table_of("squeeze", records_of("squeeze", {"avg": [2.0]}))) is None


def _found() -> tuple[list[PaperTable], ResultTable]:
    papers = [find_table(name) for name in ("squeeze", "stages")]
    return papers, table_of(
        "squeeze", records_of("squeeze", {"avg": seeds(22.3), "max": seeds(22.7, (0.1, 0.0, -0.1))})
    )


def test_markdown_has_a_line_and_evidence_for_each_claim_and_counts_all() -> None:
    papers, table = _found()
    found = judge_tables([table], papers)
    text = format_verdicts(found, list_not_run=False)
    assert text.startswith(
        "## What was found\n\n"
        "- 4 claims under the paper's protocol: 1 reproduced, 3 not run; 1 of them provisional.\n"
        "- 6 claims of tables without records: 6 not run.\n\n"
        "- No plan was written before these runs (Table 11).\n"
        "- Rows without runs: ResNet-50 (Table 11).\n\n"
        "### Table 11: Squeeze operator"
    ), text
    # In the table, with its evidence, and run by run.
    assert text.count("averages are the better squeeze") == 3
    assert "No records of ResNet-50" not in text
    assert "SE in stage 2" not in text
    assert "SE in stage 2" in format_verdicts(found, list_not_run=True)
    assert "- provisional: something else than chance" in text
    assert "- no effect:" not in text
    assert text.endswith("More: docs/tables-and-reports.md, Verdicts.")


def test_json_holds_the_same_claims_with_their_figures() -> None:
    papers, table = _found()
    data = json.loads(format_verdicts_json(judge_tables([table], papers)))
    assert data["counts"]["papers_own"]["not run"] == 3
    assert data["claims_without_records"] == 6
    first = data["tables"][0]["claims"][0]
    assert (first["verdict"], first["n"], first["difference"]["n"]) == ("reproduced", 3, 3)
    assert first["paper_difference"] == pytest.approx(-0.29)
    assert {claim["verdict"] for claim in data["tables"][1]["claims"]} == {"not run"}


@pytest.mark.parametrize(
    ("table", "says", "difference"),
    [
        ("reduction_ratio", EQUIVALENT, 0.04),
        ("excitation", CHAIN, -1.19),
        ("no_squeeze", "without squeeze there is more to compute", 10.34),
        ("last_stage", "without SE in the last stage the error is almost the same", None),
    ],
)
def test_the_papers_own_difference_stands_beside_ours(
    table: str, says: str, difference: float | None
) -> None:
    paper = find_table(table)
    claim = next(claim for claim in paper.claims if claim.says == says)
    found = find_paper_difference(read_claim(paper, claim))
    assert found == (difference and pytest.approx(difference, abs=0.005))
