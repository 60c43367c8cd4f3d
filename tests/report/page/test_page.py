"""The report: everything there, nothing from outside, text stays text, the same bytes every time."""

from __future__ import annotations

import json
import re
import subprocess
from copy import deepcopy
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from senet_repro.cli.verbs import call_verb
from senet_repro.config.paper_tables import find_table, find_tables
from senet_repro.config.schema import Claim, Row
from senet_repro.report.page.page import render_page
from senet_repro.report.page.sections import Section, build_sections, split_tables
from senet_repro.report.tables.build import build_tables
from senet_repro.report.text.verdicts import describe_outcome
from senet_repro.results.metrics import Metric
from senet_repro.results.record import write_record
from senet_repro.results.run_folder import RunFolder
from senet_repro.results.store import Results, load_results, write_status
from tests.records import make_record
from tests.report.browser import CHROMIUM, look_at
from tests.report.pages import make_page, squeeze_records, write_runs

EVIL = "<script>alert('x')</script>"


@pytest.fixture(scope="module")
def squeeze(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Section], str]:
    folder = tmp_path_factory.mktemp("runs")
    write_runs(folder, squeeze_records())
    return folder, *make_page(folder, "squeeze")


class _Elements(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(key, value or "") for key, value in attrs]
        self.ids += [value or "" for key, value in attrs if key == "id"]


def test_every_table_figure_verdict_and_run_is_on_the_page(
    squeeze: tuple[Path, list[Section], str],
) -> None:
    _, (section,), html = squeeze
    ids = _Elements(html).ids
    assert len(ids) == len(set(ids))
    names = {f"squeeze-{figure}" for figure in ("errors", "differences", "curves", "cost")}
    assert {drawing.name for drawing in section.drawings} == names
    keys = {f"run-{record.run_key[:8]}" for record in squeeze_records()}
    assert names | keys | {"summary", "squeeze", "missing", "runs", "machine-1"} <= set(ids)
    assert all(judged.claim.says in html and judged.evidence in html for judged in section.judged)
    assert "3.50 ± 1.24" in html
    assert ">2/3</a>" in html


def test_links_within_the_page_lead_somewhere(squeeze: tuple[Path, list[Section], str]) -> None:
    _, _, html = squeeze
    elements = _Elements(html)
    targets = {
        value[1:] for key, value in elements.attributes if key == "href" and value.startswith("#")
    }
    assert targets
    assert targets <= set(elements.ids)


def test_the_page_fetches_nothing_and_runs_no_script(
    squeeze: tuple[Path, list[Section], str],
) -> None:
    _, _, html = squeeze
    assert not re.search("https?:|//[a-z]|@import|url\\((?!#)", html)
    elements = _Elements(html)
    assert not {"script", "img", "iframe", "object", "embed"} & set(elements.tags)
    assert not [key for key, _ in elements.attributes if key.startswith("on")]


def test_a_proxy_is_called_one_beside_every_table_and_figure(
    squeeze: tuple[Path, list[Section], str],
) -> None:
    _, (section,), html = squeeze
    shown = re.findall("<figcaption>.*?</figcaption>|<caption>.*?</caption>", html, re.DOTALL)
    assert len(shown) == len(section.drawings) + 1
    assert all("a proxy for ImageNet" in text for text in shown)
    assert all("a proxy for ImageNet" in drawing.svg for drawing in section.drawings)


