"""Weights that were evaluated and not trained: under which rows they stand, and where they never count."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

from senet_repro.cli.verbs import call_verb
from senet_repro.config.paper_tables import find_table, find_tables
from senet_repro.report.tables.rescored import find_paper_row, find_rescored_tables
from senet_repro.report.text.evaluations import format_evaluations
from senet_repro.report.text.formats import FORMATS, write_tables
from senet_repro.results.evaluated_folders import weights_folder
from senet_repro.results.evaluation import RUN, Evaluation, write_evaluation
from senet_repro.results.outcomes import pack_outcomes
from tests.evaluations import SE, make_evaluation

NATIVE = make_evaluation()
LARGE = make_evaluation(
    size_px=320, resize_px=320, metrics={"top1_err_pct": 17.3, "top5_err_pct": 3.8}
)
BESIDE = make_evaluation(size_px=320, resize_px=365)
PLAIN_50 = {"network": "resnet50", "se": None}


@pytest.mark.parametrize(
    ("evaluation", "expected"),
    [
        (NATIVE, (8, "SENet-154, 224 px", True)),
        (LARGE, (8, "SENet-154, 320 px", True)),
        (BESIDE, (8, "SENet-154, 320 px", False)),
        # Trained on crops of 320 pixels: Table 9, and at another size nothing.
        (
            make_evaluation(trained_px=320, size_px=320, resize_px=320),
            (9, "SENet-154, 320 px", True),
        ),
        (make_evaluation(trained_px=320), None),
        (make_evaluation(size_px=256, resize_px=292), None),
        (make_evaluation(**PLAIN_50), (2, "ResNet-50", True)),
        (make_evaluation(network="resnet50"), (2, "SE-ResNet-50", True)),
        # How the FCs are written down is the library's choice, an axis is not.
        (make_evaluation(network="resnet50", se={**SE, "fc": "conv"}), (2, "SE-ResNet-50", True)),
        (make_evaluation(network="resnet50", se={**SE, "r": 8}), None),
        (make_evaluation(data={**NATIVE.data, "name": "cifar10"}), None),
        (
            make_evaluation(
                network="inception_resnet_v2",
                se={**SE, "stages": [3, 4, 5]},
                trained_px=299,
                size_px=299,
                resize_px=352,
            ),
            (2, "SE-Inception-ResNet-v2", True),
        ),
    ],
)
def test_an_evaluation_stands_beside_the_row_of_its_network_and_size(
    evaluation: Evaluation, expected: tuple[int, str, bool] | None
) -> None:
    found = find_paper_row(evaluation)
    if found is None:
        assert expected is None
        return
    paper, row = found
    assert (paper.number, row.name, row.has_papers_rule) == expected


def test_every_format_marks_the_rows_and_prints_the_papers_rule_first() -> None:
    (table,) = find_rescored_tables([BESIDE, LARGE, NATIVE], [find_table("8")])
    assert [row.evaluation for row in table.rows] == [NATIVE, LARGE, BESIDE]
    markdown = FORMATS["markdown"].text([], [table])
    assert "### Table 8, not trained here: released weights, re-scored" in markdown
    line = next(line for line in markdown.splitlines() if "320 px" in line)
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells == [
        "SENet-154, 320 px",
        "timm legacy_senet154 abababab",
        "short side 320, centre 320",
        "17.30 (18.40 to 19.00)",
        "3.80 (4.30 to 4.70)",
        "50,000",
        "17.28 / 3.79",
        "+0.02 / +0.01",
    ]
    assert "enter no claim about training and no estimate over seeds" in markdown
    assert "short side 365, centre 320 is not how the row SENet-154, 320 px" in markdown
    assert "inferred" in markdown
    rows = list(csv.DictReader(io.StringIO(FORMATS["csv"].text([], [table]))))
    assert {row["kind"] for row in rows} == {"released weights, re-scored"}
    assert [row["is_papers_rule"] for row in rows] == ["True", "True", "False"]
    (listed,) = json.loads(FORMATS["json"].text([], [table]))
    assert listed["kind"] == "re-scored"
    assert listed["rows"][1]["top1_from_paper_pct"] == pytest.approx(0.02)
    latex = FORMATS["latex"].text([], [table])
    assert latex.count(r"\begin{table}") == 1
    assert "not trained here" in latex


def test_the_table_of_a_command_says_what_by_hand_differs_and_how_much_of_the_set_there_was() -> (
    None
):
    text = format_evaluations(
        [make_evaluation(images=40, notes=["data.mean=[1,2,3] was given by hand"])]
    )
    assert "(40 of 50,000 evaluation images)" in text
    assert "data.mean=[1,2,3] was given by hand" in text
    padded = make_evaluation(**PLAIN_50, options={"stride_on": "conv3x3", "stem_pool": "padded"})
    named = "the network differs from the paper's (in brackets): stride_on conv3x3 (conv1x1)"
    assert named in format_evaluations([padded])
    (table,) = find_rescored_tables([padded], [find_table("2")])
    assert named in FORMATS["markdown"].text([], [table])
    assert "The paper's figures at 224 px are those of Table 8, SENet-154, 224 px." in text
    run = {"name": "digits-resnet11-r16", "run_key": "ab" * 32, "seed": 3}
    trained = make_evaluation(kind=RUN, run=run, network="resnet11", resize_px=None)
    assert "digits-resnet11-r16 seed 3" in format_evaluations([trained])
    assert "paper" not in format_evaluations([trained]).partition("\n\n")[2].partition("\n\n")[0]


def test_evaluations_are_printed_and_judged_by_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outcomes = pack_outcomes(np.array([0]), np.array([[0, 1]]))
    write_evaluation(weights_folder(tmp_path, "senet154", "ab" * 32), NATIVE, outcomes)
    assert call_verb("table", ["--results", str(tmp_path), "--table", "8"]) == 0
    assert "timm legacy_senet154" in capsys.readouterr().out
    call_verb("verdict", ["--results", str(tmp_path), "--table", "8"])
    said = capsys.readouterr().out
    assert "18.7" not in said
    assert "reproduced" not in said.replace("0 reproduced", "")


def test_a_file_for_each_table_is_listed_in_the_index(tmp_path: Path) -> None:
    tables = find_rescored_tables([NATIVE], find_tables())
    index = write_tables(tmp_path, [], FORMATS["markdown"], [], tables)
    assert "[table_8_rescored.md](table_8_rescored.md)" in index.read_text()
    assert "re-scored" in (tmp_path / "table_8_rescored.md").read_text()
