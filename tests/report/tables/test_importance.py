"""Findings of several seeds brought together: areas, verdicts, text, CSV and figure."""

from __future__ import annotations

import csv
import io
from statistics import fmean
from typing import Any

import pytest

from senet_repro.config.importance import MEASURES, SHARES_PCT
from senet_repro.report.figures.importance import draw_importance
from senet_repro.report.tables.importance import Finding, group_seeds, judge_importance
from senet_repro.report.text.importance import format_importance, format_importance_csv
from senet_repro.results.importance import Importance
from tests.importance import make_finding


def make_seed(seed: int, **means: float) -> Importance:
    """A seed whose errors rise with the share around a mean of their own; random has two rankings 4 points apart."""
    slope = [share - 50.0 for share in SHARES_PCT]
    errors: dict[str, Any] = {
        measure: [[mean + step * 0.1 for step in slope]] for measure, mean in means.items()
    }
    if "random" in means:
        (one,) = errors["random"]
        errors["random"] = [[value - 2 for value in one], [value + 2 for value in one]]
    return make_finding(seed, errors_pct={"2": errors, "all": errors})


def test_areas_are_means_over_shares_rankings_and_seeds() -> None:
    finding = Finding(
        [make_seed(0, gate=40, l1=45, random=60), make_seed(1, gate=44, l1=45, random=60)]
    )
    area = finding.estimate_area("all", "gate", "random")
    assert area.mean == pytest.approx(fmean([20, 16]))
    assert area.n == 2
    assert area.sd == pytest.approx(8**0.5)
    assert finding.estimate_area("2", "gate", "l1").mean == pytest.approx(3)
    errors = finding.estimate_errors("all", "random")
    assert [one.mean for one in errors] == pytest.approx(
        [60 + 0.1 * (share - 50) for share in SHARES_PCT]
    )


@pytest.mark.parametrize(
    ("gates", "expected"),
    [
        ([40, 40.5, 41], ["reproduced", "reproduced"]),
        ([58, 58.5, 59], ["contradicted", "contradicted"]),
        ([40, 50, 59], ["inconclusive", "inconclusive"]),
        # One seed is no evidence, however far its curves lie apart.
        ([10], ["inconclusive", "inconclusive"]),
    ],
)
def test_the_conjecture_is_judged_over_seeds(gates: list[float], expected: list[str]) -> None:
    seeds = [make_seed(seed, gate=gate, l1=48, random=60) for seed, gate in enumerate(gates)]
    verdicts = judge_importance(Finding(seeds))
    assert [one.verdict for one in verdicts] == expected
    assert all(one.claim.is_conjecture for one in verdicts)
    text = format_importance(Finding(seeds), verdicts)
    assert text.count("(conjecture)") == 4
    assert ("One seed does not tell" in text) == (len(gates) == 1)


def test_a_measure_that_is_missing_leaves_its_claim_without_a_test() -> None:
    finding = Finding([make_seed(seed, gate=40, random=60) for seed in range(3)])
    verdicts = judge_importance(finding)
    assert [one.verdict for one in verdicts] == ["reproduced", "not testable"]
    assert "not ranked by l1" in verdicts[1].obstacle


def test_seeds_of_one_run_and_the_same_masks_belong_together() -> None:
    other = make_finding(0, run={"name": "other", "run_key": "cd" * 32, "seed": 0})
    fewer = make_seed(2, gate=40)
    groups = group_seeds([make_finding(0), other, make_finding(1), fewer])
    assert [[one.run["seed"] for one in group.seeds if one.run] for group in groups] == [
        [0, 1],
        [0],
        [2],
    ]


def test_the_text_names_the_halves_the_areas_and_the_cut() -> None:
    cut = {
        "measure": "gate",
        "share_pct": 50,
        "params": [200, 400],
        "macs": [1000, 3000],
        "ms": [1.0, 2.0],
        "ratio": 0.5,
        "lowest": 0.4,
        "highest": 0.6,
        "rounds": 9,
        "batch": 16,
        "difference": 1e-15,
    }
    finding = Finding([make_finding(0, cut=cut)])
    text = format_importance(finding, judge_importance(finding))
    assert "| all stages | +20.00 | +20.00 |    +20.00 |     +20.00 |" in text
    assert "measured on 5,000 evaluation images" in text
    assert "200 of 400 (50.0%) parameters and 1,000 of 3,000 (33.3%) multiply-adds" in text
    assert "0.50 of the time (0.40 to 0.60 over 9 rounds in turn)" in text


def test_the_csv_has_every_error_once() -> None:
    finding = Finding([make_seed(0, gate=40, random=60), make_seed(1, gate=42, random=60)])
    rows = list(csv.DictReader(io.StringIO(format_importance_csv(finding))))
    # Of each seed: the unmasked error, and a gate and two random rankings in two scopes.
    assert len(rows) == 2 * (1 + 2 * 3 * len(SHARES_PCT))
    assert len({tuple(row.values()) for row in rows}) == len(rows)
    (row,) = [
        row
        for row in rows
        if (row["seed"], row["scope"], row["measure"], row["share_pct"])
        == ("1", "all", "gate", "90")
    ]
    assert float(row["top1_err_pct"]) == pytest.approx(46)


def test_the_figure_has_a_line_for_each_measure_and_says_what_its_bands_are() -> None:
    drawing = draw_importance(Finding([make_finding(seed) for seed in range(2)]))
    for words in (*MEASURES, "stage 2", "all stages", "95 % intervals over seeds"):
        assert words in drawing.svg
    assert drawing.png.startswith(b"\x89PNG")
