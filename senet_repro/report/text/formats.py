"""The formats of result tables, and a folder with a file for each table (report floor)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from senet_repro.config.network_pairs import list_network_pairs
from senet_repro.config.paper_tables import names_networks
from senet_repro.core.files import write_text
from senet_repro.core.printing import escape_controls
from senet_repro.report.tables.build import ResultTable
from senet_repro.report.tables.costs import CostTable
from senet_repro.report.tables.rescored import RescoredTable
from senet_repro.report.tables.standing import Standing
from senet_repro.report.text.costs import (
    collect_cost,
    flatten_cost,
    format_cost_heading,
    format_cost_latex,
    format_cost_markdown,
)
from senet_repro.report.text.evaluations import (
    collect_rescored,
    flatten_rescored,
    format_rescored_heading,
    format_rescored_latex,
    format_rescored_markdown,
    list_rescored_networks,
)
from senet_repro.report.text.latex import format_latex
from senet_repro.report.text.markdown import align_columns, escape_markdown, format_markdown
from senet_repro.report.text.notes import format_heading, list_networks
from senet_repro.report.text.plain import (
    collect_tables,
    flatten_rows,
    write_csv,
    write_json_tables,
)

INDEX = "index.md"
INDEX_HEADER = ("file", "table", "network", "protocol", "rows", "n", "seeds")
LONGEST_DISTINCTION = 60


class WriteTables(Protocol):
    """Describe the function that writes tables in a format."""

    def __call__(
        self,
        tables: Sequence[ResultTable],
        rescored: Sequence[RescoredTable] = (),
        costs: Sequence[CostTable] = (),
    ) -> str:
        """Return the text of tables that were trained, of weights that were evaluated, and of costs."""


@dataclass(frozen=True)
class Format:
    """A way to write tables down."""

    text: WriteTables
    suffix: str  # of the names of such files
    has_remarks: bool  # whether there is room for words beside the tables, or nothing but data


def _write_markdown(
    tables: Sequence[ResultTable],
    rescored: Sequence[RescoredTable] = (),
    costs: Sequence[CostTable] = (),
) -> str:
    trained = [format_markdown([table]) for table in tables]
    evaluated = map(format_rescored_markdown, rescored)
    return "\n\n".join([*trained, *evaluated, *map(format_cost_markdown, costs)])


def _write_csv(
    tables: Sequence[ResultTable],
    rescored: Sequence[RescoredTable] = (),
    costs: Sequence[CostTable] = (),
) -> str:
    rows = [row for table in tables for row in flatten_rows(table)]
    rows += [row for table in rescored for row in flatten_rescored(table)]
    rows += [row for table in costs for row in flatten_cost(table)]
    return write_csv(rows)


def _write_json(
    tables: Sequence[ResultTable],
    rescored: Sequence[RescoredTable] = (),
    costs: Sequence[CostTable] = (),
) -> str:
    evaluated = map(collect_rescored, rescored)
    return write_json_tables([*collect_tables(tables), *evaluated, *map(collect_cost, costs)])


def _write_latex(
    tables: Sequence[ResultTable],
    rescored: Sequence[RescoredTable] = (),
    costs: Sequence[CostTable] = (),
) -> str:
    evaluated = map(format_rescored_latex, rescored)
    return "\n\n".join([format_latex(tables), *evaluated, *map(format_cost_latex, costs)])


FORMATS = {
    "markdown": Format(_write_markdown, "md", has_remarks=True),
    "csv": Format(_write_csv, "csv", has_remarks=False),
    "json": Format(_write_json, "json", has_remarks=False),
    "latex": Format(_write_latex, "tex", has_remarks=False),
}


def write_tables(
    folder: Path,
    tables: Sequence[ResultTable],
    form: Format,
    remarks: Sequence[str],
    rescored: Sequence[RescoredTable] = (),
    costs: Sequence[CostTable] = (),
) -> Path:
    """Write each table into a file of its own, then an index of them, each whole or not at all; return the index.

    The rows of `rescored`, for which nothing was trained, have a file for each table that they stand under, and
    `costs` one for each setting.

    Files of other names stay as they are: the index lists those that belong to the present records.

    Raises:
        OSError: the folder cannot be made or written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"{stem}.{form.suffix}" for stem in _name_files(tables)]
    lines = []
    for name, table in zip(names, tables, strict=True):
        write_text(folder / name, escape_controls(form.text([table], [])) + "\n")
        lines.append(_list_index_cells(name, table))
    for evaluated in rescored:
        name = f"{_name_rescored_file(evaluated)}.{form.suffix}"
        write_text(folder / name, escape_controls(form.text([], [evaluated])) + "\n")
        lines.append(_list_rescored_index_cells(name, evaluated))
    for number, measured in enumerate(costs, 1):
        name = f"costs_{number}.{form.suffix}"
        write_text(folder / name, escape_controls(form.text([], [], [measured])) + "\n")
        lines.append(_list_cost_index_cells(name, measured))
    parts = ["# Tables"]
    if lines:
        parts.append(align_columns([INDEX_HEADER, *lines]))
    parts += [escape_markdown(remark) for remark in remarks]
    write_text(folder / INDEX, escape_controls("\n\n".join(parts)) + "\n")
    return folder / INDEX


