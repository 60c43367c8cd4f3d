"""Tables of costs: every format, what they were measured in, and where they are printed."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from senet_repro.report.page.page import render_page
from senet_repro.report.tables.costs import build_cost_tables
from senet_repro.report.tables.studies import Studies
from senet_repro.report.text.costs import list_cost_notes
from senet_repro.report.text.formats import FORMATS, write_tables
from senet_repro.results.costs import write_cost
from senet_repro.results.store import Results
from tests.commands import InProcess
from tests.costs import GPU, SETTING, make_cost


def test_a_row_holds_sizes_times_ratios_and_memory_beside_what_is_published() -> None:
    (table,) = build_cost_tables([make_cost()])
    markdown = FORMATS["markdown"].text([], [], [table])
    head, _, line = markdown.split("\n\n")[1].splitlines()
    assert [cell.strip() for cell in line.strip("|").split("|")] == [
        "ResNet-50",
        "25.56 / 28.09",
        "3.858 / 3.866",
        "3.86 / 3.87",
        *["202 (200 to 204)", "222 (218 to 226)", "1.100 ± 0.025"] * 3,
        "900 / 1,080",
        "1.200",
    ]
    # The paper prints parameters of Table 3 alone, and nothing told joules.
    assert "paper params" not in head
    assert "joules" not in head
    mobile = make_cost(network="mobilenet", macs=[568_000_000, 572_000_000])
    (table,) = build_cost_tables([replace(mobile, energy_j=[[10.0, 12.0], [11.0, 13.2]])])
    markdown = FORMATS["markdown"].text([], [], [table])
    for cell in ("4.2 / 4.7", "0.5680 / 0.5720", "11.0 / 12.1", "1.100 ±"):
        assert cell in markdown


def test_device_threads_precision_format_compiling_and_commit_are_named() -> None:
    (table,) = build_cost_tables([make_cost()])
    text = " ".join(list_cost_notes(table))
    for words in (
        "a CPU, one thread, 32-true, not compiled, channels_last, batches of 8",
        "torch 2.14.1",
        "Memory is what it is.",
        "Joules are not told.",
        "commit abababababab",
        "load 0.5",
        "gradients within 1e-06",
    ):
        assert words in text
    compiled = replace(GPU, is_compiled=True, precision="bf16-mixed")
    (table,) = build_cost_tables([make_cost(setting=compiled)])
    assert "a GPU, bf16-mixed, compiled, channels_last" in " ".join(list_cost_notes(table))


def test_each_setting_has_a_table_in_the_papers_order_and_the_later_measurement_counts() -> None:
    later = {**make_cost().machine, "measured_at": "2026-11-28T00:00:00+00:00"}
    costs = [
        make_cost(network="mobilenet"),
        make_cost(ratios=(1.2, 1.2), machine=later),
        make_cost(),
        make_cost(setting=GPU),
    ]
    on_cpu, on_gpu = build_cost_tables(costs)
    assert [row.cost.network for row in on_cpu.rows] == ["resnet50", "mobilenet"]
    assert on_cpu.rows[0].cost is costs[1]
    assert on_gpu.setting == GPU


def test_data_formats_hold_the_figures_with_units() -> None:
    tables = build_cost_tables([make_cost(), make_cost(setting=GPU, energy_j=[[1.0], [1.5]])])
    rows = list(csv.DictReader(io.StringIO(FORMATS["csv"].text([], [], tables))))
    assert [row["batch"] for row in rows] == ["8", "256"]
    assert float(rows[0]["training_step_ratio"]) == pytest.approx(1.1)
    assert rows[0]["se_inference_highest_ms"] > rows[0]["inference_lowest_ms"]
    assert (rows[0]["joules"], rows[1]["se_joules"]) == ("", "1.5")
    listed, _ = json.loads(FORMATS["json"].text([], [], tables))
    assert (listed["table"], listed["kind"]) == ("cost", "measured")
    assert listed["rows"][0]["memory_ratio"] == 1.2
    assert FORMATS["latex"].text([], [], tables).count(r"\begin{table}") == 2


def test_a_file_for_each_setting_is_listed_in_the_index(tmp_path: Path) -> None:
    tables = build_cost_tables([make_cost(), make_cost(setting=GPU)])
    index = write_tables(tmp_path, [], FORMATS["markdown"], [], [], tables).read_text()
    assert "[costs_1.md](costs_1.md)" in index
    assert "a GPU" in (tmp_path / "costs_2.md").read_text()


def test_costs_are_printed_and_judged_wherever_no_table_is_asked_for(
    tmp_path: Path, answer: InProcess
) -> None:
    write_cost(tmp_path, make_cost(ratios=(1.099, 1.1, 1.101)))
    write_cost(tmp_path, make_cost(network="vgg16", is_quick=True))
    where = ("--results", str(tmp_path))
    table = answer("table", *where)
    assert "### Section 4: what SE costs (a CPU, 32-true, batch 8)" in table.stdout
    assert "VGG-16" not in table.stdout
    assert "no records" not in table.stdout
    assert "what SE costs" not in answer("table", *where, "--table", "10").stdout
    verdict = answer("verdict", *where).stdout
    _, _, section = verdict.partition("## Section 4: what SE costs")
    assert "reproduced" in section
    assert "A proxy: the paper's training step is of eight GPUs" in section
    (found,) = json.loads(answer("verdict", *where, "--format", "json").stdout)["costs"]
    assert [one["verdict"] for one in found["claims"]] == ["reproduced", "contradicted"]
    assert answer("report", *where).returncode == 0
    assert 'id="costs"' in (tmp_path / "report" / "index.html").read_text()


def test_the_page_shows_the_table_and_each_verdict_with_its_border() -> None:
    tables = build_cost_tables([make_cost(ratios=(1.099, 1.1, 1.101))])
    page = render_page(Results([]), [], "runs", studies=Studies(costs=tables))
    for words in ('href="#costs"', "3.858 / 3.866", "Paper 1.1, ours 1.100", "1.05 to 1.15"):
        assert words in page
    assert 'id="costs"' not in render_page(Results([]), [], "runs")


def test_a_rehearsal_says_so_above_all_else() -> None:
    (table,) = build_cost_tables([make_cost(is_quick=True, setting=SETTING)])
    assert list_cost_notes(table)[0].startswith("A rehearsal on tiny inputs")
