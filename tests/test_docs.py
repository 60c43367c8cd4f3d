"""The documents keep their word: commands parse, paths exist, committed tables come from committed records."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import textwrap
from collections.abc import Iterable
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
from tests.recipes import test_recipes

PAGES = sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))
DOCUMENTS = ("README.md", "CONTRIBUTING.md", *PAGES)
MOST_README_LINES = 150
TARGETS = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))


def _read_blocks(document: str, language: str) -> list[str]:
    """Return what stands between the fences of a language, those of lists without their indentation."""
    fenced = rf"^( *)```(?:{language})\n(.*?)^ *```$"
    found = re.findall(fenced, (ROOT / document).read_text(), re.DOTALL | re.MULTILINE)
    return [textwrap.dedent(block) for _, block in found]


def _commands(documents: Iterable[str] = DOCUMENTS) -> list[str]:
    found = []
    for document in documents:
        for block in _read_blocks(document, "bash|sh"):
            found += [
                line.partition("  #")[0].strip()
                for line in block.splitlines()
                if line and line[0] != "#"
            ]
    return found


def test_the_readme_is_short_and_begins_with_two_commands() -> None:
    lines = (ROOT / "README.md").read_text().splitlines()
    assert len(lines) <= MOST_README_LINES
    first, second = _commands(["README.md"])[:2]
    assert first == "make demo"
    assert "-m senet_repro -m +ablation=" in second


def test_each_page_is_in_the_index() -> None:
    named = re.findall(r"\]\(([^)#]+\.md)", (ROOT / "docs" / "README.md").read_text())
    assert {f"docs/{name}" for name in named} >= set(PAGES) - {"docs/README.md"}


def test_the_documents_hold_commands() -> None:
    assert "make demo" in _commands()
    assert "make test" in _commands(["README.md"])
    assert any(command.startswith("python -m senet_repro -m +ablation=") for command in _commands())


@pytest.mark.parametrize("command", sorted(set(_commands())))
def test_every_command_of_the_documents_parses(command: str, answer: InProcess) -> None:
    words = shlex.split(command)
    while "=" in words[0]:
        words = words[1:]
    if words[0] == "make":
        assert all(word in TARGETS for word in words[1:] if "=" not in word)
    elif words[0].endswith("python") and words[1:3] == ["-m", "senet_repro"]:
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
    named = re.findall(r"`((?:conf|senet_repro|experiments|tests|docs|\.ci)/[\w./-]*)`", text)
    assert named or document in PAGES
    assert all((ROOT / path).exists() for path in named), [
        path for path in named if not (ROOT / path).exists()
    ]


def test_the_help_of_make_lists_every_target() -> None:
    text = subprocess.run(
        ["make", "help"], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout
    assert all(f"make {target} " in text for target in TARGETS)


def test_the_documents_show_the_demo_table_as_it_was_made() -> None:
    shown = [
        block
        for document in DOCUMENTS
        for block in re.findall(
            r"<!-- (experiments/\S+) -->\n(.*?)<!-- end -->",
            (ROOT / document).read_text(),
            re.DOTALL,
        )
    ]
    assert [path for path, _ in shown] == ["experiments/demo/table_10.md"]
    assert all(text == (ROOT / path).read_text() for path, text in shown)


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


def _list_programs() -> list[str]:
    """Return each block of Python that begins with an import; others are parts of a file."""
    blocks = [block for document in DOCUMENTS for block in _read_blocks(document, "python")]
    return [block for block in blocks if block.startswith(("import ", "from "))]


def test_the_python_of_the_documents_runs() -> None:
    programs = _list_programs()
    assert len(programs) > 1
    # In one process, since to import torch takes longer than any of them.
    code = "\n".join(f"exec({program!r}, {{}})" for program in programs)
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, cwd=ROOT)


def test_a_page_shows_the_edits_that_the_recipes_are_tested_with() -> None:
    shown = re.findall(
        r"<!-- recipe: (\w+) -->\n *```\w+\n(.*?)^ *```$",
        (ROOT / "docs" / "your-own-network.md").read_text(),
        re.DOTALL | re.MULTILINE,
    )
    assert {name for name, _ in shown} == {"BUILDER", "NETWORK", "MORE_EXCITATION", "TABLE"}
    for name, text in shown:
        assert textwrap.dedent(text).strip() == getattr(test_recipes, name).strip()


def _links() -> list[tuple[Path, str]]:
    documents = [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "experiments").rglob("*.md"),
    ]
    return [
        (document, link)
        for document in documents
        for link in re.findall(r"\]\(([^)]+)\)", document.read_text())
        if not link.startswith("http")
    ]


@pytest.mark.parametrize("document", ["docs/run-an-ablation.md", "experiments/gpu/prepare.sh"])
def test_what_is_code_is_said_alike_wherever_a_commit_is_stated(document: str) -> None:
    assert " ".join(CODE) in (ROOT / document).read_text()


def test_links_lead_somewhere() -> None:
    links = _links()
    assert links
    broken = [f"{document}: {link}" for document, link in links if not _leads(document, link)]
    assert broken == []


def _leads(document: Path, link: str) -> bool:
    """Return whether the file of a link is there, and has the heading that it names."""
    name, _, anchor = link.partition("#")
    target = document.parent / name if name else document
    if not anchor:
        return target.exists()
    return target.is_file() and anchor in _list_anchors(target)


def _list_anchors(document: Path) -> set[str]:
    """Return the anchors of a document's headings, as GitHub makes them; what is fenced is no heading."""
    text = re.sub(r"^ *```.*?^ *```$", "", document.read_text(), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
