"""The documents keep their word: commands parse, paths exist, committed tables come from committed records."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from senet_repro.cli.account_text import format_account
from senet_repro.cli.verbs import list_verbs
from senet_repro.config.composition import compose
from senet_repro.core.checkout import CODE
from senet_repro.core.errors import DataError
from senet_repro.results.account import read_account
from senet_repro.results.campaign import read_campaign
from senet_repro.results.campaign_claims import check_claims
from senet_repro.results.campaign_file import read_campaign_file
from tests.commands import InProcess, run_command
from tests.conftest import ROOT

DOCUMENTS = ("README.md", "CONTRIBUTING.md")
TARGETS = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))


def _commands() -> list[str]:
    found = []
    for document in DOCUMENTS:
        for block in re.findall(
            r"```(?:bash|sh)\n(.*?)```", (ROOT / document).read_text(), re.DOTALL
        ):
            found += [
                line.partition("  #")[0].strip()
                for line in block.splitlines()
                if line and line[0] != "#"
            ]
    return found


def test_the_documents_hold_commands() -> None:
    assert "make demo" in _commands()
    assert "make test" in _commands()
    assert any(command.startswith("python -m senet_repro -m +ablation=") for command in _commands())


@pytest.mark.parametrize("command", sorted(set(_commands())))
def test_every_command_of_the_documents_parses(command: str, answer: InProcess) -> None:
    words = shlex.split(command)
    while "=" in words[0]:
        words = words[1:]
    if words[0] == "make":
        assert all(word in TARGETS for word in words[1:] if "=" not in word)
    elif words[:3] == ["python", "-m", "senet_repro"]:
        _parse(words[3:], answer)
    else:
        assert words[0] in ("git", "cd", "source", "wandb")


def _parse(arguments: list[str], answer: InProcess) -> None:
    if arguments[0] in list_verbs():
        assert answer(*arguments, "--help").returncode == 0
        return
    if "--help" in arguments:
        assert answer(*arguments).returncode == 0
        return
    overrides = [word for word in arguments if word not in ("-m", "--cfg", "job")]
    # Of a sweep, its first point; in place of a file of weights, any file.
    points = [re.sub(r"=([^\[,']+),.*", r"=\1", word) for word in overrides]
    # A reader's own pictures are not here.
    with suppress(DataError):
        compose(
            [re.sub(r"^init\.weights=.*", f"init.weights={__file__}", point) for point in points]
        )


@pytest.mark.parametrize("document", DOCUMENTS)
def test_paths_named_in_the_documents_exist(document: str) -> None:
    text = (ROOT / document).read_text()
    named = re.findall(r"`((?:conf|senet_repro|experiments|tests|\.ci)/[\w./-]*)`", text)
    assert named
    assert all((ROOT / path).exists() for path in named), [
        path for path in named if not (ROOT / path).exists()
    ]


def test_the_help_of_make_lists_every_target() -> None:
    text = subprocess.run(
        ["make", "help"], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout
    assert all(f"make {target} " in text for target in TARGETS)


def test_the_readme_shows_the_demo_table_as_it_was_made() -> None:
    shown = re.search(
        r"<!-- (experiments/\S+) -->\n(.*?)<!-- end -->",
        (ROOT / "README.md").read_text(),
        re.DOTALL,
    )
    assert shown is not None
    assert shown[2] == (ROOT / shown[1]).read_text()


@pytest.mark.parametrize(
    "table", sorted((ROOT / "experiments").glob("*/table_*.md")), ids=lambda path: path.parent.name
)
def test_committed_tables_equal_those_made_from_the_committed_records(table: Path) -> None:
    number = table.stem.partition("_")[2]
    done = run_command("table", "--table", number, "--results", str(table.parent))
    assert (done.returncode, done.stdout) == (0, table.read_text())


@pytest.mark.parametrize(
    "folder",
    sorted(path.parent for path in (ROOT / "experiments").glob("*/account.md")),
    ids=lambda path: path.name,
)
def test_a_committed_collection_equals_what_is_made_from_its_records(
    folder: Path, tmp_path: Path
) -> None:
    campaign = read_campaign(folder)
    assert campaign is not None
    names = ",".join(campaign.tables)
    done = run_command(
        "table", "--results", str(folder), "--table", names, "--output", str(tmp_path)
    )
    assert done.returncode == 0, done.stderr
    made, committed = (
        {path.name: path.read_text() for path in parent.glob("*.md")}
        for parent in (tmp_path, folder / "tables")
    )
    assert made == committed
    account = read_account(folder, campaign)
    check_claims(folder, campaign)
    source = read_campaign_file(folder)
    assert format_account(account, campaign, source) == (folder / "account.md").read_text()


def test_the_python_of_the_readme_runs() -> None:
    (block,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    subprocess.run([sys.executable, "-W", "error", "-c", block], check=True, cwd=ROOT)


def _links() -> list[tuple[Path, str]]:
    documents = [*ROOT.glob("*.md"), *(ROOT / "experiments").rglob("*.md")]
    return [
        (document, link)
        for document in documents
        for link in re.findall(r"\]\(([^)#]+)\)", document.read_text())
        if not link.startswith("http")
    ]


@pytest.mark.parametrize("document", ["README.md", "experiments/gpu/prepare.sh"])
def test_what_is_code_is_said_alike_wherever_a_commit_is_stated(document: str) -> None:
    assert " ".join(CODE) in (ROOT / document).read_text()


def test_links_lead_somewhere() -> None:
    links = _links()
    assert links
    broken = [
        f"{document}: {link}" for document, link in links if not (document.parent / link).exists()
    ]
    assert broken == []
