"""Records grouped into the variants of a table: by task, by protocol, and whatever their order."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

from senet_repro.config.paper_tables import find_table
from senet_repro.report.tables.build import build_tables
from senet_repro.report.tables.groups import group_records
from senet_repro.report.tables.variants import find_variants
from senet_repro.results.store import Results
from tests.records import make_record

SHORT = ["+experiment=cifar10", "recipe.epochs=200"]


def test_records_of_another_task_stand_in_no_table_of_classification() -> None:
    record = make_record([], seed=0, top1=3.0)
    other = replace(record, seed=1, task="detection")
    (table,) = build_tables(Results([record, other]), [find_table("squeeze")])
    assert table.seeds == [0]
    assert build_tables(Results([other]), [find_table("squeeze")]) == []


def test_an_override_that_is_the_own_value_of_some_rows_leaves_their_table_whole() -> None:
    # WRN-16-8 is trained for 200 epochs anyway, so the override changes the other network alone.
    own = [
        make_record(["+experiment=cifar10", f"model={model}"], seed=0, top1=5.0, eval_images=10_000)
        for model in ("resnet110", "wrn16_8")
    ]
    changed = make_record([*SHORT, "model=resnet110"], seed=0, top1=5.0, eval_images=10_000)
    found = set()
    for records in permutations([*own, changed]):
        variants = find_variants(find_table("cifar10"), group_records(records))
        found.add(frozenset(len(variant.all_records) for variant in variants))
    assert found == {frozenset([2, 1])}


def test_a_variant_holds_its_rows_with_the_protocol_and_key_they_have_there() -> None:
    record = make_record(["squeeze=max"], seed=0, top1=3.0)
    (variant,) = find_variants(find_table("squeeze"), group_records([record]))
    assert variant.rows["max"].records == [record]
    assert variant.rows["max"].run_key == record.run_key
    assert variant.rows["avg"].records == []
    assert variant.rows["avg"].protocol == variant.rows["max"].protocol
    assert variant.all_records == [record]
