"""`prune` removes what failed and what nobody would go on with, and only after a yes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from senet_repro.config.composition import compose
from senet_repro.config.identity import run_dir
from senet_repro.config.schema import Run
from senet_repro.results.plan import read_plans, write_plan
from senet_repro.results.run_folder import RunFolder
from tests.commands import InProcess, Terminal
from tests.folders import begin, finish, planned, trained_elsewhere


def of_another_version(results_dir: Path) -> Run:
    run = begin(results_dir, "r=2", state="stopped")
    config = RunFolder.of(run).settings_file
    config.write_text(config.read_text().replace("lr: 0.2", "lr: 0.3"))
    return run


def unreadable(results_dir: Path) -> Run:
    run = begin(results_dir, "r=2", state="stopped")
    RunFolder.of(run).settings_file.write_text("unknown_key: 1")
    return run


def damaged(results_dir: Path) -> Run:
    run = begin(results_dir, "r=2", state="stopped")
    RunFolder.of(run).settings_file.write_bytes(b"\xff\x00: [")
    return run


def failed_early(results_dir: Path) -> Run:
    run = begin(results_dir, "r=2", state="failed", checkpoint=False, reason="no space")
    RunFolder.of(run).settings_file.unlink()
    return run


def begun_with_weights(results_dir: Path) -> Run:
    file = results_dir / "w.pth"
    file.write_bytes(b"weights")
    run = begin(results_dir, f"init.weights={file}", "init.source=timm", state="stopped")
    file.unlink()
    return run


MADE: dict[str, tuple[Callable[[Path], Run], str | None]] = {
    "done": (lambda folder: finish(folder, "r=2"), None),
    "stopped with a checkpoint": (lambda folder: begin(folder, "r=2", state="stopped"), None),
    "killed with a checkpoint": (lambda folder: begin(folder, "r=2", state="running"), None),
    "failed": (
        lambda folder: begin(folder, "r=2", state="failed", reason="it broke"),
        "failed: it broke",
    ),
    "failed before its settings were written": (failed_early, "failed: no space"),
    "killed before a checkpoint": (
        lambda folder: begin(folder, "r=2", checkpoint=False),
        "orphaned: no checkpoint to go on from",
    ),
    "of another version": (
        of_another_version,
        "orphaned: its settings give another run in this version",
    ),
    "begun with weights that are out of sight": (begun_with_weights, None),
    "of damaged settings": (damaged, "orphaned: its settings give another run in this version"),
    "of unknown settings": (unreadable, "orphaned: its settings give another run in this version"),
}


@pytest.mark.parametrize("kind", MADE)
def test_what_is_removed_and_why(kind: str, tmp_path: Path, answer: InProcess) -> None:
    make, reason = MADE[kind]
    run = make(tmp_path)
    done = answer("prune", "--yes", "--results", str(tmp_path))
    assert done.returncode == 0, done.stderr
    if reason is None:
        assert done.stdout == f"nothing to remove in {tmp_path}\n"
        assert run_dir(run).is_dir()
    else:
        assert f"{run_dir(run)}  0.0 MB  {reason}" in done.stdout
        assert "removed 1 of 1" in done.stdout
        assert not run_dir(run).parent.exists()


def test_planned_runs_that_no_command_gives_any_more_go_and_those_that_wait_stay(
    tmp_path: Path, answer: InProcess
) -> None:
    waiting, begun = (planned(compose([r, f"results_dir={tmp_path}"])) for r in ("r=2", "r=4"))
    moved = replace(waiting, folder="digits-resnet11-r2-00000000/seed0")
    unknown = replace(
        waiting, folder="digits-resnet11-r3-00000000/seed0", overrides=["no_such_key=1"]
    )
    unseen = replace(
        waiting, folder="digits-resnet11-r5-00000000/seed0", overrides=["init.weights=gone.pth"]
    )
    begin(tmp_path, "r=4")
    write_plan(tmp_path, [waiting, begun, moved, unknown, unseen])
    done = answer("prune", "--yes", "--results", str(tmp_path))
    assert done.stdout.splitlines() == [
        f"{tmp_path / run.folder}  planned  orphaned: its settings give another run in this version"
        for run in (moved, unknown)
    ] + ["removed 2 of 2"]
    assert read_plans(tmp_path)[0] == [waiting, begun, unseen]


def test_what_somebody_trains_stays_and_so_does_what_is_no_run(
    tmp_path: Path, answer: InProcess
) -> None:
    run = begin(tmp_path, "r=2", state="failed", reason="an earlier attempt")
    mine = tmp_path / "notes-12345678" / "seed0"
    mine.mkdir(parents=True)
    (mine / "thoughts.txt").write_text("")
    target = tmp_path / "elsewhere"
    target.mkdir()
    (tmp_path / "link-12345678").symlink_to(target)
    with trained_elsewhere(run):
        assert "nothing to remove" in answer("prune", "--yes", "--results", str(tmp_path)).stdout
    assert run_dir(run).is_dir()
    assert mine.is_dir()


@pytest.mark.parametrize("words", [("prune", "--yes"), ("status",), ("table",)])
def test_a_cache_beside_the_runs_is_no_run(
    words: tuple[str, ...], tmp_path: Path, answer: InProcess
) -> None:
    said = answer(*words, "--results", str(tmp_path))
    # Whatever lies there, also what looks like a run that failed.
    begin(tmp_path / ".cache" / "sets", "r=2", state="failed", reason="it broke")
    begin(tmp_path / ".cache", "r=2", state="failed", reason="it broke")
    (tmp_path / ".cache" / "seed0").mkdir()
    (tmp_path / ".cache" / "seed0" / "record.json").write_text("{}")
    assert answer(*words, "--results", str(tmp_path)) == said


def test_without_a_terminal_somebody_must_have_said_yes(tmp_path: Path, answer: InProcess) -> None:
    run = begin(tmp_path, "r=2", state="failed", reason="it broke")
    done = answer("prune", "--results", str(tmp_path))
    assert done.returncode == 2
    assert "give --yes" in done.stderr
    assert run_dir(run).is_dir()


@pytest.mark.parametrize(("reply", "stays"), [("n", True), ("y", False)])
def test_the_person_at_the_terminal_decides(reply: str, stays: bool, tmp_path: Path) -> None:
    run = begin(tmp_path, "r=2", state="failed", reason="it broke")
    terminal = Terminal("prune", "--results", str(tmp_path))
    terminal.read_until(lambda seen: b"remove 1 run (0.0 MB)? [y/N] " in seen)
    terminal.type_text(f"{reply}\n")
    assert terminal.exit_code() == 0
    assert run_dir(run).is_dir() == stays


@pytest.mark.parametrize(("reply", "stays"), [("", True), ("no", True), ("yes", False)])
def test_only_a_yes_removes(
    reply: str,
    stays: bool,
    tmp_path: Path,
    answer: InProcess,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = begin(tmp_path, "r=2", state="failed", reason="it broke")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda _: reply)
    assert answer("prune", "--results", str(tmp_path)).returncode == 0
    assert run_dir(run).is_dir() == stays
