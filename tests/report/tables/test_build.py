"""Tables from fixture records: the paper beside ours, gaps shown as gaps."""

from __future__ import annotations

import csv
import io
import json
from copy import deepcopy
from pathlib import Path

import pytest

from senet_repro.config.paper_tables import find_table, names_networks, paper_tables
from senet_repro.core.errors import ConfigError
from senet_repro.report.tables.build import ResultTable, build_tables
from senet_repro.report.text.formats import FORMATS
from senet_repro.report.text.markdown import format_markdown
from senet_repro.results.record import Record
from senet_repro.results.store import Results
from tests.records import make_record

# Every table that varies SE on one network has the row of the paper's default block.
ABLATIONS = [table.number for table in paper_tables().values() if not names_networks(table)]
GOLDEN = Path(__file__).with_name("golden")


def _tables(records: list[Record], name: str | None = None, **found: object) -> list[ResultTable]:
    papers = [find_table(name)] if name else list(paper_tables().values())
    return build_tables(Results(records, **found), papers)  # type: ignore[arg-type]


def _squeeze_records() -> list[Record]:
    return [
        *(
            make_record(["squeeze=avg"], seed=seed, top1=top1)
            for seed, top1 in enumerate((3.0, 3.5, 4.0))
        ),
        *(
            make_record(["squeeze=max"], seed=seed, top1=top1)
            for seed, top1 in enumerate((3.5, 4.5))
        ),
    ]


@pytest.mark.parametrize("form", FORMATS)
def test_each_format_equals_its_golden_file(form: str) -> None:
    text = FORMATS[form].text(_tables(_squeeze_records(), "squeeze"))
    assert text + "\n" == (GOLDEN / f"squeeze.{FORMATS[form].suffix}").read_text()


def test_a_record_serves_every_table_that_has_its_point() -> None:
    tables = _tables([make_record([], seed=0, top1=3.0)])
    assert [table.paper.number for table in tables] == ABLATIONS
    assert all(sum(bool(row.seeds) for row in table.rows) == 1 for table in tables)


def test_differences_are_paired_by_seed() -> None:
    (table,) = _tables(_squeeze_records(), "squeeze")
    row = next(row for row in table.rows if row.name == "max")
    difference = row.differences["top1_err_pct"]
    assert (difference.n, difference.mean) == (2, 0.75)


def test_missing_seeds_rows_and_failures_are_shown() -> None:
    failed = make_record(["excitation=relu"], seed=0, top1=0.0)
    records = [make_record([], seed=seed, top1=3.0) for seed in (0, 1)]
    records.append(make_record(["excitation=tanh"], seed=1, top1=4.0))
    text = format_markdown(
        _tables(records, "excitation", failures={(failed.run_key, 0): "the loss was not finite"})
    )
    tanh, relu = (
        next(line for line in text.splitlines() if line.startswith(f"| {row}"))
        for row in ("tanh", "relu")
    )
    assert "4.00 (1/2)" in tanh
    assert "failed" in relu
    assert "relu failed: the loss was not finite" in text
    assert "not run" in format_markdown(_tables(records, "reduction_ratio"))


def test_one_seed_is_called_no_evidence_and_a_proxy_a_proxy() -> None:
    text = format_markdown(_tables([make_record([], seed=0, top1=3.0)], "squeeze"))
    assert "no difference here is evidence" in text
    assert "Not the paper's protocol" in text
    assert "a proxy)" in text.splitlines()[0]
    assert "A proxy: 1,797 digits" in text
    assert "data digits (imagenet)" in text


def test_other_data_than_the_tables_own_is_called_a_proxy_for_it() -> None:
    record = make_record(["+experiment=cifar10", "data=digits"], seed=0, top1=3.0)
    text = format_markdown(_tables([record], "cifar10"))
    assert "(digits, a proxy)" in text
    assert "A proxy: 1,797 digits of 8x8 pixels instead of CIFAR-10." in text