@pytest.mark.parametrize(
    ("errors_of_max", "tally"),
    [
        ((3.5, 4.5), "~ 1 inconclusive, ○ 3 not run."),
        # Far apart, and no plan was written before.
        ((23.0, 23.5, 24.0), "✓ 1 reproduced, ○ 3 not run; 1 of them provisional."),
    ],
)
def test_the_summary_says_how_many_verdicts_are_provisional_where_any_is(
    errors_of_max: tuple[float, ...], tally: str, tmp_path: Path
) -> None:
    errors = {"avg": (3.0, 3.5, 4.0), "max": errors_of_max}
    for squeeze, by_seed in errors.items():
        overrides = ["+ablation=squeeze", f"squeeze={squeeze}"]
        write_runs(
            tmp_path,
            [make_record(overrides, seed=seed, top1=top1) for seed, top1 in enumerate(by_seed)],
        )
    _, html = make_page(tmp_path, "squeeze")
    shown = " ".join(re.sub("<[^>]*>", "", html).split())
    assert f"other data than the paper's: {tally} A verdict" in shown


def test_one_seed_is_called_no_evidence(tmp_path: Path) -> None:
    write_runs(tmp_path, [make_record([], seed=0, top1=3.0)])
    (section,), html = make_page(tmp_path, "squeeze")
    assert "one seed: no evidence" in html
    assert all("one seed is no evidence" in drawing.svg for drawing in section.drawings)


def test_each_number_says_how_to_make_it_again(squeeze: tuple[Path, list[Section], str]) -> None:
    _, _, html = squeeze
    assert "python -m senet_repro -m +ablation=squeeze squeeze=avg seed=0,1,2<" in html
    assert "python -m senet_repro -m +ablation=squeeze squeeze=max seed=0,1<" in html
    for record in squeeze_records():
        assert record.run_key in html
        assert (record.commit or "")[:12] in html
    assert "torch 2" in html


def test_a_record_without_its_command_says_so_and_what_is_known(tmp_path: Path) -> None:
    record = make_record(["+ablation=squeeze"], seed=3, top1=3.0)
    write_runs(tmp_path, [replace(record, overrides=None)])
    _, html = make_page(tmp_path, "squeeze")
    assert "Recorded by a version that did not keep the command" in html
    assert "table squeeze, protocol demo, seed 3." in html


def test_the_page_shows_the_metrics_of_another_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ap = Metric(key="ap", label="AP", unit="", unit_sign="", better="higher", decimals=3)
    fps = Metric(key="fps", label="speed", unit="hz", unit_sign="Hz", better="higher", decimals=0)

    class Detection:
        name = "detection"
        metrics = (ap, fps)

    paper = deepcopy(find_table("squeeze"))
    # Its claims and published figures are of other metrics.
    paper.claims = []
    for row in (*paper.rows.values(), *paper.beside.values()):
        row.figures = {}
    monkeypatch.setattr("senet_repro.report.tables.build.paper_tables", lambda: {"squeeze": paper})
    for module in ("report.tables.build", "report.page.page"):
        monkeypatch.setattr(f"senet_repro.{module}.find_task", lambda _: Detection)
    records = [
        replace(record, metrics={"ap": 0.25 + record.seed / 64, "fps_hz": 30.0})
        for record in squeeze_records()
    ]
    write_runs(tmp_path, records, "ap")
    (section,), html = make_page(tmp_path, paper)
    assert ">AP</th>" in html
    assert ">Δ AP, points</th>" in html
    assert ">speed, Hz</th>" in html
    assert "0.250</td>" in html
    assert "30</td>" in html
    names = ("errors", "differences", "curves", "cost")
    assert [drawing.name for drawing in section.drawings] == [f"squeeze-{name}" for name in names]
    assert "right is better" in section.drawings[1].svg
    assert "top-1" not in "".join(drawing.svg + drawing.caption for drawing in section.drawings)


def test_changes_beside_a_commit_are_said(tmp_path: Path) -> None:
    write_runs(tmp_path, [replace(make_record([], seed=0, top1=3.0), dirty=True)])
    assert "with changes" in make_page(tmp_path, "squeeze")[1]


