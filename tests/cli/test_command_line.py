"""The flags of a training command: each does what it says, or is refused with a sentence."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from senet_repro.cli.command_line import read_command_line
from senet_repro.cli.options import parse_path
from senet_repro.core.errors import ConfigError
from tests.commands import ONE_EPOCH, InProcess
from tests.folders import finish


@pytest.mark.parametrize(
    ("typed", "flags", "is_sweep"),
    [
        ("a=1 -m b=2", ["--multirun"], True),
        ("--multirun a=1 b=2", ["--multirun"], True),
        ("-r a=1 b=2", [], False),
        ("a=1 --cfg job b=2 --resolve", ["--cfg=job", "--resolve"], False),
        ("a=1 b=2 --info", ["--info=all"], False),
        ("a=1 b=2 --info config", ["--info=config"], False),
        ("a=1 b=2 --hydra-help", ["--hydra-help"], False),
        ("-sc a=1 b=2", ["--shell-completion"], False),
    ],
)
def test_flags_may_stand_anywhere(typed: str, flags: list[str], is_sweep: bool) -> None:
    line = read_command_line(typed.split())
    assert line.words == ["a=1", "b=2"]
    assert (line.flags, line.is_sweep) == (flags, is_sweep)


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("-cd /tmp r=8", "--config-dir/-cd: the grid is made of the files in conf/"),
        ("-cn other", "--config-name/-cn: the grid"),
        ("-cp other", "--config-path/-cp: the grid"),
        ("--experimental-rerun x.pickle", "--experimental-rerun: the grid"),
        ("--verbose", "there is no flag --verbose; did you mean --version?"),
        ("--cfg", "--cfg needs a value"),
        ("--cfg all_of_it", "--cfg=all_of_it: give job, hydra or all"),
        ("--multi-run r=2,4", "there is no flag --multi-run; did you mean --multirun?"),
        ("--epochs 5", "there is no flag --epochs; a setting has no dashes: recipe.epochs=VALUE"),
        (
            "--recipe.lr=0.1",
            "there is no flag --recipe.lr; a setting has no dashes: recipe.lr=VALUE",
        ),
        ("r=2 --results runs", "a setting has no dashes: results_dir=VALUE"),
        ("--results runs tabel", "there is no verb 'tabel'; did you mean table?"),
        ("r=2 5", "'5' is no setting and no verb"),
        ("-sc query=bash", "query=SHELL is what a shell asks: give install=bash"),
        ("--resolve", "--resolve goes with --cfg job"),
        ("-m --cfg job", "-m and --cfg=job: give one of them"),
        ("--cfg job --info", "--cfg=job --info=all: give one of them"),
    ],
)
def test_flags_that_cannot_be_are_refused(typed: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        read_command_line(typed.split())
    assert message in str(error.value)


def test_paths_of_verbs_may_begin_in_the_home_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: InProcess
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    done = answer("table", "--results", "~/runs", "--output", "~/tables")
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["runs", "tables"]
    with pytest.raises(argparse.ArgumentTypeError, match="there is no such home"):
        parse_path("~nobody9/runs")


def test_a_folder_is_the_one_that_was_typed_and_a_dry_command_makes_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: InProcess
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    finish(tmp_path / "1e3", *ONE_EPOCH)
    for name in ("~/données (1)", "1e3"):
        done = answer(f"results_dir={name}", *ONE_EPOCH, "dry=true")
        assert done.returncode == 0, done.stderr
    # The second found the record there.
    assert "done |" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["1e3"]


def test_points_that_cannot_be_are_named_before_the_others_are_trained(
    tmp_path: Path, answer: InProcess
) -> None:
    finish(tmp_path, "r=16", *ONE_EPOCH)
    done = answer("-m", "r=16,abc,8", *ONE_EPOCH, f"results_dir={tmp_path}", "dry=true")
    assert done.returncode == 2
    assert done.stderr.startswith("point 2 of the sweep is left out: r=abc: give a whole number")
    assert "1 of 2 runs to train" in done.stdout


def test_two_tables_are_swept_by_one_command(tmp_path: Path, answer: InProcess) -> None:
    done = answer("-m", "+ablation=squeeze,se_3x3", "dry=true", f"results_dir={tmp_path}")
    assert done.returncode == 0, done.stderr
    assert "3 of 3 runs to train" in done.stdout
    too_many = answer("-m", "seed=range(0,1000000)")
    assert too_many.returncode == 2
    assert "hydra.sweeper.most_points=1000000" in too_many.stderr
