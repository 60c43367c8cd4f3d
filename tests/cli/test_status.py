"""`status`: what a person and a script see of a sweep, from files alone."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from senet_repro.config.identity import run_dir
from senet_repro.results.plan import write_plan
from senet_repro.results.record import write_record
from tests.commands import InProcess, Terminal, start, wait_for_end
from tests.counted_calls import count_calls
from tests.folders import begin, finish, planned, trained_elsewhere
from tests.records import record_of
from tests.results.test_plan import point


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    """Four planned runs: done, failed, and two that wait; and one of another command, stopped."""
    failed = begin(tmp_path, "r=4", state="failed", reason="out of memory\nwith more", epoch=2)
    write_plan(
        tmp_path,
        [
            planned(finish(tmp_path, "r=2")),
            planned(failed),
            point(tmp_path, "r=8"),
            point(tmp_path, "r=16"),
        ],
    )
    begin(tmp_path, "r=32", epoch=5, epochs=10)
    return tmp_path


def test_every_state_has_its_line(sweep: Path, answer: InProcess) -> None:
    running = begin(
        sweep, "r=8", epoch=3, epochs=10, epoch_share=0.4, images_per_s=1234.5, left_s=30.0
    )
    with trained_elsewhere(running):
        done = answer("status", "--results", str(sweep))
    assert done.returncode == 1  # one failed
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert "-- reduction_ratio" in lines
    for line in (
        "digits-resnet11-r2 0 done 10/10 1,000",
        "digits-resnet11-r4 0 failed 2/10",
        "digits-resnet11-r8 0 running 3/10 +40% 1,234 30 s",
        "digits-resnet11-r16 0 waiting 0/10",
        "digits-resnet11-r32 0 stopped 5/10",
    ):
        assert line in lines
    assert lines[-1] == "1 of 5 done, 1 running, 1 failed, 1 stopped, 1 waiting; about 32 s left"
    assert any("/seed0: out of memory" in line for line in lines)
    assert "again: python -m senet_repro r=4 seed=0" in lines


def test_scripts_get_json(sweep: Path, answer: InProcess) -> None:
    found = json.loads(answer("status", "--format", "json", "--results", str(sweep)).stdout)
    assert [run["state"] for run in found] == ["done", "failed", "waiting", "waiting", "stopped"]
    assert found[1]["reason"].startswith("out of memory")
    assert found[0]["folder"].startswith(str(sweep))


def test_a_folder_without_runs_is_no_failure(tmp_path: Path, answer: InProcess) -> None:
    done = answer("status", "--results", str(tmp_path))
    assert (done.returncode, done.stdout) == (0, f"no runs in {tmp_path}\n")


def test_markdown_is_a_table_with_the_failures_below(sweep: Path, answer: InProcess) -> None:
    done = answer("status", "--format", "markdown", "--results", str(sweep))
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert lines[0] == "| run | seed | state | epoch | images/s | left | table |"
    assert "| digits-resnet11-r2 | 0 | done | 10/10 | 1,000 | | reduction_ratio |" in lines
    assert any(line.startswith("- failed: ") for line in lines)
    assert lines[-1].startswith("1 of 5 done")


def test_a_hundred_runs_take_few_calls_of_functions_and_no_torch(tmp_path: Path) -> None:
    first = finish(tmp_path, "r=2")
    runs = [replace(first, seed=seed) for seed in range(100)]
    for run in runs[1:]:
        run_dir(run).mkdir(parents=True)
        write_record(run_dir(run), record_of(run, seed=run.seed, top1=1.0))
    write_plan(tmp_path, [planned(run) for run in runs])
    code = "import sys\nfrom senet_repro.cli.main import main\ntry: main()\nfinally: assert 'torch' not in sys.modules"
    calls, status = count_calls(tmp_path, code, "status", "--results", str(tmp_path))
    assert "100 of 100 done" in status
    assert calls < 1_000_000


def test_watching_without_a_terminal_says_what_changed_until_all_has_ended(tmp_path: Path) -> None:
    runs = [begin(tmp_path, "r=2"), begin(tmp_path, "r=4")]
    write_plan(tmp_path, [planned(run) for run in runs])
    watch = start("status", "--watch", "--results", str(tmp_path))
    assert watch.stdout is not None
    assert watch.stdout.readline() == "0 of 2 done, 2 stopped\n"
    for run in runs:
        write_record(run_dir(run), record_of(run, seed=0, top1=1.0))
    out, _ = wait_for_end(watch)
    assert out.splitlines()[-1] == "2 of 2 done"
    assert watch.returncode == 0


def test_watching_in_a_terminal_redraws_within_its_size_and_ends_on_ctrl_c(sweep: Path) -> None:
    terminal = Terminal("status", "--watch", "--results", str(sweep), COLUMNS="40", LINES="6")
    terminal.read_until(lambda seen: seen.count(b"\x1b[H") >= 2)
    terminal.type_text("\x03")
    assert terminal.exit_code() == 130
    frame = terminal.seen.decode().split("\x1b[H\x1b[J")[1].splitlines()
    assert len(frame) <= 6
    assert all(len(line) < 40 for line in frame)
    assert frame[-1].startswith("1 of 5 done, 1 failed")
    assert b"Traceback" not in terminal.seen
