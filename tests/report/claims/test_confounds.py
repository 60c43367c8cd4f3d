"""Whatever differs between rows beside the axes is named by row; so is what records do not tell."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from senet_repro.config.paper_tables import find_table
from senet_repro.report.claims.confounds import find_confounds
from senet_repro.report.tables.build import ResultRow
from senet_repro.results.record import Record
from tests.records import make_record

RECORD = make_record(["squeeze=avg"], seed=0, top1=3.0)


def row_of(name: str, *records: Record) -> ResultRow:
    paper = find_table("squeeze").rows["avg"]
    return ResultRow(
        name=name,
        paper=paper,
        protocol=RECORD.protocol,
        run_key=None,
        records=list(records),
        failed={},
    )


def compare(first: dict[str, Any], second: dict[str, Any]) -> list[str]:
    """Return what is said of two runs that differ from one record in some fields."""
    return find_confounds(
        [
            (
                row_of("r = 16", replace(RECORD, **first)),
                row_of("original", replace(RECORD, **second)),
            )
        ]
    )


def trainer(**settings: Any) -> dict[str, Any]:
    return {"trainer": {**RECORD.trainer, **settings}}


def skip(**files: list[str]) -> dict[str, Any]:
    return {"skipped": files}


def protocol(**data: Any) -> dict[str, Any]:
    return {"protocol": {**RECORD.protocol, "data": {**RECORD.protocol["data"], **data}}}


def found_at(root: str) -> dict[str, Any]:
    return {"config": {**RECORD.config, "data": {**RECORD.config["data"], "root": root}}}


MANY = [f"{number}.png" for number in range(20_000)]


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ({}, {}, []),
        (
            trainer(accumulate=8),
            {},
            ["trainer.accumulate (8: r = 16; 1: original)"],
        ),
        (trainer(sync_bn=True), {}, ["trainer.sync_bn (true: r = 16; false: original)"]),
        (trainer(compile=True), {}, ["trainer.compile (true: r = 16; false: original)"]),
        (
            trainer(channels_last=False),
            {},
            ["trainer.channels_last (false: r = 16; true: original)"],
        ),
        (trainer(threads=4), {}, ["trainer.threads (4: r = 16; 1: original)"]),
        (
            trainer(precision="bf16-mixed"),
            {},
            ["trainer.precision (bf16-mixed: r = 16; 32-true: original)"],
        ),
        (trainer(tf32=True), {}, ["TF32 (true: r = 16; false: original)"]),
        (
            trainer(deterministic=True),
            {},
            ["deterministic algorithms (true: r = 16; false: original)"],
        ),
        ({"versions": {"torch": "3"}}, {}, ["torch (3: r = 16; 2: original)"]),
        ({"commit": "1" * 40}, {}, ["commit (1111111: r = 16; 0000000: original)"]),
        ({"origin": "Lab X"}, {}, ["origin (Lab X: r = 16; ours: original)"]),
        ({"origin": "Lab X"}, {"origin": "Lab X"}, []),
        ({"dirty": True}, {}, ["with uncommitted changes (r = 16)"]),
        # Equal dirt is not sameness.
        (
            {"dirty": True},
            {"dirty": True},
            ["with uncommitted changes, which may differ (r = 16 and original)"],
        ),
        (skip(train=MANY), {}, ["trained without 20,000 images (r = 16)"]),
        (
            {},
            skip(train=["a"], test=["b"]),
            [
                "trained without 1 image (original)",
                "evaluated without 1 image (original)",
            ],
        ),
        (skip(train=["a"]), skip(train=["a"]), []),
        (
            skip(train=["a", "b"]),
            skip(train=["b"]),
            [
                "trained without 2 images (r = 16)",
                "trained without 1 image (original)",
            ],
        ),
        (
            skip(train=["a"]),
            skip(train=["b"]),
            ["trained without 1 image, and not the same ones (r = 16 and original)"],
        ),
        # The same pictures of one set, which lies in two places.
        (
            {**skip(train=["/a/train/x.png"]), **found_at("/a"), **protocol(fingerprint="0" * 64)},
            {**skip(train=["/b/train/x.png"]), **found_at("/b"), **protocol(fingerprint="0" * 64)},
            [],
        ),
        (
            protocol(fingerprint="1" * 64),
            protocol(fingerprint="2" * 64),
            ["set's fingerprint (11111111: r = 16; 22222222: original)"],
        ),
        (
            protocol(fingerprint="1" * 64),
            {},
            ["set's fingerprint not recorded (original)"],
        ),
        (
            found_at("/data"),
            found_at("/data"),
            ["set's fingerprint not recorded (r = 16 and original)"],
        ),
        (protocol(eval_px=9), {}, ["eval px (9: r = 16; 8: original)"]),
        (
            {"commit": None, "dirty": None},
            {},
            ["commit and uncommitted changes not recorded (r = 16)"],
        ),
        (
            {"commit": None, "dirty": None},
            {"commit": None, "dirty": None},
            ["commit and uncommitted changes not recorded (r = 16 and original)"],
        ),
        (
            {"versions": {}},
            {},
            ["torch not recorded (r = 16)"],
        ),
    ],
)
def test_what_differs_is_named_with_its_row(
    first: dict[str, Any], second: dict[str, Any], said: list[str]
) -> None:
    assert compare(first, second) == said


def test_an_older_record_tells_by_its_hardware_what_it_can() -> None:
    older = {"trainer": {"precision": "32-true", "compile": False, "channels_last": True}}
    lacking = "trainer.accumulate and deterministic algorithms"
    assert compare(older, {}) == [f"{lacking} not recorded (r = 16)"]
    on_gpus = {**older, "hardware": {"device": "cuda", "devices": 2, "name": "H200", "threads": 8}}
    assert compare(on_gpus, on_gpus) == [
        "trainer.accumulate, trainer.sync_bn, TF32 and deterministic algorithms not recorded "
        "(r = 16 and original)"
    ]


def test_rows_of_several_pairs_are_named_once_for_each_value() -> None:
    dirty = replace(RECORD, dirty=True)
    changed = replace(RECORD, commit="1" * 40, skipped={"train": ["a"]})
    original = row_of("original", RECORD)
    pairs = [(row_of(name, changed), original) for name in ("r = 2", "r = 4", "r = 8")]
    assert find_confounds([*pairs, (row_of("r = 16", dirty), original)]) == [
        "commit (1111111: r = 2, r = 4 and r = 8; 0000000: original)",
        "trained without 1 image (r = 2, r = 4 and r = 8)",
        "with uncommitted changes (r = 16)",
    ]


def test_only_runs_of_one_seed_are_compared() -> None:
    changed = replace(RECORD, commit="1" * 40)
    other_seed = replace(changed, seed=1)
    assert find_confounds([(row_of("avg", RECORD), row_of("max", other_seed))]) == []
    seeds = (row_of("avg", RECORD, replace(RECORD, seed=1)), row_of("max", RECORD, other_seed))
    assert find_confounds([seeds]) == ["commit (0000000: avg; 1111111: max)"]
    cited = row_of("DPN-131")
    assert find_confounds([(cited, row_of("max", RECORD))]) == []
