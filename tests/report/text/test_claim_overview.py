"""All claims in one short table."""

from __future__ import annotations

import re

from senet_repro.config.paper_tables import find_table
from senet_repro.report.tables.build import build_tables
from senet_repro.report.text.claim_overview import format_claim_overview
from senet_repro.report.text.verdicts import judge_tables
from senet_repro.results.store import Results
from tests.records import row_records


def test_a_claim_is_a_line_with_both_figures_its_seeds_and_its_verdict() -> None:
    paper = find_table("squeeze")
    records = [
        *row_records(paper, "avg", [22.0, 22.1, 22.2]),
        *row_records(paper, "max", [23.0, 23.2, 23.1]),
    ]
    found = judge_tables(build_tables(Results(records), [paper]), [paper])
    lines = format_claim_overview(found).splitlines()
    (line,) = [line for line in lines if "averages are the better" in line]
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells == [
        "averages are the better squeeze",
        "Table 11",
        "-0.29",
        "-1.00 ± 0.25",
        "3",
        "reproduced (provisional)",
        "",
    ]
    # Rows without runs are named below, and their claims left out.
    assert not any("maxima as the squeeze" in line for line in lines)
    assert any(line.startswith("- Rows without runs: ") for line in lines)
    assert "- Data: ImageNet, the paper's protocol." in lines


def test_an_open_claim_names_the_seeds_that_would_settle_it() -> None:
    paper = find_table("squeeze")
    records = [
        *row_records(paper, "avg", [22.0, 23.0, 22.5]),
        *row_records(paper, "max", [22.1, 22.9, 23.5]),
    ]
    found = judge_tables(build_tables(Results(records), [paper]), [paper])
    text = format_claim_overview(found)
    (line,) = [line for line in text.splitlines() if "averages are the better" in line]
    assert re.search(r"inconclusive \| +\d+ \([\d.]+ \w+\) or more than 1,000 \|$", line)
    assert "Seeds to settle it: " in text
    assert "2 at least" not in text


def test_of_one_seed_a_second_is_asked_for() -> None:
    paper = find_table("squeeze")
    records = [*row_records(paper, "avg", [22.0]), *row_records(paper, "max", [22.1])]
    text = format_claim_overview(judge_tables(build_tables(Results(records), [paper]), [paper]))
    assert "| inconclusive |   2 at least (2 s) |" in text
    # No number of seeds is promised before a second one tells how far seeds differ.
    assert "one seed does not tell how far seeds differ" in text
    assert "80 % power" not in text


def test_sizes_of_another_network_are_no_matter_of_seeds() -> None:
    paper = find_table("reduction_ratio")
    records = []
    for row in ("r = 16", "original"):
        records += row_records(paper, row, [22.0], "protocol=demo")
    text = format_claim_overview(judge_tables(build_tables(Results(records), [paper]), [paper]))
    assert "- Seeds do not settle 1 inconclusive claim about sizes: " in text


def test_without_records_there_is_no_table() -> None:
    paper = find_table("squeeze")
    text = format_claim_overview(judge_tables([], [paper]))
    assert "|" not in text
    assert "4 not run" in text
