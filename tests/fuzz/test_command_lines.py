"""Whatever is typed: a command does all that it was asked for, or says in a sentence why it cannot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.fuzz.answers import MOST_CPU_S, answer_commands, find_foreign_words
from tests.fuzz.command_lines import Line, generate_lines


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seed", "count"), [(1, 76), pytest.param(2, 228, marks=pytest.mark.faults)]
)
def test_a_command_does_what_it_is_asked_or_says_why_not(
    seed: int, count: int, tmp_path: Path
) -> None:
    lines = generate_lines(seed, count)
    answers = answer_commands([line.words for line in lines], tmp_path)
    faults = []
    for line, answer in zip(lines, answers, strict=True):
        faults += [f"{line.words}: {fault}" for fault in find_faults(line, answer)]
    assert not faults, "\n".join(faults)


def find_faults(line: Line, answer: dict[str, Any]) -> list[str]:
    """Return what is wrong with the answer to a line."""
    faults = find_foreign_words(answer)
    if answer["exit_code"] != line.exit_code:
        faults.append(f"exit {answer['exit_code']}, not {line.exit_code}: {answer['err']}")
    if answer["cpu_s"] > MOST_CPU_S * max(1, len(line.runs)):
        faults.append(f"{answer['cpu_s']:.1f} s")
    if answer["has_torch"]:
        faults.append("imports torch")
    if line.exit_code == 2 and "senet_repro: " not in answer["err"]:
        faults.append(f"gives no reason of ours: {answer['err']!r}")
    if not line.runs and answer["left"]:
        faults.append(f"trains nothing, but leaves {answer['left']}")
    return faults + _find_faults_of_training(line, answer)


def _find_faults_of_training(line: Line, answer: dict[str, Any]) -> list[str]:
    """Return the runs that were asked for and not trained, and those that were trained and not asked for."""
    trained = answer["trained"]
    faults = [f"not trained: {run}" for run in line.runs if not _find_run(run, trained)]
    if len(trained) != len(line.runs):
        faults.append(f"{len(trained)} runs trained, not {len(line.runs)}")
    return faults


def _find_run(settings: dict[str, Any], trained: list[dict[str, Any]]) -> bool:
    return any(
        all(_value_of(run, key) == value for key, value in settings.items()) for run in trained
    )


def _value_of(run: dict[str, Any], key: str) -> Any:
    value: Any = run
    for name in key.split("."):
        value = value[name]
    return value