def _name_files(tables: Sequence[ResultTable]) -> list[str]:
    """Return a readable name for each table, without suffix; a name that would come twice gets a number."""
    names: list[str] = []
    # Distinctions are cut off at some length, and nothing may tell two tables apart.
    for table in tables:
        stem = _name_file(table)
        name, number = stem, 1
        while name in names:
            number += 1
            name = f"{stem}_{number}"
        names.append(name)
    return names


def _name_file(table: ResultTable) -> str:
    paper = table.paper
    parts = [f"table_{paper.number}" if paper.number else paper.name]
    parts.append(table.set_name)
    # The rows of the others name their networks, of which there may be eight.
    if not names_networks(paper):
        parts += list_networks(table)
    distinctions = _simplify_name(" ".join(table.distinctions))
    parts.append(distinctions[:LONGEST_DISTINCTION])
    return _simplify_name("_".join(parts))


def _name_rescored_file(table: RescoredTable) -> str:
    paper = table.paper
    if paper.number:
        return f"table_{paper.number}_rescored"
    return f"{paper.name}_rescored"


def _list_rescored_index_cells(name: str, table: RescoredTable) -> list[str]:
    offered = [row for row in table.paper.rows.values() if row.axes or row.rescored]
    rows = {row.name for row in table.rows}
    return [
        f"[{name}]({name})",
        escape_markdown(format_rescored_heading(table)),
        ", ".join(list_rescored_networks(table)),
        "not trained here",
        f"{len(rows)}/{len(offered)}",
        # It has no seeds.
        "",
        "",
    ]


def _list_cost_index_cells(name: str, table: CostTable) -> list[str]:
    networks = [row.cost.network for row in table.rows]
    return [
        f"[{name}]({name})",
        escape_markdown(format_cost_heading(table)),
        ", ".join(networks),
        "not trained here",
        f"{len(networks)}/{len(list_network_pairs())}",
        # It has no seeds.
        "",
        "",
    ]


def _simplify_name(text: str) -> str:
    """Return text as part of a file name that every file system takes."""
    return re.sub(r"[^a-z0-9.]+", "_", text.lower()).strip("_.")


def _list_index_cells(name: str, table: ResultTable) -> list[str]:
    counts = sorted({len(row.seeds) for row in table.run_rows})
    protocol = "not the paper's"
    if table.standing == Standing.PAPERS_OWN:
        protocol = "the paper's"
    # One number where all rows have as many seeds, else the least and the greatest.
    seed_range = dict.fromkeys((counts[0], counts[-1]))
    return [
        f"[{name}]({name})",
        escape_markdown(format_heading(table)),
        ", ".join(list_networks(table)),
        escape_markdown(", ".join([protocol, *table.distinctions])),
        f"{len(table.run_rows)}/{len(table.offered_rows)}",
        "-".join(map(str, seed_range)),
        ", ".join(map(str, table.seeds)),
    ]
