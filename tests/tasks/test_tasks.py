"""A task is a folder: found by its name, refused by name, and in a run's key only if it is not the first."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from senet_repro.config.composition import compose
from senet_repro.config.identity import build_identity, run_key, split_identity
from senet_repro.core.errors import ConfigError
from senet_repro.tasks import find_task, list_tasks


def test_each_folder_is_a_task_of_its_name() -> None:
    assert "classification" in list_tasks()
    for name in list_tasks():
        task = find_task(name)
        assert task.name == name
        assert len({metric.name for metric in task.metrics}) == len(task.metrics)


def test_the_headline_is_printed() -> None:
    for name in list_tasks():
        assert find_task(name).metrics[0].is_printed


def test_an_unknown_task_is_refused_as_the_run_is_composed() -> None:
    with pytest.raises(ConfigError, match="task=telepathy: give classification"):
        compose(["task=telepathy"])
    with pytest.raises(ConfigError, match="task=telepathy: give classification"):
        find_task("telepathy")


def test_the_first_task_is_in_no_key_and_another_in_its_own() -> None:
    run = compose([])
    other = replace(run, task="detection")
    assert "task" not in build_identity(run)
    assert split_identity(build_identity(other))[1]["task"] == "detection"
    assert run_key(other) != run_key(run)


def test_a_face_imports_no_torch() -> None:
    code = (
        "import sys\nfrom senet_repro.tasks import find_task, list_tasks\n"
        "for name in list_tasks(): find_task(name).metrics\nassert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
