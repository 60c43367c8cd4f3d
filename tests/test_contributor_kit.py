"""What a contributor's tools read: each file names only what there is."""

from __future__ import annotations

import re
import tomllib
from importlib import import_module

import yaml
from hydra.plugins.sweeper import Sweeper

from senet_repro import __version__
from tests.conftest import ROOT

TARGETS = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_hydra_finds_the_sweeper_by_its_entry_point() -> None:
    (entry,) = PROJECT["entry-points"]["hydra.plugins"].values()
    module, _, name = entry.partition(":")
    assert issubclass(getattr(import_module(module), name), Sweeper)


def test_the_package_says_that_it_is_typed() -> None:
    assert (ROOT / "senet_repro" / "py.typed").is_file()
    assert "Typing :: Typed" in PROJECT["classifiers"]


def test_the_citation_names_this_version_and_prefers_the_paper() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["cff-version"] == "1.2.0"
    assert (citation["version"], citation["license"]) == (PROJECT["version"], PROJECT["license"])
    assert __version__ == PROJECT["version"]
    paper = citation["preferred-citation"]
    assert (paper["title"], paper["year"]) == ("Squeeze-and-Excitation Networks", 2020)
    assert paper["doi"] == "10.1109/TPAMI.2019.2913372"
    names = [author["family-names"] for author in paper["authors"]]
    assert names == ["Hu", "Shen", "Albanie", "Sun", "Wu"]


def test_hooks_are_the_projects_own_tools() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    (repository,) = hooks["repos"]
    assert repository["repo"] == "local"
    tools = {hook["entry"].split()[0] for hook in repository["hooks"]}
    assert tools == {".venv/bin/ruff", ".venv/bin/mypy"}


def test_the_workflow_calls_targets_of_the_makefile_on_every_python() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "test.yml").read_text())
    commands = [
        step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step
    ]
    called = {command.split()[1] for command in commands}
    assert all(command.startswith("make ") for command in commands)
    assert called <= TARGETS
    assert {"lint", "test-fast", "wheel"} <= called
    pythons = workflow["jobs"]["tests"]["strategy"]["matrix"]["python-version"]
    assert pythons == ["3.11", "3.12", "3.13", "3.14"]
