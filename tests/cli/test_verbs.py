"""Verbs: what their files hold is all that the command line and its help know of them."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import import_module

import pytest

from senet_repro.cli.verbs import call_verb, describe_verbs, list_verbs
from senet_repro.cli.verbs.table import FORMAT_NAMES
from senet_repro.report.text.formats import FORMATS
from tests.conftest import ROOT


def test_every_file_of_the_folder_is_a_verb() -> None:
    files = {path.stem for path in (ROOT / "senet_repro" / "cli" / "verbs").glob("*.py")}
    words = {name.replace("_", "-") for name in files - {"__init__"}}
    assert set(list_verbs()) == words
    assert {"table", "status", "prune", "sizes"} <= set(list_verbs())


@pytest.mark.parametrize("name", list_verbs())
def test_a_verbs_own_help_and_the_help_of_all_agree(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit) as ended:
        call_verb(name, ["--help"])
    assert ended.value.code == 0
    usage, *rest = capsys.readouterr().out.splitlines()
    arguments = usage.partition("[-h] ")[2].split()
    assert " ".join(arguments) in " ".join(describe_verbs().split())
    module = name.replace("-", "_")
    description = import_module(f"senet_repro.cli.verbs.{module}").DESCRIPTION
    assert description.split()[:3] == rest[1].split()[:3]


def test_the_help_offers_no_format_that_a_verb_refuses() -> None:
    assert "status [--results DIR] [--format {text,markdown,json} | --watch]" in describe_verbs()
    assert tuple(FORMATS) == FORMAT_NAMES


def test_every_verb_with_formats_has_markdown_and_json() -> None:
    offered = re.findall(r"--format \{([a-z,]+)\}", describe_verbs())
    assert len(offered) == 5
    assert all({"markdown", "json"} <= set(formats.split(",")) for formats in offered)


@pytest.mark.parametrize("name", ["compare", "power", "publish", "report", "table", "verdict"])
def test_a_verb_that_may_take_seconds_can_say_what_it_does(name: str) -> None:
    assert import_module(f"senet_repro.cli.verbs.{name}").DOING


def test_describing_every_verb_imports_neither_torch_nor_numpy_nor_the_report() -> None:
    code = (
        "import sys\nfrom senet_repro.cli.verbs import describe_verbs\ndescribe_verbs()\n"
        "late = {'torch', 'numpy', 'matplotlib', 'wandb', 'senet_repro.report'}\n"
        "assert not late & set(sys.modules), late & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
