"""The formats of result tables, and a folder with a file for each table (report floor)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from senet_repro.config.paper_tables import names_networks
from senet_repro.core.files import write_text
from senet_repro.report.tables.build import ResultTable
from senet_repro.report.text.latex import latex
from senet_repro.report.text.markdown import aligned, escaped, markdown
from senet_repro.report.text.notes import csv_text, heading, json_text, networks

INDEX = "index.md"
INDEX_HEADER = ("file", "table", "network", "protocol", "rows", "n", "seeds")
LONGEST_DISTINCTION = 60


@dataclass(frozen=True)
class Format:
    """How tables are written down, and what the names of such files end in."""

    text: Callable[[Sequence[ResultTable]], str]
    suffix: str
    has_remarks: bool  # whether there is room for words beside the tables, or nothing but data


FORMATS = {
    "markdown": Format(markdown, "md", has_remarks=True),
    "csv": Format(csv_text, "csv", has_remarks=False),
    "json": Format(json_text, "json", has_remarks=False),
    "latex": Format(latex, "tex", has_remarks=False),
}


def write_tables(
    folder: Path, tables: Sequence[ResultTable], form: Format, remarks: Sequence[str]
) -> Path:
    """Write each table into a file of its own, then an index of them, each whole or not at all; return the index.

    Files of other names stay as they are: the index says which belong to the present records.

    Raises:
        OSError: the folder cannot be made or written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"{stem}.{form.suffix}" for stem in _stems(tables)]
    for name, table in zip(names, tables, strict=True):
        write_text(folder / name, form.text([table]) + "\n")
    cells = [_index_line(name, table) for name, table in zip(names, tables, strict=True)]
    listing = [aligned([INDEX_HEADER, *cells])] if cells else []
    write_text(folder / INDEX, "\n\n".join(["# Tables", *listing, *map(escaped, remarks)]) + "\n")
    return folder / INDEX


def _stems(tables: Sequence[ResultTable]) -> Iterator[str]:
    """A readable name for each table; one that would come twice gets a number."""
    given: set[str] = set()
    for table in tables:
        stem = _stem(table)
        number = 1
        while (name := stem if number == 1 else f"{stem}_{number}") in given:
            number += 1
        given.add(name)
        yield name


def _stem(table: ResultTable) -> str:
    paper = table.paper
    parts = [
        f"table_{paper.number}" if paper.number else paper.name,
        table.example.identity["data"]["name"],
    ]
    if not names_networks(paper):
        parts += networks(table)
    plain = "_".join([*parts, _plain(" ".join(table.distinctions))[:LONGEST_DISTINCTION]])
    return _plain(plain)


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "_", text.lower()).strip("_.")


def _index_line(name: str, table: ResultTable) -> list[str]:
    run = [row for row in table.rows if row.form]
    counts = sorted({len(row.seeds) for row in run if row.seeds})
    protocol = ["not the paper's" if table.departures else "the paper's", *table.distinctions]
    return [
        f"[{name}]({name})",
        escaped(heading(table)),
        ", ".join(networks(table)),
        escaped(", ".join(protocol)),
        f"{sum(bool(row.seeds) for row in run)}/{len(run)}",
        "-".join(str(n) for n in dict.fromkeys((counts[0], counts[-1]))),
        ", ".join(map(str, table.seeds)),
    ]
