"""Footnotes, mixed code versions, and a folder with a file for each table."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from senet_repro.config.identity import (
    CODE_VERSION,
    hash_identity,
    join_identity,
    protocol_key,
)
from senet_repro.config.paper_tables import find_table, paper_tables
from senet_repro.report.tables.build import ResultTable, build_tables
from senet_repro.report.text.formats import FORMATS, write_tables
from senet_repro.report.text.markdown import format_markdown
from senet_repro.results.campaign import PLAN_FILE, Campaign
from senet_repro.results.record import Record
from senet_repro.results.store import Results
from tests.records import make_plan, make_record
from tests.report.renamed import HOSTILE, renamed


def _tables(
    records: list[Record], name: str | None = None, allow_mixed: bool = False
) -> list[ResultTable]:
    papers = [find_table(name)] if name else list(paper_tables().values())
    return build_tables(Results(records), papers, allow_mixed)


def _older(record: Record) -> Record:
    protocol = {**record.protocol, "code_version": CODE_VERSION - 1}
    return replace(
        record,
        protocol=protocol,
        run_key=hash_identity(join_identity(record.axes, protocol)),
        protocol_key=protocol_key(protocol, record.eval_images),
    )


def test_a_table_of_ones_own_is_not_called_the_papers() -> None:
    (table,) = _tables([make_record([], seed=0, top1=3.0)], "squeeze")
    own = replace(table, paper=replace(table.paper, number=None, section=""))
    text = format_markdown([own])
    assert text.startswith("### Own table: Squeeze operator (digits, a proxy)")
    assert "\nClaims about it: " in text
    assert "The paper's claims" not in text


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_takes_hostile_names_in_and_prints_each_row_in_one_line(form: str) -> None:
    (table,) = _tables([make_record([], seed=0, top1=3.0)], "squeeze")
    text = FORMATS[form].text([renamed(table, HOSTILE)])
    if form == "json":
        assert [row["row"] for row in json.loads(text)[0]["rows"]] == [
            f"{HOSTILE} max",
            f"{HOSTILE} avg",
        ]
    elif form == "csv":
        assert [row["row"] for row in csv.DictReader(io.StringIO(text))] == [
            f"{HOSTILE} max",
            f"{HOSTILE} avg",
        ]
    else:
        lines = [line for line in text.splitlines() if line.startswith(("| [1]", "{[}1]"))]
        assert all(sum(f"é` {row}" in line for line in lines) == 1 for row in ("max", "avg"))
        assert "<b>" not in text


def test_no_name_adds_a_cell_to_a_markdown_table() -> None:
    (table,) = _tables([make_record([], seed=0, top1=3.0)], "squeeze")
    lines = [
        line
        for line in format_markdown([renamed(table, "a | b")]).splitlines()
        if line.startswith("|")
    ]
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines}) == 1


def test_tables_of_several_code_versions_stand_apart_and_name_the_flag_that_joins_them() -> None:
    records = [_older(make_record([], seed=0, top1=3.0)), make_record([], seed=1, top1=4.0)]
    tables = _tables(records, "squeeze")
    assert [table.code_versions for table in tables] == [{CODE_VERSION - 1: 1}, {CODE_VERSION: 1}]
    for table, other in zip(tables, (CODE_VERSION, CODE_VERSION - 1), strict=True):
        assert (
            f"Records of code version {other} make a table of their own; --allow-mixed"
            in format_markdown([table])
        )


def test_code_versions_mix_only_when_asked_to_and_every_count_is_told() -> None:
    records = [
        *(_older(make_record([], seed=seed, top1=3.0)) for seed in (0, 1)),
        make_record(["squeeze=max"], seed=0, top1=4.0),
    ]
    (table,) = _tables(records, "squeeze", allow_mixed=True)
    assert table.code_versions == {CODE_VERSION - 1: 2, CODE_VERSION: 1}
    assert {row.name: row.seeds for row in table.rows} == {"max": [0], "avg": [0, 1]}
    assert next(row for row in table.rows if row.name == "max").differences
    said = f"2 records of version {CODE_VERSION - 1}, 1 record of version {CODE_VERSION}."
    assert said in format_markdown([table])
    assert [
        row["code_versions"] for row in csv.DictReader(io.StringIO(FORMATS["csv"].text([table])))
    ] == [
        str(CODE_VERSION),
        str(CODE_VERSION - 1),
    ]


@pytest.mark.parametrize("newest_first", [True, False])
def test_of_a_seed_under_two_code_versions_the_newer_counts_and_the_other_is_told(
    newest_first: bool,
) -> None:
    new = make_record([], seed=0, top1=3.0)
    old = _older(replace(new, metrics={**new.metrics, "top1_err_pct": 9.0}))
    (table,) = _tables([new, old] if newest_first else [old, new], "squeeze", allow_mixed=True)
    row = next(row for row in table.rows if row.name == "avg")
    error = row.estimates["top1_err_pct"]
    assert (error.n, error.mean) == (1, 3.0)
    assert table.superseded == [old]
    assert "several code versions the newest counts; 1 record left out." in format_markdown([table])


def test_records_of_an_older_code_version_alone_are_told_to_be_that() -> None:
    records = [_older(make_record([], seed=0, top1=3.0))]
    (apart,), (mixed,) = _tables(records, "squeeze"), _tables(records, "squeeze", allow_mixed=True)
    assert f"code version {CODE_VERSION - 1} (now {CODE_VERSION})" in format_markdown([apart])
    told = (
        f"These are records of code version {CODE_VERSION - 1}. The present one is {CODE_VERSION}: "
    )
    assert told in format_markdown([apart])
    assert told not in format_markdown([mixed])
    assert f"): 1 record of version {CODE_VERSION - 1}." in format_markdown([mixed])


def test_mixing_leaves_records_of_one_code_version_as_they_are() -> None:
    records = [make_record([], seed=0, top1=3.0), make_record(["recipe.lr=0.5"], seed=0, top1=4.0)]
    assert format_markdown(_tables(records, allow_mixed=True)) == format_markdown(_tables(records))


@pytest.mark.parametrize("form", FORMATS)
def test_a_folder_holds_each_table_and_an_index_of_them(form: str, tmp_path: Path) -> None:
    records = [
        make_record([], seed=0, top1=3.0),
        make_record([], seed=1, top1=3.5),
        make_record(["recipe.lr=0.5"], seed=0, top1=4.0),
        make_record(["+experiment=cifar10", "model=wrn16_8"], seed=0, top1=4.0),
    ]
    tables = [
        *_tables(records, "squeeze"),
        *_tables(records, "last_stage")[:1],
        *_tables(records, "cifar10"),
    ]
    index = write_tables(tmp_path / "new" / "folder", tables, FORMATS[form], ["a remark"])
    suffix = FORMATS[form].suffix
    names = [
        f"{stem}.{suffix}"
        for stem in (
            "table_11_digits_resnet11_lr_0.2",
            "table_11_digits_resnet11_lr_0.5",
            "last_stage_digits_resnet11_lr_0.2",
            "table_4_cifar10",
        )
    ]
    assert {path.name for path in index.parent.iterdir()} == {"index.md", *names}
    for name, table in zip(names, tables, strict=True):
        assert (index.parent / name).read_text() == FORMATS[form].text([table]) + "\n"
    lines = index.read_text().splitlines()
    (line,) = (line for line in lines if names[0] in line)
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells == [
        f"[{names[0]}]({names[0]})",
        "Table 11: Squeeze operator (digits, a proxy)",
        "resnet11",
        "not the paper's, lr 0.2",
        "1/2",
        "2",
        "0, 1",
    ]
    assert lines[-1] == "a remark"


def test_tables_that_nothing_tells_apart_still_have_files_of_their_own(tmp_path: Path) -> None:
    tables = _tables([make_record([], seed=0, top1=3.0)], "squeeze") * 3
    write_tables(tmp_path, tables, FORMATS["markdown"], [])
    stem = "table_11_digits_resnet11"
    assert {path.name for path in tmp_path.iterdir()} == {
        "index.md",
        f"{stem}.md",
        f"{stem}_2.md",
        f"{stem}_3.md",
    }


def test_writing_again_replaces_the_same_files_and_leaves_others_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    for top1 in (3.0, 5.0):
        write_tables(
            tmp_path,
            _tables([make_record([], seed=0, top1=top1)], "squeeze"),
            FORMATS["markdown"],
            [],
        )
    assert {path.name for path in tmp_path.iterdir()} == {
        "mine.txt",
        "index.md",
        "table_11_digits_resnet11.md",
    }
    assert "5.00 (1)" in (tmp_path / "table_11_digits_resnet11.md").read_text()


def test_what_compared_rows_differ_in_beside_the_axes_is_said_under_the_table() -> None:
    one = make_record(["squeeze=avg"], seed=0, top1=3.0)
    other = make_record(["squeeze=max"], seed=0, top1=3.5)
    for device, said in (("cuda", True), ("cpu", False)):
        hardware = {**other.hardware, "device": device}
        records = [one, replace(other, hardware=hardware)]
        text = format_markdown(build_tables(Results(records), [find_table("squeeze")]))
        assert ("differ, in more than the axes: device (cpu: avg; cuda: max)." in text) is said


def test_images_that_were_left_out_are_said_under_the_table() -> None:
    whole = [make_record(["squeeze=avg"], seed=seed, top1=3.0) for seed in (0, 1)]
    part = replace(
        make_record(["squeeze=max"], seed=0, top1=3.0), skipped={"train": ["a", "b"], "test": []}
    )
    other = replace(whole[1], skipped={"train": [], "test": ["c"]})
    text = format_markdown(_tables([whole[0], other, part], "squeeze"))
    assert "\nmax: trained without 2 unreadable images (data.skip_corrupt)." in text
    assert "\navg: evaluated without 1 unreadable image (data.skip_corrupt)." in text
    assert "unreadable" not in format_markdown(_tables(whole, "squeeze"))


def test_a_plan_that_was_changed_after_its_runs_is_told_of() -> None:
    plan = {**make_plan([0, 1], tables=["squeeze"]), "id": PLAN_FILE}
    records = [replace(make_record([], seed=seed, top1=3.0 + seed), plan=plan) for seed in (0, 1)]
    for sha256, is_told in ((plan["sha256"], False), ("f" * 64, True)):
        campaign = Campaign(
            name="x", written_at=plan["written_at"], commit=None, tables={}, sha256=sha256
        )
        (table,) = build_tables(Results(records, campaign=campaign), [find_table("squeeze")])
        assert ("plan.yaml was changed" in format_markdown([table])) == is_told
