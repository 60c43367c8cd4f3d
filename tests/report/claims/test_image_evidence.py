"""What runs say beside their mean: images that one network alone gets right, and how often one run beats another."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest

from senet_repro.config.paper_tables import find_table
from senet_repro.report.claims.image_evidence import compare_hits, gather_image_evidence
from senet_repro.report.tables.build import ResultTable, build_tables
from senet_repro.report.text.image_evidence import (
    collect_image_evidence,
    describe_image_evidence,
    format_image_evidence,
)
from senet_repro.results.record import Record
from senet_repro.results.store import Results
from tests.records import add_outcomes, row_records

IMAGES = 1000
SAYS = "SE lowers the error of ResNet-110"
ROWS = {"ResNet-110": 0.80, "SE-ResNet-110": 0.90}


def draw_hits(share: float, seed: int, hard: np.ndarray) -> np.ndarray:
    """Return which images a network gets right: all but the hardest, by a seed that shuffles them a little."""
    noise = np.random.default_rng(seed).normal(0, 0.1, IMAGES)
    return np.asarray(hard + noise < np.quantile(hard + noise, share))


def build_table(folder: Path | None, shares: dict[str, float], seeds: int = 3) -> ResultTable:
    """Return Table 4 with runs that are right on such shares of the images; without a folder no outcomes are kept."""
    paper = find_table("cifar10")
    hard = np.random.default_rng(99).random(IMAGES)
    records: list[Record] = []
    for place, (row, share) in enumerate(shares.items()):
        errors = [100 * (1 - share) + 0.1 * seed for seed in range(seeds)]
        for record in row_records(paper, row, errors, eval_images=IMAGES):
            if folder is not None:
                hits = draw_hits(share, 10 * place + record.seed, hard)
                record = add_outcomes(record, folder / f"{place}-{record.seed}", hits)
            records.append(record)
    (table,) = build_tables(Results(records), [paper])
    return table


def test_networks_that_differ_are_told_apart_on_their_images(tmp_path: Path) -> None:
    table = build_table(tmp_path, ROWS)
    evidence = gather_image_evidence(table)[SAYS]
    assert evidence.agreement is not None
    assert evidence.agreement.list_ahead() == ([0, 1, 2], [])
    assert evidence.agreement.noise_floor is not None
    assert evidence.agreement.disagreeing > evidence.agreement.noise_floor
    assert evidence.chance is not None
    assert (evidence.chance.value, evidence.chance.high) == (1.0, 1.0)
    text = format_image_evidence(table)
    assert text is not None
    assert f"- {SAYS}: " in text
    assert "The rows disagree on " in text
    assert " % of 1,000 images, two seeds of one row on " in text
    assert "The networks of 3 of 3 seeds differ: SE-ResNet-110 ahead in 3. " in text
    assert "A run of SE-ResNet-110 is the better one in 100 % of cases (95 % interval " in text
    data = collect_image_evidence(table)[SAYS]
    assert data["rows"] == ["SE-ResNet-110", "ResNet-110"]
    assert [pair["seed"] for pair in data["agreement"]["pairs"]] == [0, 1, 2]


def test_equal_networks_disagree_as_much_as_two_seeds_of_one(tmp_path: Path) -> None:
    table = build_table(tmp_path, dict.fromkeys(ROWS, 0.85))
    evidence = gather_image_evidence(table)[SAYS]
    assert evidence.agreement is not None
    assert evidence.agreement.list_ahead() == ([], [])
    assert evidence.agreement.disagreeing == pytest.approx(evidence.agreement.noise_floor, rel=0.2)
    assert "The networks of 0 of 3 seeds differ." in describe_image_evidence(evidence)


def test_without_outcomes_the_figures_alone_speak() -> None:
    table = build_table(None, ROWS)
    evidence = gather_image_evidence(table)[SAYS]
    assert evidence.agreement is None
    assert evidence.chance is not None
    text = describe_image_evidence(evidence)
    assert text.startswith("A run of ")
    assert collect_image_evidence(table)[SAYS]["agreement"] is None


def test_a_single_seed_has_no_noise_floor_and_no_chance(tmp_path: Path) -> None:
    evidence = gather_image_evidence(build_table(tmp_path, ROWS, seeds=1))[SAYS]
    assert evidence.agreement is not None
    assert (evidence.agreement.noise_floor, evidence.chance) == (None, None)
    assert "two seeds" not in describe_image_evidence(evidence)


def test_rows_without_a_common_run_have_no_evidence() -> None:
    table = build_table(None, {"ResNet-110": 0.8})
    assert format_image_evidence(table) is None
    assert collect_image_evidence(table) == {}


def test_each_seed_is_tested_by_mcnemar_and_all_are_adjusted_together() -> None:
    draw = np.random.default_rng(0)
    first = {seed: draw.random(IMAGES) < 0.90 for seed in (0, 1, 5)}
    second = {seed: draw.random(IMAGES) < 0.87 for seed in (0, 1)}
    agreement = compare_hits(first, second)
    assert [pair.seed for pair in agreement.pairs] == [0, 1]
    p_values = []
    for pair in agreement.pairs:
        alone = int((first[pair.seed] & ~second[pair.seed]).sum())
        assert pair.first_alone == alone
        p_values.append(binomtest(alone, alone + pair.second_alone).pvalue)
    # Holm over two seeds.
    least, greatest = min(p_values), max(p_values)
    expected = [
        min(1.0, 2 * p) if p == least else max(greatest, min(1.0, 2 * least)) for p in p_values
    ]
    assert [pair.p_value for pair in agreement.pairs] == pytest.approx(expected)
    pairs = [(0, 1), (0, 5), (1, 5)]
    shares = [float((first[one] != first[other]).mean()) for one, other in pairs]
    shares.append(float((second[0] != second[1]).mean()))
    assert agreement.noise_floor == pytest.approx(np.mean(shares))
