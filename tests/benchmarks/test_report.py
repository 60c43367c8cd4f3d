"""A report names the machine, the goal and what was checked, in a terminal's width, Markdown and JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from senet_repro.benchmarks.measurement import Measurement
from senet_repro.benchmarks.report import BenchReport, format_text, write_report

MACHINE: dict[str, Any] = {
    "gpu": None,
    "processor": "A Processor",
    "cores": 2,
    "threads": 1,
    "versions": {"python": "3.11.7", "torch": "2.14.1"},
    "cuda": None,
    "commit": "0123abc",
    "dirty": True,
    "measured_at": "2026-11-27T12:00:00+00:00",
    "load": 0.4,
}


def make_measurement(**changes: Any) -> Measurement:
    values = {
        "what": "training step, SE-ResNet-50, batch 16",
        "yardstick": "timm's | legacy_seresnet50",
        "unit": "ms",
        "ours": 1234.5,
        "theirs": 1300.0,
        "ratio": 0.9496,
        "lowest": 0.9,
        "highest": 1.0,
        "rounds": 5,
        "goal": 0.95,
        "check": "logits within 1e-05 of timm's",
    }
    return Measurement(**{**values, **changes})


def make_report(**changes: Any) -> BenchReport:
    values = {"name": "peers", "machine": MACHINE, "measurements": [make_measurement()]}
    return BenchReport(**{**values, **changes})


def test_a_terminal_shows_figures_in_columns_and_breaks_no_line() -> None:
    slow = make_measurement(what="inference " * 12, ours=0.123, goal=0.9, check="")
    text = format_text(make_report(measurements=[make_measurement(), slow], is_quick=True), 80)
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    figures = [line for line in lines if line.endswith(("met", "missed"))]
    assert [line.split()[:3] for line in figures] == [
        ["1,234", "1,300", "ms"],
        ["0.12", "1,300", "ms"],
    ]
    assert figures[0].endswith("at most 0.95: met")
    assert figures[1].endswith("at most 0.9: missed")
    # The columns of the figures are those of the header.
    assert lines[0].index("ratio") + len("ratio") == figures[0].index("0.950") + len("0.950")
    assert "  checked: logits within 1e-05 of timm's" in lines
    assert "these figures say nothing" in text


@pytest.mark.parametrize(("goal", "told"), [(None, "-"), (1.2, "at least 1.2: missed")])
def test_a_goal_is_told_in_words(goal: float | None, told: str) -> None:
    measured = make_measurement(goal=goal, is_more_better=True)
    text = format_text(make_report(measurements=[measured]), 120)
    assert text.splitlines()[2].endswith(f" {told}")


def test_files_hold_the_machine_and_every_figure(tmp_path: Path) -> None:
    folder = tmp_path / "bench"
    write_report(folder, make_report(overrides=["model=resnet50"]))
    text = (folder / "peers.md").read_text()
    assert "| timm's \\| legacy_seresnet50 | 1,234 |" in text
    for words in ("A Processor", "2 cores", "load 0.4", "torch 2.14.1", "0123abc, with changes"):
        assert words in text
    assert "- with model=resnet50" in text
    found = json.loads((folder / "peers.json").read_text())
    assert found["machine"] == MACHINE
    (measured,) = found["measurements"]
    assert (measured["ratio"], measured["meets_goal"]) == (0.9496, True)
    assert sorted(path.name for path in folder.iterdir()) == ["peers.json", "peers.md"]
