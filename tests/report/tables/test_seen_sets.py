"""A table says which pictures it is of, and a part of the paper's set is a proxy wherever its numbers stand."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict, replace
from typing import Any

import pytest

from senet_repro.config.paper_tables import compose_cached, find_table
from senet_repro.config.schema import FoundSet
from senet_repro.report.claims.evidence import caution_verdicts
from senet_repro.report.figures.captions import describe_standing
from senet_repro.report.page.wandb_table import build_name
from senet_repro.report.tables import build as tables
from senet_repro.report.tables.build import ResultTable, build_tables
from senet_repro.report.tables.seen_sets import (
    describe_set,
    describe_set_departure,
    is_whole_set,
    name_set,
)
from senet_repro.report.tables.standing import Standing
from senet_repro.report.text.formats import FORMATS
from senet_repro.report.text.latex import format_latex
from senet_repro.report.text.markdown import format_markdown
from senet_repro.report.text.verdicts import format_verdicts, judge_tables
from senet_repro.report.text.verdicts_json import format_verdicts_json
from senet_repro.results.record import Record
from senet_repro.results.store import Results
from tests.records import record_of

PAPER = find_table("squeeze")
WHOLE = FoundSet(fingerprint="a" * 64, classes=1000, train_images=1_281_167, eval_images=50_000)
PART = FoundSet(fingerprint="b" * 64, classes=4, train_images=8, eval_images=4)
HEADING = "imagenet folder, 4 classes, 8 images"


def make_record(found: FoundSet | None, squeeze: str = "avg", **fields: Any) -> Record:
    """What a run of the paper's own protocol on these pictures would have left behind."""
    run = compose_cached("protocol=imagenet")
    run = replace(run, squeeze=squeeze, data=replace(run.data, found=found))
    eval_images = found.eval_images if found else fields.pop("eval_images", 50_000)
    return replace(record_of(run, seed=0, top1=22.0, eval_images=eval_images), **fields)


def build(*records: Record) -> list[ResultTable]:
    return build_tables(Results(records=list(records)), [PAPER])


def test_the_whole_set_is_the_papers_own_whatever_its_fingerprint() -> None:
    (table,) = build(make_record(WHOLE), make_record(WHOLE, "max"))
    assert (table.standing, table.departures) == (Standing.PAPERS_OWN, [])
    assert "(imagenet)" in format_markdown([table])
    assert "Data imagenet (1,281,167 training images, 50,000 evaluation images)" in format_markdown(
        [table]
    )
    assert all(row.records for row in table.rows)


def test_a_part_of_it_is_a_proxy_in_every_format() -> None:
    (table,) = build(make_record(PART))
    assert table.standing == Standing.PROXY
    found = judge_tables([table], [PAPER])
    proxy = f"{HEADING}, a proxy"
    for text in (
        format_markdown([table]),
        format_latex([table]),
        format_verdicts(found, list_not_run=True),
        build_name(table),
        describe_standing(table),
    ):
        assert proxy in text
    assert "Verdicts on a proxy" in (caution_verdicts(table) or "")
    assert json.loads(format_verdicts_json(found))["tables"][0]["is_proxy"] is True
    assert f"A proxy: {HEADING}" in " ".join(json.loads(FORMATS["json"].text([table]))[0]["notes"])
    rows = list(csv.DictReader(io.StringIO(FORMATS["csv"].text([table]))))
    assert {(row["data"], row["is_paper_protocol"]) for row in rows} == {(HEADING, "False")}
    set_departure = f"set {HEADING} (1,000 classes, 1,281,167 images)"
    assert table.departures == ["eval images 4 (50000)", set_departure]


@pytest.mark.parametrize(
    "changes", [{"classes": 999}, {"train_images": 1_281_166}, {"eval_images": 49_999}]
)
def test_each_count_makes_a_part(changes: dict[str, int]) -> None:
    (table,) = build(make_record(replace(WHOLE, **changes)))
    assert table.standing == Standing.PROXY
    assert table.departures


def test_two_sets_and_older_records_never_share_a_table() -> None:
    other = replace(PART, fingerprint="c" * 64)
    records = [
        make_record(PART),
        make_record(other, "max"),
        make_record(None, "max", eval_images=4),
    ]
    tables = build(*records)
    assert len(tables) == 3
    told = [table.distinctions for table in tables]
    assert told == [[f"set's fingerprint {word}"] for word in ("bbbbbbbb", "cccccccc", "none")]


