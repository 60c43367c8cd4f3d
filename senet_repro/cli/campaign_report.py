"""Write what a reader sees of a campaign, from nothing but what was collected of it.

FOLDER/claims.md        every claim in a line, with its verdict
FOLDER/verdicts.md      the evidence for each, and the verdicts of studies on its networks
FOLDER/power.md         the seeds and hours that would settle what is inconclusive
FOLDER/tables/latex/    the tables for a paper
FOLDER/page/            the page with all figures
FOLDER/paper/           the same in the form of reproducibility journals, in Markdown and LaTeX
FOLDER/second-training.md
                        where its author put runs that were trained once more into FOLDER/second-training/: how far
                        their numbers moved; these runs are in no table
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
from senet_repro.core.files import read_text, write_text
from senet_repro.core.printing import print_line
from senet_repro.core.wording import count_noun

if TYPE_CHECKING:
    from senet_repro.results.campaign import Campaign

README = "README.md"
SECOND_TRAINING = "second-training"

# No block reaches beyond the beginning of another: where an end was forgotten, what stands between is the author's.
_BLOCK = re.compile(
    r"^<!-- (?!end )(\S+) -->\n(?:(?!<!-- \S+ -->$).*\n)*?<!-- end -->$", re.MULTILINE
)


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
    call_verb("report", ["--results", str(folder), "--form", "paper"])
    second = folder / SECOND_TRAINING
    if second.is_dir():
        written = second.with_suffix(".md")
        call_verb("compare", [str(folder), str(second), "--output", str(written)])
    own = folder / README
    filled = [own] if own.exists() else []
    for document in (*filled, *documents):
        blocks = fill_blocks(document)
        print_line(f"{document}: {count_noun(blocks, 'block')}")


def fill_blocks(document: Path) -> int:
    """Put into each block of a document what the file that it names says, and return how many blocks there are.

    A file is named by its place beside the document, as links are.

    Raises:
        ConfigError: the document or such a file cannot be read, or the document not written.
    """
    try:
        written = _read_text(document)
        text = _normalise_line_ends(written)
        filled, blocks = _BLOCK.subn(lambda block: _fill_block(block[1], document.parent), text)
        if filled != text:
            # Editors of Windows end lines in two characters, and the next one is to find them as they were.
            ends_in_two = "\r\n" in written
            write_text(document, filled.replace("\n", "\r\n") if ends_in_two else filled)
    except OSError as error:
        raise ConfigError(
            f"{error.filename or document}: {error.strerror}; a block <!-- FILE --> names a file beside its document"
        ) from error
    return blocks


def _fill_block(name: str, folder: Path) -> str:
    content = _normalise_line_ends(_read_text(folder / name))
    # Behind text in its line the end would be none, and the next report would take what follows for the block's.
    if not content.endswith("\n"):
        content += "\n"
    return f"<!-- {name} -->\n{content}<!-- end -->"


def _normalise_line_ends(text: str) -> str:
    return text.replace("\r\n", "\n")


def _read_text(file: Path) -> str:
    """Return the text of a file.

    Raises:
        OSError: it cannot be read, or is no file.
        ConfigError: it is no text.
    """
    try:
        return read_text(file)
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: not a text in UTF-8; save it as one") from error
