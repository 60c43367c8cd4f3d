"""Studies of gates brought together by network, and judged by the borders of section 7.2."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from senet_repro.core.errors import ConfigError
from senet_repro.report.claims.words import (
    CONTRADICTED,
    INCONCLUSIVE,
    NOT_TESTABLE,
    REPRODUCED,
)
from senet_repro.report.tables.gate_studies import choose_network, group_studies, judge_network
from senet_repro.report.text.gate_studies import format_network, list_network_notes
from senet_repro.results.excitation import GateStudy
from tests.gate_studies import FIGURES, make_study

PAPERS = {
    "early_class_share": 0.05,
    "late_class_share": 0.4,
    "late_less_early_class_share": 0.35,
    "last_but_one_near_one_share": 0.9,
    "last_but_one_less_others_near_one_share": 0.6,
    "last_pattern_correlation": 0.97,
    "last_scale_spread": 0.1,
    "late_less_early_within_sd": 0.05,
    "before_less_last_two_harm": 0.4,
}


def list_verdicts(studies: Sequence[GateStudy]) -> dict[str, str]:
    (network,) = group_studies(studies)
    return {one.claim.figure: one.verdict for one in judge_network(network)}


def test_a_network_like_the_papers_bears_every_statement_out_and_its_opposite_none() -> None:
    assert PAPERS.keys() == FIGURES.keys()
    assert set(list_verdicts([make_study(figures=PAPERS)]).values()) == {REPRODUCED}
    opposite = {name: (1.0 if name.startswith("early") else -0.5) for name in PAPERS}
    opposite["last_scale_spread"] = 0.9
    assert set(list_verdicts([make_study(figures=opposite)]).values()) == {CONTRADICTED}


def test_a_figure_at_its_border_decides_nothing() -> None:
    verdicts = list_verdicts([make_study(figures={**PAPERS, "last_pattern_correlation": 0.9})])
    assert verdicts.pop("last_pattern_correlation") == INCONCLUSIVE
    assert set(verdicts.values()) == {REPRODUCED}


def test_seeds_of_a_run_are_one_network_whose_intervals_are_over_them() -> None:
    studies = [make_study(seed, {**PAPERS, "early_class_share": 0.05 + seed}) for seed in (1, 0, 2)]
    (network,) = group_studies(studies)
    assert network.name == "cifar10-x seeds 0, 1, 2"
    estimate = network.estimates["early_class_share"]
    assert (estimate.n, estimate.mean) == (3, pytest.approx(1.05))
    assert list_verdicts(studies)["early_class_share"] == INCONCLUSIVE
    notes = " ".join(list_network_notes(network))
    assert "over 3 seeds, so the verdicts are of the recipe" in notes
    assert "of this one network and of no other" in " ".join(
        list_network_notes(group_studies([make_study()])[0])
    )


@pytest.mark.parametrize(
    "change",
    [
        {"size_px": 32},
        {"trainer": {**make_study().trainer, "precision": "bf16-mixed"}},
        {"data": {**make_study().data, "fingerprint": "00" * 32}},
        {"run": {"name": "cifar10-y", "run_key": "00" * 32, "seed": 1}},
        {"run": None},
    ],
)
def test_whatever_is_computed_otherwise_is_another_network(change: dict[str, object]) -> None:
    assert len(group_studies([make_study(0), make_study(1)])) == 1
    assert len(group_studies([make_study(0), make_study(1, **change)])) == 2


def test_gates_without_an_upper_bound_are_asked_nothing_about_one() -> None:
    relu = {**make_study().se, "excitation": "relu", "squeeze": "none"}
    verdicts = list_verdicts([make_study(figures=PAPERS, se=relu)])
    assert verdicts["last_but_one_near_one_share"] == NOT_TESTABLE
    assert verdicts["last_pattern_correlation"] == REPRODUCED
    text = format_network(group_studies([make_study(figures=PAPERS, se=relu)])[0])
    assert "Not the paper's block: squeeze none and excitation relu." in text
    assert "Gates of a ReLU have no upper bound" in text


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        ({"class_share/SE_2_1": 0.1}, "it takes three stages with SE"),
        ({"early_class_share": 0.1}, "Gates were not held"),
    ],
)
def test_what_could_not_be_measured_is_not_testable_and_says_why(
    figures: dict[str, float], words: str
) -> None:
    (network,) = group_studies([make_study(figures=figures)])
    last = judge_network(network)[-1]
    assert last.verdict == NOT_TESTABLE
    assert words in last.obstacle


def test_figures_are_of_the_papers_own_block_unless_another_is_asked_for() -> None:
    other = make_study(
        run={"name": "cifar10-tanh", "run_key": "00" * 32, "seed": 0},
        se={**make_study().se, "excitation": "tanh"},
    )
    networks = group_studies([other, make_study()])
    chosen = choose_network(networks, None)
    assert chosen is not None
    assert chosen.first.name == "cifar10-x seed 0"
    asked = choose_network(networks, "cifar10-tanh")
    assert asked is not None
    assert asked.first == other
    assert choose_network([], None) is None
    with pytest.raises(ConfigError, match="--gates=x: give cifar10-tanh or cifar10-x"):
        choose_network(networks, "x")