def test_another_subset_is_a_proxy_however_whole() -> None:
    paper = find_table("places365")
    found = replace(WHOLE, classes=365, train_images=1_803_460, eval_images=36_500)
    run = compose_cached("+experiment=places365", "data.subset=standard")
    run = replace(run, data=replace(run.data, found=found))
    record = record_of(run, seed=0, top1=45.0, eval_images=36_500)
    assert is_whole_set(record)
    assert describe_set_departure(record) is None
    with pytest.MonkeyPatch.context() as patch:
        # To compose the rows of all other tables takes seconds.
        patch.setattr(tables, "paper_tables", lambda: {paper.name: paper})
        (table,) = build_tables(Results([record]), [paper])
    assert (table.standing, table.departures) == (Standing.PROXY, ["subset standard (challenge)"])
    text = format_markdown([table])
    assert "A proxy: Places365-Standard instead of Places365-Challenge." in text
    assert "class-aware sampling" in text
    # A record of a subset that nobody described.
    data = {**record.protocol["data"], "subset": "tiny"}
    assert is_whole_set(replace(record, protocol={**record.protocol, "data": data}))


def test_an_older_record_is_of_the_whole_set_if_it_was_evaluated_on_all_of_it() -> None:
    whole = make_record(None)
    assert (describe_set(whole), is_whole_set(whole)) == ("imagenet", True)
    part = make_record(None, eval_images=4)
    (table,) = build(part)
    assert (table.set_name, table.standing) == ("imagenet", Standing.PROXY)
    assert "A proxy: imagenet (4 evaluation images) instead of ImageNet." in format_markdown(
        [table]
    )
    # Images that could not be read are left out of a set that was whole.
    left_out = make_record(None, eval_images=49_998, skipped={"train": [], "test": ["a", "b"]})
    assert is_whole_set(left_out)


CIFAR = FoundSet(fingerprint="d" * 64, classes=10, train_images=50_000, eval_images=10_000)
PETS = FoundSet(fingerprint="e" * 64, classes=3, train_images=60, eval_images=30)


def build_cifar(found: FoundSet, *overrides: str) -> ResultTable:
    """Table 4 of a run that was trained for it on these pictures of CIFAR-10."""
    run = compose_cached("+experiment=cifar10", "model=resnet110", *overrides)
    run = replace(run, data=replace(run.data, found=found))
    record = record_of(run, seed=0, top1=5.0, eval_images=10_000)
    (table,) = build_tables(Results(records=[record]), [find_table("cifar10")])
    return table


def test_pictures_that_were_encoded_anew_are_named_and_stand_apart() -> None:
    original = build_cifar(CIFAR)
    assert (original.set_name, original.standing) == ("cifar10", Standing.PAPERS_OWN)
    table = build_cifar(replace(CIFAR, fingerprint="f" * 64, encoding="JPEG"))
    assert table.standing == Standing.CHANGED
    assert table.departures == ["set cifar10 re-encoded as JPEG (as published)"]
    assert "(cifar10 re-encoded as JPEG)" in format_markdown([table])
    assert "False" in {
        row["is_paper_protocol"]
        for row in csv.DictReader(io.StringIO(FORMATS["csv"].text([table])))
    }


def test_reduced_pictures_are_a_proxy_of_their_own_set() -> None:
    table = build_cifar(CIFAR, "data.px=16")
    assert table.standing == Standing.PROXY
    assert table.departures == [
        "train px 16 (32)",
        "eval px 16 (32)",
        "pad px 2 (4)",
        "set cifar10 reduced to 16x16 (32x32)",
    ]
    pictures = "50,000 training images, 10,000 evaluation images"
    note = f"A proxy: cifar10 reduced to 16x16 ({pictures}) instead of CIFAR-10."
    assert note in format_markdown([table])


def test_any_folder_goes_by_its_own_name_and_numbers() -> None:
    record = make_record(PETS)
    data = {**record.config["data"], "name": "folder", "title": "pets"}
    protocol = {**record.protocol, "data": {**record.protocol["data"], "name": "folder"}}
    record = replace(record, protocol=protocol, config={**record.config, "data": data})
    described = "pets folder, 3 classes, 60 images"
    assert (describe_set(record), is_whole_set(record)) == (described, False)
    assert (name_set(record), describe_set_departure(record)) == ("pets", None)


@pytest.mark.parametrize("found", [3, "x", {}, asdict(PART)])
def test_nonsense_in_a_record_counts_as_nothing(found: object) -> None:
    record = make_record(WHOLE)
    config = {**record.config, "data": {**record.config["data"], "found": found}}
    assert describe_set(replace(record, config=config)) == "imagenet"
