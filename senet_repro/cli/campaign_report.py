"""Write what a reader sees of a campaign, from nothing but what was collected of it.

FOLDER/claims.md        every claim in a line, with its verdict
FOLDER/verdicts.md      the evidence for each, and the verdicts of studies on its networks
FOLDER/power.md         the seeds and hours that would settle what is inconclusive
FOLDER/tables/latex/    the tables for a paper
FOLDER/page/            the page with all figures
FOLDER/README.md        its author's; a block between `<!-- FILE -->` and `<!-- end -->` takes what FILE says
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from senet_repro.cli.collect import TABLES
from senet_repro.cli.verbs import call_verb
from senet_repro.core.errors import ConfigError
from senet_repro.core.files import write_text
from senet_repro.core.printing import print_line
from senet_repro.core.wording import count_noun

if TYPE_CHECKING:
    from senet_repro.results.campaign import Campaign

README = "README.md"

_BLOCK = re.compile(r"^<!-- (\S+) -->\n.*?^<!-- end -->$", re.DOTALL | re.MULTILINE)


def report_campaign(folder: Path, campaign: Campaign, documents: Sequence[Path]) -> None:
    """Write every part of a campaign's report into `folder`, and its blocks into its README and into `documents`.

    The same records give the same bytes.

    Raises:
        ConfigError: nothing was collected yet, or a document or a file that it asks for cannot be read or written.
    """
    if not any(folder.glob("*/seed*/record.json")):
        raise ConfigError(
            f"{folder} holds no record yet: python -m senet_repro campaign collect {folder} copies them there"
        )
    tables = ["--results", str(folder), "--table", ",".join(campaign.tables)]
    call_verb("verdict", [*tables, "--brief", "--output", str(folder / "claims.md")])
    # Studies belong to no table that could be asked for.
    call_verb("verdict", ["--results", str(folder), "--output", str(folder / "verdicts.md")])
    call_verb("power", [*tables, "--output", str(folder / "power.md")])
    latex = folder / TABLES / "latex"
    call_verb("table", [*tables, "--format", "latex", "--output", str(latex)])
    call_verb("report", ["--results", str(folder), "--output", str(folder / "page"), "--svg-only"])
    own = folder / README
    filled = [own] if own.exists() else []
    for document in (*filled, *documents):
        blocks = fill_blocks(document)
        print_line(f"{document}: {count_noun(blocks, 'block')}")


def fill_blocks(document: Path) -> int:
    """Put into each block of a document what the file that it names says, and return how many blocks there are.

    The file lies below the document's folder.

    Raises:
        ConfigError: the document or such a file cannot be read or written, or the file lies elsewhere.
    """
    try:
        text = document.read_text(encoding="utf-8")
        filled, blocks = _BLOCK.subn(lambda block: _fill_block(block[1], document.parent), text)
        if filled != text:
            write_text(document, filled)
    except OSError as error:
        raise ConfigError(
            f"{error.filename or document}: {error.strerror}; a block <!-- FILE --> names a file beside its document"
        ) from error
    return blocks


def _fill_block(name: str, folder: Path) -> str:
    source = folder / name
    if not source.resolve().is_relative_to(folder.resolve()):
        raise ConfigError(f"<!-- {name} -->: give a file below {folder}")
    content = source.read_text(encoding="utf-8")
    return f"<!-- {name} -->\n{content}<!-- end -->"
