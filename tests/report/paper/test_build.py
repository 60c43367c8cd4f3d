"""The whole report: every figure from the records, what is missing said, the same bytes wherever the folder lies."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from senet_repro.config.paper_tables import find_table, find_tables
from senet_repro.core.errors import ConfigError
from senet_repro.report.paper.build import build_document
from senet_repro.report.paper.discussion import LEFT_OUT, SUMMARY_CHARACTERS
from senet_repro.report.paper.document import Document
from senet_repro.report.paper.facts import Facts, gather_facts
from senet_repro.report.paper.latex import render_latex
from senet_repro.report.paper.markdown import render_markdown
from senet_repro.report.paper.remarks import REMARKS_FILE
from senet_repro.report.text.claim_overview import format_claim_overview
from senet_repro.report.text.verdicts import describe_outcome
from senet_repro.results.campaign import Campaign, PlannedTable, write_campaign
from senet_repro.results.campaign_file import CAMPAIGN_SOURCE, EXAMPLE
from senet_repro.results.excitation import write_study
from senet_repro.results.starts import add_start
from senet_repro.results.store import write_status
from tests.conftest import ROOT
from tests.gate_studies import make_study
from tests.records import compose_once, detection_record, make_record, record_of
from tests.report.pages import squeeze_records, write_runs

DEMO = ROOT / "experiments" / "demo"


def build(folder: Path, *tables: str) -> tuple[Facts, Document, str]:
    """The facts of a folder, the report, and the report as Markdown."""
    facts = gather_facts(folder, find_tables(tables), shows_all=bool(tables))
    document = build_document(facts)
    return facts, document, render_markdown(document)


@pytest.fixture(scope="module")
def demo() -> tuple[Facts, Document, str]:
    return build(DEMO)


@pytest.fixture
def squeeze(tmp_path: Path) -> Path:
    write_runs(tmp_path, squeeze_records())
    return tmp_path


def test_the_sections_are_those_of_the_form(demo: tuple[Facts, Document, str]) -> None:
    _, document, text = demo
    titles = [section.title for section in document.sections]
    assert titles == [
        "Introduction",
        "Scope of reproducibility",
        "Methodology",
        "Results",
        "Discussion",
    ]
    headings = re.findall("^#{2,3} (.*)", text, re.MULTILINE)
    assert headings[0] == "Reproducibility summary"
    for heading in (
        "3.1 Model descriptions",
        "3.2 Datasets",
        "3.3 Hyperparameters",
        "3.4 Experimental setup and code",
        "3.5 Computational requirements",
        "5.1 What was easy",
        "5.2 What was difficult",
        "5.3 Communication with the original authors",
    ):
        assert heading in headings
    labels = [paragraph.label for paragraph in document.summary]
    assert labels[:3] == ["Scope of reproducibility", "Methodology", "Results"]
    assert labels[3:] == [heading[4:] for heading in headings if heading.startswith("5.")]


def test_every_claim_has_its_number_section_published_figure_and_verdict(
    demo: tuple[Facts, Document, str],
) -> None:
    facts, document, text = demo
    assert [one.number for one in facts.claims] == [1, 2, 3, 4]
    scope, verdicts = document.tables[0], document.tables[-1]
    assert [row[0] for row in scope.rows] == [row[0] for row in verdicts.rows]
    for number, one in enumerate(facts.judged, start=1):
        assert f"{number}. {one.claim.says} ({one.verdict}). {one.sentences[0]}" in text
        assert scope.rows[number - 1][4] == one.claim.section


def test_the_published_figure_of_more_than_two_rows_is_that_of_the_two_furthest_apart_and_is_called_so(
    demo: tuple[Facts, Document, str],
) -> None:
    scope = demo[1].tables[0]
    claim, published = scope.rows[1][1], scope.rows[1][5]
    # Of 22.25 to 22.29, where the first row and the last are 0.01 apart.
    assert (claim, published) == (
        "from r = 2 to r = 16 the error does not depend on r",
        "0.04 apart",
    )
    assert "it is that of the two furthest apart" in scope.notes[0]


def test_the_figures_are_those_of_the_table_form(demo: tuple[Facts, Document, str]) -> None:
    facts, _, text = demo
    committed = (DEMO / "table_10.md").read_text()
    for row in facts.tables[0].rows:
        ours = row.estimates["top1_err_pct"]
        figure = f"{ours.mean:.2f} ± {ours.half_width:.2f}"
        assert figure in text
        assert figure in committed


def test_the_same_records_give_the_same_bytes_wherever_they_lie(
    demo: tuple[Facts, Document, str], tmp_path: Path
) -> None:
    copy = tmp_path / "elsewhere"
    shutil.copytree(DEMO, copy)
    _, document, text = build(copy)
    assert text == demo[2]
    assert render_latex(document) == render_latex(demo[1])


def test_without_a_plan_it_is_said_that_nothing_was_planned(squeeze: Path) -> None:
    _, _, text = build(squeeze)
    assert "Nothing was planned before the runs of Table 11" in text
    assert "No plan was written before these runs (Table 11)" in text


def test_the_settings_that_depart_stand_beside_the_papers(
    demo: tuple[Facts, Document, str],
) -> None:
    facts, document, _ = demo
    (found,) = [table for table in document.tables if "Deviations" in table.caption]
    assert ("epochs", "270", "10") in found.rows
    stated = [f"{setting} {here} ({paper})" for setting, paper, here in found.rows]
    assert stated == facts.tables[0].departures


def test_remarks_stand_whole_in_their_sections_and_short_in_the_summary(squeeze: Path) -> None:
    (squeeze / REMARKS_FILE).write_text(
        f"title: Ours\nauthors: [Ada, Ben]\neasy: {'word ' * 200}end\nsurprises: [One., Two.]"
    )
    _, document, text = build(squeeze)
    assert text.startswith("# Ours\n\nAda\n\nBen\n")
    assert f"### 5.1 What was easy\n\n{'word ' * 200}end\n" in text
    assert "**Surprises.** One.\n\nTwo.\n" in text
    easy, difficult, _ = document.summary[3:]
    assert len(easy.text) < SUMMARY_CHARACTERS + 40
    assert difficult.text == LEFT_OUT
    assert f"### 5.2 What was difficult\n\n{LEFT_OUT}\n" in text


def test_tables_under_several_protocols_are_told_apart_and_claims_numbered_once(
    squeeze: Path,
) -> None:
    run = compose_once("+ablation=squeeze", "recipe.epochs=3")
    others = [
        record_of(replace(run, squeeze=word), seed=seed, top1=top1 + seed)
        for word, top1 in (("avg", 3.0), ("max", 4.0))
        for seed in range(4)
    ]
    write_runs(squeeze, others)
    facts, document, text = build(squeeze)
    assert len(facts.tables) == 2
    assert len(facts.claims) == len(find_table("squeeze").claims)
    assert "some of them under several protocols" in text
    headings = [section.title for section in document.sections[3].subsections[:2]]
    assert {heading.rpartition(": ")[2] for heading in headings} == {"epochs 3", "epochs 10"}
    decided = next(one for one in facts.judged if one.verdict == "reproduced")
    assert f"Decided: claim 1, {decided.claim.says}: reproduced (provisional)." in text
    assert f"reproduced (provisional) on digits. {describe_outcome(decided)}" in text


def write_plan(folder: Path, runs: Sequence[str], *tables: str) -> None:
    planned = PlannedTable(overrides=["+ablation=squeeze"], seeds=[0, 1, 2], runs=list(runs))
    write_campaign(
        folder,
        Campaign(
            name="made-up",
            written_at="2025-12-31T00:00:00+00:00",
            commit=None,
            tables=dict.fromkeys(tables, planned),
        ),
    )


def test_a_campaign_accounts_for_runs_that_diverged_were_taken_up_or_are_to_come(
    squeeze: Path,
) -> None:
    rows = sorted(path.name for path in squeeze.iterdir())
    write_plan(squeeze, [*rows, "digits-never-01234567"], "squeeze", "excitation")
    (squeeze / CAMPAIGN_SOURCE).write_text(EXAMPLE)
    (short,) = [row for row in rows if not (squeeze / row / "seed2").exists()]
    diverged = squeeze / short / "seed2"
    diverged.mkdir()
    key = make_record(["squeeze=max"], seed=2, top1=0.0).run_key
    write_status(diverged, run_key=key, seed=2, state="failed", reason="no number", diverged=True)
    for _ in range(3):
        add_start(squeeze / rows[0] / "seed0")
    _, _, text = build(squeeze)
    assert "Of 9 runs planned: 5 done, 0 failed, 1 diverged, 3 to come" in text
    assert "1 run was taken up again after a stop, 2 times in all" in text
    assert "of 1 that were planned for all" in text
    assert "max failed: no number" in text
    assert f"- {short}, seed 2, diverged: no number\n" in text
    assert "**Question of this campaign.** Does SE lower the error of a small network" in text
    assert "python -m senet_repro -m +ablation=reduction_ratio recipe.epochs=10 seed=0,1,2" in text
    assert "The campaign made-up was planned at 2025-12-31T00:00:00+00:00" in text
    # Sigmoid is the average's own run, so that Table 12 has a record, and is shown since it was planned.
    assert "Table 12: Excitation operator" in text


def write_detectors(folder: Path, aps_by_stages: Mapping[str, Sequence[float]]) -> None:
    run = compose_once("+experiment=coco", "protocol=shapes", "model=resnet50")
    records = []
    for stages, aps in aps_by_stages.items():
        trained = replace(run, stages=stages)
        for seed, ap in enumerate(aps):
            records.append(detection_record(trained, seed=seed, ap=ap, eval_images=160))
    write_runs(folder, records, "ap_pct")


def test_detectors_are_reported_by_their_own_metrics(tmp_path: Path) -> None:
    write_detectors(tmp_path, {"all": (40.0, 42.0, 44.5), "none": (30.0, 33.0, 35.0)})
    _, document, text = build(tmp_path)
    assert "Table 7: Faster R-CNN" in text
    assert any(table.header[1] == "paper AP %" for table in document.tables)
    assert "top-1" not in text


def test_detectors_that_found_nothing_in_any_run_leave_their_claims_open(tmp_path: Path) -> None:
    write_detectors(tmp_path, {"all": (0.0, 0.0), "none": (0.0, 0.0)})
    facts, _, text = build(tmp_path)
    assert {one.verdict for one in facts.judged} == {"inconclusive", "not run"}
    assert "all seeds alike, so a further one has to tell how far they differ" in text
    assert "| inconclusive |   3 at least (2 s) |" in format_claim_overview(facts.verdicts)


def test_studies_are_told_by_their_verdicts(squeeze: Path) -> None:
    run = next(squeeze.iterdir()) / "seed0"
    write_study(run, make_study())
    facts, document, text = build(squeeze)
    assert len(facts.studies.gates) == 1
    (found,) = [table for table in document.tables if "what the gates do" in table.caption]
    assert all(row[2].startswith("1 ") for row in found.rows)
    assert "Studies without training" in text


def test_what_cannot_be_read_is_counted_in_the_cautions(squeeze: Path) -> None:
    damaged = squeeze / "digits-torn-01234567" / "seed0"
    damaged.mkdir(parents=True)
    (damaged / "record.json").write_text("{")
    _, _, text = build(squeeze)
    assert "1 file of the results folder was left out" in text
    assert str(squeeze) not in text


@pytest.mark.parametrize(
    ("tables", "message"),
    [((), "no records in .* nothing to report"), (("2",), "no record in .* stands in a table")],
)
def test_nothing_to_report_is_refused(tmp_path: Path, tables: Sequence[str], message: str) -> None:
    if tables:
        write_runs(tmp_path, squeeze_records()[:1])
    with pytest.raises(ConfigError, match=message):
        build(tmp_path, *tables)