def test_the_papers_own_protocol_is_not_called_a_proxy() -> None:
    record = make_record(["protocol=imagenet"], seed=0, top1=22.0, eval_images=50_000)
    (table,) = _tables([record], "squeeze")
    assert table.departures == []
    assert "Not the paper's protocol" not in format_markdown([table])
    assert "waits for plateaus" in format_markdown([table])


@pytest.mark.parametrize(
    ("override", "eval_images", "departure"),
    [
        ("recipe.epochs=2", 50_000, "epochs 2 (270)"),
        ("data.flip=false", 50_000, "flip False (True)"),
        ("se.bias=true", 50_000, "SE bias True (False)"),
        ("model.options.stride_on=conv3x3", 50_000, "stride on conv3x3 (conv1x1)"),
        ("recipe.schedule.drops=[1]", 50_000, "schedule drops [1] ([125, 200, 250])"),
        ("recipe.schedule.kind=cosine", 50_000, "schedule cosine (step)"),
        ("seed=0", 200, "eval images 200 (50000)"),
    ],
)
def test_each_departure_from_the_papers_protocol_is_named(
    override: str, eval_images: int, departure: str
) -> None:
    record = make_record(
        ["protocol=imagenet", override], seed=0, top1=90.0, eval_images=eval_images
    )
    (table,) = _tables([record], "squeeze")
    assert table.departures == [departure]
    assert departure in format_markdown([table])


@pytest.mark.parametrize(
    ("override", "distinctions"),
    [
        ("data.pad_px=0", {"pad px 1", "pad px 0"}),
        ("se.bias=true", {"SE bias False", "SE bias True"}),
        ("recipe.lr=0.5", {"lr 0.2", "lr 0.5"}),
    ],
)
def test_tables_with_one_heading_say_in_what_they_differ(
    override: str, distinctions: set[str]
) -> None:
    tables = _tables(
        [make_record([], seed=0, top1=3.0), make_record([override], seed=0, top1=4.0)], "squeeze"
    )
    assert {distinction for table in tables for distinction in table.distinctions} == distinctions
    assert len({format_markdown([table]) for table in tables}) == 2
    assert (
        len(
            {
                row["protocol_key"]
                for row in csv.DictReader(io.StringIO(FORMATS["csv"].text(tables)))
            }
        )
        == 2
    )


def test_a_part_of_a_set_never_mixes_with_the_whole() -> None:
    part = make_record(["protocol=imagenet"], seed=0, top1=99.0, eval_images=200)
    whole = make_record(["protocol=imagenet", "squeeze=max"], seed=0, top1=22.5, eval_images=50_000)
    assert len(_tables([part, whole], "squeeze")) == 2


def test_protocols_never_mix() -> None:
    records = [
        make_record([], seed=0, top1=3.0),
        make_record(["recipe.epochs=3"], seed=1, top1=9.0),
    ]
    tables = _tables(records, "squeeze")
    assert [table.seeds for table in tables] == [[0], [1]]


def test_styles_of_se_never_mix_and_share_the_plain_network() -> None:
    records = [
        make_record(["r=none"], seed=0, top1=5.0),
        make_record([], seed=0, top1=3.0),
        make_record(["se.bias=true"], seed=0, top1=4.0),
    ]
    tables = _tables(records, "reduction_ratio")
    assert len(tables) == 2
    assert all(
        {row.name for row in table.rows if row.seeds} == {"r = 16", "original"} for table in tables
    )


def test_only_a_plain_network_still_makes_a_table() -> None:
    (table,) = _tables([make_record(["r=none"], seed=0, top1=5.0)], "stages")
    assert [row.name for row in table.rows if row.seeds] == ["ResNet-50"]


def test_no_records_make_no_tables() -> None:
    assert _tables([]) == []
    assert (format_markdown([]), FORMATS["csv"].text([]), FORMATS["json"].text([])) == (
        "",
        "",
        "[]",
    )