def test_failed_and_unreadable_runs_are_named(tmp_path: Path) -> None:
    write_runs(
        tmp_path,
        [make_record([], seed=0, top1=3.0), make_record(["model=resnet29"], seed=0, top1=3.0)],
    )
    failed = make_record(["squeeze=max"], seed=1, top1=0.0)
    write_status(
        _folder(tmp_path / "max"),
        run_key=failed.run_key,
        seed=1,
        state="failed",
        reason="loss not finite",
    )
    (RunFolder(_folder(tmp_path / "torn")).record_file).write_text("{")
    _, html = make_page(tmp_path, "squeeze")
    assert "max, seed 1: loss not finite" in html
    assert "torn/seed1/record.json: not a readable record" in html


def test_whatever_is_shown_stays_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paper = deepcopy(find_table("squeeze"))
    paper.title = EVIL
    paper.rows = {
        "avg": paper.rows["avg"],
        EVIL: paper.rows["max"],
        "<b>": Row(axes={"squeeze": "none"}),
    }
    paper.claims = [Claim(section=EVIL, says=EVIL, kind="lower", rows=["avg", EVIL])]
    monkeypatch.setattr("senet_repro.report.tables.build.paper_tables", lambda: {"squeeze": paper})
    write_runs(tmp_path, [replace(record, name=EVIL) for record in squeeze_records()])
    stray = replace(
        make_record(["r=2"], seed=0, top1=9.0), name=EVIL, commit=EVIL, versions={EVIL: EVIL}
    )
    write_record(_folder(tmp_path / "stray"), stray)
    failed = make_record(["squeeze=none"], seed=0, top1=0.0)
    write_status(
        _folder(tmp_path / EVIL[:7]), run_key=failed.run_key, seed=0, state="failed", reason=EVIL
    )
    (section,), html = make_page(tmp_path, paper)
    assert html.count("&lt;script&gt;") > 12
    assert not {"script", "b"} & set(_Elements(html).tags)
    assert all("<script" not in drawing.svg + drawing.inline for drawing in section.drawings)
    assert any("&lt;script&gt;" in drawing.inline for drawing in section.drawings)


def test_the_same_records_make_the_same_bytes(squeeze: tuple[Path, list[Section], str]) -> None:
    folder, first, html = squeeze
    again, same = make_page(folder, "squeeze")
    assert same == html
    drawn = [
        [(drawing.svg, drawing.png) for section in found for drawing in section.drawings]
        for found in (first, again)
    ]
    assert drawn[0] == drawn[1]


def test_the_summary_says_first_what_came_out_and_how_sure_it_is(
    squeeze: tuple[Path, list[Section], str],
) -> None:
    _, (section,), html = squeeze
    lede = "rebuilt from 5 records: 2 settings with 2 to 3 seeds, in <code>runs</code>"
    assert lede in html
    summary = html[html.index('id="summary"') : html.index('<section id="squeeze">')]
    assert "2 of 2 rows run · 2 to 3 seeds" in summary
    for judged in section.judged_claims:
        assert judged.claim.says in summary
        assert describe_outcome(judged) in summary
    assert describe_outcome(section.judged_claims[0]).startswith("Paper -0.29, ours -0.75 ± 3.18 ")
    assert describe_outcome(section.judged_claims[0]).endswith(", 2 seeds.")
    assert f"{len(section.pending_claims)} claim" in summary


def test_a_figure_is_never_larger_than_drawn(squeeze: tuple[Path, list[Section], str]) -> None:
    _, (section,), html = squeeze
    assert "max-width: var(--natural)" in html
    for drawing in section.drawings:
        assert f'style="--natural: {drawing.width_px}px"' in html


def test_only_tables_that_were_trained_have_sections_unless_asked_for(tmp_path: Path) -> None:
    write_runs(tmp_path, squeeze_records())
    tables = build_tables(load_results(tmp_path), find_tables())
    shown, others = split_tables(tables)
    assert [table.paper.name for table in shown] == ["squeeze"]
    assert "reduction_ratio" in {table.paper.name for table in others}
    page = render_page(load_results(tmp_path), build_sections(Results(), shown), "runs", others)
    assert "Table 10 (1 of 6 rows)" in page
    alone = replace(make_record(["r=2"], seed=0, top1=3.0))
    (table,) = build_tables(Results(records=[alone]), find_tables())
    assert split_tables([table]) == ([table], [])


