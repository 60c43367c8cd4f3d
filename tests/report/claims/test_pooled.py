"""One answer over the networks of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from senet_repro.config.paper_tables import find_table, paper_tables
from senet_repro.report.claims.pooled import FEWEST_NETWORKS, list_network_claims, pool_networks
from senet_repro.report.page import sections
from senet_repro.report.tables.build import ResultTable, build_tables
from senet_repro.report.text.pooled import collect_pooled, format_pooled
from senet_repro.results.record import Record
from senet_repro.results.store import Results
from tests.records import row_records

PAPER = find_table("cifar10")
NETWORKS = ["ResNet-110", "ResNet-164", "WRN-16-8", "Shake-Shake-26 2x96d + Cutout"]
PLAIN = [6.4, 6.2]  # two seeds, of every network without SE


def table_of(gains: Mapping[str, Sequence[float]]) -> ResultTable:
    """Return Table 4 with the runs of each network without SE, and of it with SE, so much better."""
    records: list[Record] = []
    for network, by_seed in gains.items():
        for seed, (plain, gain) in enumerate(zip(PLAIN, by_seed, strict=True)):
            records.append(record_of_row(network, seed, plain))
            records.append(record_of_row(f"SE-{network}", seed, plain - gain))
    (table,) = build_tables(Results(records), [PAPER])
    return table


def record_of_row(row: str, seed: int, top1: float) -> Record:
    record = compose_record(row)
    return replace(record, seed=seed, metrics={**record.metrics, "top1_err_pct": top1})


@cache
def compose_record(row: str) -> Record:
    (record,) = row_records(PAPER, row, [0.0])
    return record


GAINS = {"ResNet-110": [1.2, 1.0], "ResNet-164": [0.5, 0.9], "WRN-16-8": [-0.1, 0.1]}


def test_the_mean_gain_is_tested_over_networks_each_counted_once() -> None:
    answer = pool_networks(table_of({**GAINS, "WRN-16-8": [-0.3, -0.1]}))
    assert answer is not None
    means = [1.1, 0.7, -0.2]
    assert [network.gain and network.gain.mean for network in answer.measured] == pytest.approx(
        means
    )
    oracle = ttest_1samp(means, 0.0, alternative="greater")
    assert (answer.gain.n, answer.gain.mean) == (3, pytest.approx(np.mean(means)))
    assert answer.p_value == pytest.approx(oracle.pvalue)
    assert (answer.better, answer.p_sign) == (2, pytest.approx(0.5))
    # The paper's gains of these three.
    assert answer.published == pytest.approx((1.16 + 1.07 + 0.39) / 3)


def test_a_network_that_was_not_run_both_ways_is_named() -> None:
    table = table_of(GAINS)
    text = format_pooled(table)
    assert text is not None
    assert "The 3 networks together: with SE the top-1 error is better by +0.60 ± " in text
    assert "2 of 3 networks are better with SE (sign test, p = 0.250)." in text
    assert "The paper's mean over the same networks is +0.87." in text
    assert text.endswith(f"Not among them, for want of runs: SE-{NETWORKS[-1]}.")
    data = collect_pooled(table)
    assert data is not None
    assert [network["row"] for network in data["networks"]] == [f"SE-{name}" for name in NETWORKS]
    assert data["networks"][-1]["gain"] is None


def test_the_page_says_it_in_the_section_of_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sections, "draw_table_figures", lambda *_: [])
    table = table_of(GAINS)
    (section,) = sections.build_sections(Results([]), [table])
    assert section.notes[-1] == format_pooled(table)


def test_too_few_networks_have_no_answer() -> None:
    two = dict(list(GAINS.items())[: FEWEST_NETWORKS - 1])
    table = table_of(two)
    assert (pool_networks(table), format_pooled(table), collect_pooled(table)) == (None, None, None)


def test_on_a_proxy_the_papers_points_are_no_yardstick() -> None:
    answer = pool_networks(replace(table_of(GAINS), stands_for="cifar10"))
    assert answer is not None
    assert answer.published is None


def test_gains_that_agree_to_the_last_digit_prove_nothing() -> None:
    answer = pool_networks(table_of({network: [0.0, 0.0] for network in GAINS}))
    assert answer is not None
    assert (answer.p_value, answer.better, answer.p_sign) == (1.0, 0, 1.0)


def test_the_tables_that_set_networks_with_and_without_se_side_by_side_are_2_4_and_5() -> None:
    claims = {paper.number: len(list_network_claims(paper)) for paper in paper_tables().values()}
    pooled = {number: count for number, count in claims.items() if count >= FEWEST_NETWORKS}
    assert pooled == {2: 8, 4: 4, 5: 4}