def test_csv_and_json_hold_the_same_rows() -> None:
    tables = _tables(_squeeze_records(), "squeeze")
    rows = list(csv.DictReader(io.StringIO(FORMATS["csv"].text(tables))))
    (table,) = json.loads(FORMATS["json"].text(tables))
    assert [row["row"] for row in rows] == [row["row"] for row in table["rows"]] == ["max", "avg"]
    assert float(rows[0]["top1_err_pct"]) == table["rows"][0]["top1_err_pct"] == 4.0


SHORT = ["+experiment=cifar10", "recipe.epochs=5"]


def _cifar(model: str, stages: str, top1: float, *overrides: str, seed: int = 0) -> Record:
    return make_record(
        [*SHORT, f"model={model}", f"stages={stages}", *overrides],
        seed=seed,
        top1=top1,
        eval_images=10_000,
    )


def test_networks_of_an_experiment_share_a_table_and_each_has_its_own_baseline() -> None:
    records = [
        _cifar("resnet110", "none", 9.0),
        _cifar("resnet110", "all", 8.5),
        _cifar("wrn16_8", "none", 6.0),
        _cifar("wrn16_8", "all", 5.0),
    ]
    (table,) = _tables(records, "cifar10")
    deltas = {
        row.name: row.differences["top1_err_pct"].mean for row in table.rows if row.differences
    }
    assert deltas == {"SE-ResNet-110": -0.5, "SE-WRN-16-8": -1.0}
    text = format_markdown([table])
    assert table.departures == [
        "epochs 5 (164, 200)"
    ]  # the one changed key, and what each network's paper has
    assert "networks resnet110, wrn16_8, 5 epochs" in text
    assert "to the network without SE" in text
    assert "a proxy" not in text
    line = next(line for line in text.splitlines() if line.startswith("| SE-ResNet-164"))
    assert "not run" in line
    assert "4.39" in line


def test_an_experiment_by_its_own_recipes_departs_from_nothing() -> None:
    record = make_record(
        ["+experiment=cifar100", "model=wrn16_8"], seed=0, top1=19.0, eval_images=10_000
    )
    (table,) = _tables([record], "cifar100")
    assert table.departures == []


def test_what_only_one_of_the_two_protocols_has_is_a_departure_too() -> None:
    record = _cifar("resnet110", "none", 9.0, "recipe.schedule.warmup=0", "recipe.cutout_px=8")
    (table,) = _tables([record], "cifar10")
    said = [
        "epochs 5 (164)",
        "cutout px 8 (none)",
        "schedule warmup none (400)",
        "schedule warmup factor none (0.1)",
    ]
    assert sorted(table.departures) == sorted(said)


def test_experiments_under_different_changes_never_mix() -> None:
    one, other = _cifar("resnet110", "none", 9.0), _cifar("resnet110", "all", 8.0, "recipe.lr=0.2")
    tables = _tables([one, other], "cifar10")
    assert {tuple(table.departures) for table in tables} == {
        ("epochs 5 (164)",),
        ("epochs 5 (164)", "lr 0.2 (0.1)"),
    }
    assert {tuple(table.distinctions) for table in tables} == {("lr 0.1",), ("lr 0.2",)}


PLACED = ["model=resnet164", "recipe=resnet164", "se.bias=true"]
PLAIN_AND_SE = [
    [f"model={model}", f"stages={stages}"]
    for model in ("resnet110", "wrn16_8")
    for stages in ("none", "all")
]


@pytest.mark.parametrize(
    ("shared", "points", "numbers"),
    [
        (["protocol=imagenet"], [[]], ABLATIONS),
        (["protocol=imagenet", "recipe.epochs=5"], [[]], ABLATIONS),
        (["+experiment=imagenet"], [["model=resnet50"]], [2]),
        (SHORT, PLAIN_AND_SE, [4]),
        ([*SHORT, "data=digits"], PLAIN_AND_SE, [4]),
        (
            ["protocol=cifar10", *PLACED],
            [[f"placement={site}"] for site in ("standard", "pre", "post")],
            [4, 14],
        ),
        (
            ["+experiment=cifar10", "model=resnet164"],
            [["r=2"], ["r=4"], ["r=16"], ["stages=none"]],
            [4, 10],
        ),
    ],
)
def test_records_stand_where_they_were_trained_for_and_where_else_they_are_news(
    shared: list[str], points: list[list[str]], numbers: list[int | None]
) -> None:
    images = 50_000 if "imagenet" in shared[0] else 10_000
    records = [
        make_record([*shared, *point], seed=0, top1=22.0, eval_images=images) for point in points
    ]
    assert [table.paper.number for table in _tables(records)] == numbers