def test_a_run_of_no_table_is_shown_in_one(tmp_path: Path) -> None:
    first_run = make_record(["r=16"], seed=0, top1=3.0)
    write_runs(tmp_path, [first_run])
    shown, others = split_tables(build_tables(load_results(tmp_path), find_tables()))
    assert [table.paper.number for table in shown] == [10]
    assert len(others) == 7
    # Beside a table that has the run, too, it brings up no other.
    write_runs(tmp_path, [make_record(["+ablation=squeeze", "squeeze=max"], seed=0, top1=4.0)])
    shown, _ = split_tables(build_tables(load_results(tmp_path), find_tables()))
    assert [table.paper.number for table in shown] == [11]


def test_two_tables_of_one_name_have_ids_of_their_own(tmp_path: Path) -> None:
    write_runs(
        tmp_path,
        [make_record([], seed=0, top1=3.0), make_record(["recipe.lr=0.5"], seed=0, top1=4.0)],
    )
    found, html = make_page(tmp_path, "squeeze")
    assert [section.id for section in found] == ["squeeze", "squeeze-2"]
    ids = _Elements(html).ids
    assert len(ids) == len(set(ids))


def test_a_page_without_records_says_how_to_make_some(tmp_path: Path) -> None:
    found, html = make_page(tmp_path, "squeeze")
    assert found == []
    assert "python -m senet_repro -m +ablation=reduction_ratio seed=0,1,2" in html


def test_the_verb_writes_the_page_and_its_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results, output = tmp_path / "runs", tmp_path / "out"
    write_runs(results, [make_record(["+experiment=cifar10", "data=digits"], seed=0, top1=3.0)])
    assert call_verb("report", ["--results", str(results), "--output", str(output)]) == 0
    assert capsys.readouterr().out == f"{output}/index.html\n"
    html = (output / "index.html").read_text()
    files = set(re.findall('href="(figures/[^"]+)"', html))
    assert {f"figures/{path.name}" for path in (output / "figures").iterdir()} == files
    assert all(path.read_bytes()[:4] == b"\x89PNG" for path in (output / "figures").glob("*.png"))


def test_no_results_are_a_message_and_leave_nothing_behind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call_verb("report", ["--results", str(tmp_path)]) == 0
    assert "+ablation=reduction_ratio makes them" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_folders_that_are_none_are_refused_with_the_mend(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(ValueError, match="there is no folder"):
        call_verb("report", ["--results", str(file)])
    write_runs(
        tmp_path / "runs", [make_record(["+experiment=cifar10", "data=digits"], seed=0, top1=3.0)]
    )
    with pytest.raises(ValueError, match="give --output DIR"):
        call_verb("report", ["--results", str(tmp_path / "runs"), "--output", str(file)])


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine to look at the page with")
def test_in_a_browser_all_is_there_nothing_errs_and_a_phone_scrolls_only_boxes(
    squeeze: tuple[Path, list[Section], str], tmp_path: Path
) -> None:
    _, (section,), html = squeeze
    (tmp_path / "index.html").write_text(html)
    for width_px in (390, 1200):
        try:
            seen, errors = look_at(tmp_path / "index.html", width_px)
        except subprocess.TimeoutExpired:  # pragma: no cover
            pytest.skip("chromium did not answer")
        assert errors == []
        assert {drawing.name for drawing in section.drawings} | {"squeeze", "runs"} <= set(
            seen["ids"]
        )
        assert seen["scroll_width_px"] == width_px, json.dumps(seen["wide"])
        assert seen["wide"] == []


def _folder(run: Path) -> Path:
    folder = run / "seed1"
    folder.mkdir(parents=True)
    return folder
