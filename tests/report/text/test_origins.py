"""The notes below a table say whose runs it holds, row by row and seed by seed."""

from __future__ import annotations

from dataclasses import replace

from senet_repro.config.paper_tables import find_table
from senet_repro.report.claims.judge import judge
from senet_repro.report.tables.build import build_tables
from senet_repro.report.text.notes import format_seed_count
from senet_repro.report.text.origins import CAUTION, list_origin_notes
from senet_repro.report.text.plain import flatten_rows
from senet_repro.report.text.verdicts import describe_outcome, judge_tables, list_missing
from senet_repro.results.record import Record
from senet_repro.results.reported import ReportedRun
from senet_repro.results.store import Results
from tests.records import row_records

PAPER = find_table("squeeze")
LAB = "Lab X"


def report(record: Record) -> Record:
    return replace(record, origin=LAB)


def test_a_table_of_ours_alone_says_nothing_of_origins() -> None:
    (table,) = build_tables(Results(row_records(PAPER, "avg", [22.0, 22.2])), [PAPER])
    assert list_origin_notes(table) == []
    assert "reported_seeds" not in flatten_rows(table)[0]


def test_rows_seeds_differences_and_verdicts_name_the_origin() -> None:
    avg = row_records(PAPER, "avg", [22.0, 22.2, 22.1])
    plain = row_records(PAPER, "ResNet-50", [23.0, 23.3, 23.2])
    # Of plain the seeds 1 and 2 are theirs, one of them of an unknown commit; of avg they report seed 0, too.
    theirs = [report(plain[1]), replace(report(plain[2]), commit=None)]
    rerun = replace(report(avg[0]), metrics={**avg[0].metrics, "top1_err_pct": 22.5})
    stray = replace(report(avg[2]), seed=3)
    reported = [
        *map(ReportedRun, theirs),
        ReportedRun(rerun, ours=avg[0]),
        ReportedRun(stray, why_not="not under this plan: under none"),
    ]
    results = Results([*avg, plain[0], *theirs], reported=reported)
    (table,) = build_tables(results, [PAPER])
    assert list_origin_notes(table) == [
        "By origin, of 6 runs: 4 ours, 1 of them re-run by us, since others report them, too; 2 reported by Lab X.",
        "Reported by Lab X: ResNet-50 (seeds 1, 2, commit not recorded).",
        CAUTION,
        "Re-run by us, so that ours counts (top-1 err %): avg, seed 0: ours 22.00, that of Lab X 22.50 (+0.50).",
        "Reported and not counted (top-1 err %): avg, seed 3: 22.10 of Lab X, not under this plan: under none.",
    ]
    (beside,) = table.beside
    assert format_seed_count(table, beside) == "3, 2 reported"
    assert all("reported_seeds" in row for row in flatten_rows(table))

    rests = [one for one in judge(table) if one.reported]
    assert [one.claim.says for one in rests] == ["averages as the squeeze lower the error"]
    (one,) = rests
    assert one.reported == {LAB: 2}
    assert "It rests on 2 runs reported by Lab X, checked in form, which were not" in one.evidence
    assert describe_outcome(one).endswith("3 seeds, 2 runs reported by Lab X.")
    found = judge_tables([table], [PAPER])
    assert list_missing(found)[-1] == (
        "1 claim rests on runs that Lab X reported, and that were not trained here (Table 11)."
    )