@pytest.mark.parametrize(
    ("override", "departures"),
    [
        ("recipe.epochs=200", ["epochs 200 (164, 200)"]),
        ("recipe.lr=0.1", []),
        ("recipe.nesterov=true", ["nesterov True (False, True)"]),
        ("recipe.cutout_px=16", ["cutout px 16 (none)"]),
        ("recipe.schedule.kind=cosine", ["schedule cosine (step)"]),
    ],
)
def test_an_override_that_is_some_rows_own_value_splits_no_table(
    override: str, departures: list[str]
) -> None:
    points = [["+experiment=cifar10", *point, override] for point in PLAIN_AND_SE]
    (table,) = _tables(
        [make_record(point, seed=0, top1=5.0, eval_images=10_000) for point in points]
    )
    assert len([row for row in table.rows if row.records]) == 4
    assert table.departures == departures


def test_a_network_without_se_joins_its_table_whatever_way_of_writing_se_the_others_have() -> None:
    style = [*SHORT, "se.bias=false"]
    points = [[*style, *point] for point in PLAIN_AND_SE[:3]]
    (table,) = _tables(
        [make_record(point, seed=0, top1=5.0, eval_images=10_000) for point in points]
    )
    assert [row.name for row in table.rows if row.records] == [
        "ResNet-110",
        "SE-ResNet-110",
        "WRN-16-8",
    ]


def test_tables_that_differ_in_what_one_alone_has_say_so() -> None:
    records = [
        _cifar("resnet110", "all", 9.0),
        _cifar("resnet110", "all", 8.0, "recipe.cutout_px=8"),
    ]
    assert [table.distinctions for table in _tables(records, "cifar10")] == [
        ["cutout px none"],
        ["cutout px 8"],
    ]


def test_a_failed_row_of_an_experiment_is_shown_as_failed() -> None:
    failed = _cifar("wrn16_8", "all", 0.0)
    text = format_markdown(
        _tables(
            [_cifar("resnet110", "none", 9.0)],
            "cifar10",
            failures={(failed.run_key, 0): "diverged"},
        )
    )
    assert "SE-WRN-16-8 failed: diverged" in text


def test_networks_of_other_papers_are_cited_and_never_called_missing() -> None:
    record = make_record(["+experiment=state_of_the_art"], seed=0, top1=18.7, eval_images=50_000)
    (table,) = _tables([record], "state_of_the_art")
    lines = format_markdown([table]).splitlines()
    assert "cited" in next(line for line in lines if line.startswith("| DPN-131, 224 px"))
    assert "18.70 (1)" in next(line for line in lines if line.startswith("| SENet-154, 224 px"))


def test_what_the_papers_of_the_networks_report_stands_in_a_column_of_its_own() -> None:
    record = make_record(
        ["+experiment=imagenet", "stages=none"], seed=0, top1=24.0, eval_images=50_000
    )
    header, _, line = format_markdown(_tables([record], "imagenet")).splitlines()[2:5]
    assert "cited top-1 / top-5" in header
    assert " 24.7 / 7.8 |" in line


def test_a_published_figure_that_is_no_metrics_is_refused() -> None:
    paper = deepcopy(find_table("squeeze"))
    paper.rows["max"].figures = {"top1": 22.57}
    with pytest.raises(ConfigError, match="row max: figures=top1: give top1_err_pct, top5_err_pct"):
        build_tables(Results(), [paper])
