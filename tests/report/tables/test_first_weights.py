"""Records of detection share a table whatever files their runs start from, and not whosever weights these are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest

from senet_repro.config.paper_tables import find_table
from senet_repro.config.schema import Init
from senet_repro.report.claims.judge import judge
from senet_repro.report.claims.words import CONTRADICTED, NO_EFFECT, REPRODUCED
from senet_repro.report.tables.build import ResultTable, build_tables
from senet_repro.report.text.markdown import format_markdown
from senet_repro.report.text.notes import list_footnotes, list_notes
from senet_repro.report.text.verdicts import format_verdicts, judge_tables
from senet_repro.results.record import Record
from senet_repro.results.store import Results
from tests.records import compose_once, detection_record, make_plan

COCO = find_table("coco")
RESNET50 = ("model=resnet50",)
SHAPES = ("protocol=shapes",)
# A file for each row and seed.
FILES = {"none": "abc", "all": "def"}
PLAIN = (30.1, 30.2, 30.3)


def record(
    seed: int,
    ap: float,
    stages: str,
    file: str | None,
    words: Sequence[str] = RESNET50,
    source: str = "run",
) -> Record:
    """A record of a run that starts from a file with this digit as its hash; None: from no file."""
    run = compose_once("+experiment=coco", *words, f"stages={stages}")
    if file is not None:
        run = replace(run, init=Init(weights="x", source=source, sha256=file * 64))
    run = replace(run, seed=seed)
    return detection_record(run, seed=seed, ap=ap, eval_images=run.data.eval_images)


def two_rows(
    gains: Sequence[float], words: Sequence[str] = RESNET50, source: str | None = "run"
) -> list[Record]:
    """Seeds 0, 1, ... of a network without SE, and of one with SE whose AP is higher by each gain."""
    records = []
    for seed, gain in enumerate(gains):
        for stages, ap in (("none", PLAIN[seed]), ("all", PLAIN[seed] + gain)):
            file = FILES[stages][seed] if source else None
            records.append(record(seed, ap, stages, file, words, source or "run"))
    return records


def build(records: Sequence[Record]) -> list[ResultTable]:
    return build_tables(Results(list(records)), [COCO])


def records_of(table: ResultTable) -> dict[str, list[Record]]:
    return {row.name: row.records for row in table.rows}


def test_rows_and_seeds_with_a_file_each_make_one_table_under_the_papers_own_protocol() -> None:
    (table,) = build(two_rows([2.3, 2.4, 2.5]))
    counts = {name: len(found) for name, found in records_of(table).items()}
    assert counts == {"ResNet-50": 3, "SE-ResNet-50": 3, "ResNet-101": 0, "SE-ResNet-101": 0}
    assert table.departures == []
    se = table.rows[1]
    assert se.differences["ap_pct"].mean == pytest.approx(2.4)
    # Files alone are nothing that compared rows would differ in.
    assert not any("init" in note or "weights" in note for note in list_footnotes(table))


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("torchvision", "first weights of torchvision (a run)"),
        (None, "first weights drawn at random (a run)"),
    ],
)
def test_weights_from_elsewhere_and_none_are_departures(source: str | None, words: str) -> None:
    (table,) = build(two_rows([2.3, 2.4], source=source))
    assert table.departures == [words]
    both = build([*two_rows([2.3, 2.4], source=source), *two_rows([2.3, 2.4])])
    assert [len(one.departures) for one in both] == [1, 0]
    assert all(one.seeds == [0, 1] for one in both)


def test_of_a_seed_with_two_files_the_run_that_was_finished_first_counts() -> None:
    first, second = (record(0, ap, "none", file) for ap, file in ((30.0, "a"), (31.0, "b")))
    second = replace(second, finished_at="2026-01-02T00:00:00+00:00")
    for records in permutations([first, second]):
        (table,) = build(records)
        assert table.rows[0].records == [first]
        assert table.other_files == [second]
        assert any("several files of first weights" in note for note in list_notes(table))


@pytest.mark.parametrize(("name", "model"), [("ResNet-50", "resnet11"), (None, "resnet20")])
def test_a_stand_in_fills_the_rows_of_the_network_that_it_stands_for_alone(
    name: str | None, model: str
) -> None:
    tables = build(two_rows([2.3, 2.4], (*SHAPES, f"model={model}")))
    if name is None:
        assert tables == []
        return
    (table,) = tables
    filled = [row for row, found in records_of(table).items() if found]
    assert filled == [name, f"SE-{name}"]
    assert "network resnet11 (resnet50)" in table.departures
    assert table.stands_for == "coco"
    lines = format_markdown([table]).splitlines()
    assert ["not run" in line for line in lines if line.startswith("| ResNet-")] == [False, True]


def test_a_plan_counts_whatever_files_its_runs_start_from() -> None:
    records = two_rows([2.3, 2.4, 2.5])
    # As two commands plan them: one for each row.
    plans: dict[Any, dict[str, Any]] = {
        "none": {**make_plan([0, 1, 2], tables=["coco"]), "id": ".plans/a.json"},
        "all": {**make_plan([0, 1, 2], tables=["coco"]), "id": ".plans/b.json"},
    }
    planned = [replace(one, plan=plans["none" if one.axes is None else "all"]) for one in records]
    (table,) = build(planned)
    ours = judge(table)[0]
    assert ours.seeds is not None
    assert ours.seeds.describe() == "Seeds planned 0-2, found 0-2."
    assert not ours.provisos


@pytest.mark.parametrize(
    ("gains", "verdict", "sentence"),
    [
        ((2.3, 2.4, 2.6), REPRODUCED, "AP +2.4 ± 0.4 points"),
        ((-2.3, -2.4, -2.6), CONTRADICTED, "AP -2.4 ± 0.4 points"),
        ((0.1, 0.0, 0.1), NO_EFFECT, "The least gain that matters is 1 point, fixed with the"),
    ],
)
def test_a_higher_ap_is_the_better_one_in_every_sentence(
    gains: Sequence[float], verdict: str, sentence: str
) -> None:
    tables = build(two_rows(gains))
    judged = judge_tables(tables, [COCO])
    assert judged.tables[0][1][0].verdict == verdict
    text = format_verdicts(judged, list_not_run=True)
    assert sentence in text
    assert "AP and AP50 are better where this is above 0." in text
    for foreign in ("error", "got it right", "image by image"):
        assert foreign not in text
