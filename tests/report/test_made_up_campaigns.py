"""Campaigns whose truth is known get the verdict that they deserve, in words that say why."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from senet_repro.report.claims.judge import format_verdict
from senet_repro.report.text.verdicts_json import format_verdicts_json
from senet_repro.results.record import read_record, write_record
from tests.records import make_plan
from tests.report.evidence_document import (
    DOCUMENT,
    FIGURE,
    draw_figure,
    show_all,
    write_document,
)
from tests.report.made_up_campaigns import MADE_UP, MadeUp, Shown, judge_folder


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Shown]:
    return show_all(tmp_path_factory.mktemp("campaigns"))


@pytest.mark.parametrize("made_up", MADE_UP, ids=lambda one: one.title)
def test_a_verdict_says_what_was_put_in(made_up: MadeUp, shown: dict[str, Shown]) -> None:
    text = shown[made_up.title].text
    judged = shown[made_up.title].find_judged(made_up.claim)
    assert format_verdict(judged) == made_up.verdict, text
    assert [words for words in made_up.words if words not in text] == [], text
    printed = json.loads(format_verdicts_json(shown[made_up.title].found))
    (claim,) = [one for one in printed["tables"][0]["claims"] if one["says"] == made_up.claim]
    assert (claim["verdict"], claim["evidence"]) == (judged.verdict, judged.evidence)
    assert bool(claim["provisos"]) == made_up.verdict.endswith("(provisional)")


def _find(title: str) -> MadeUp:
    (made_up,) = [one for one in MADE_UP if one.title == title]
    return made_up


def _change_plans(folder: Path, plan: dict[str, Any]) -> None:
    for path in folder.glob("*/seed*/record.json"):
        write_record(path.parent, replace(read_record(path), plan=plan))


@pytest.mark.parametrize(
    ("title", "seeds"), [("Seeds added to a plan of three", 7), ("Peeked", 8)], ids=str
)
def test_without_its_guard_a_campaign_would_fool_the_test(
    title: str, seeds: int, tmp_path: Path
) -> None:
    made_up = _find(title)
    made_up.write(tmp_path)
    _change_plans(tmp_path, make_plan(range(seeds), tables=["squeeze"]))
    judged = judge_folder(tmp_path, made_up.table).find_judged(made_up.claim)
    assert judged.verdict == "reproduced"


def test_over_seeds_alone_lucky_images_would_be_called_a_gain(tmp_path: Path) -> None:
    made_up = _find("Equal networks, lucky images")
    made_up.write(tmp_path)
    for path in tmp_path.glob("*/seed*/outcomes.npz"):
        path.unlink()
    judged = judge_folder(tmp_path, made_up.table).find_judged(made_up.claim)
    assert judged.verdict == "reproduced"
    assert judged.p_value is not None
    assert judged.p_value < 0.001


def test_the_document_shows_what_verdicts_say_now(shown: dict[str, Shown]) -> None:
    mend = "python -m tests.report.evidence_document writes it anew"
    assert DOCUMENT.read_text() == write_document(shown), mend
    assert FIGURE.read_text() == draw_figure(shown), mend
