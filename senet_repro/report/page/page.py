"""The report: one page that holds every table, figure, verdict and how each number was made (report floor).

What the page shows comes from records and from the grid's YAML, and whatever it says stays text: the template escapes
everything but our own drawings, and the page may run no script and fetch nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from senet_repro.config.paper_tables import find_table, format_selection, label_table
from senet_repro.report.claims.judge import VERDICTS, Judged, judge
from senet_repro.report.figures.captions import standing, title_of
from senet_repro.report.figures.drawing import Drawing
from senet_repro.report.figures.table_figures import drawings
from senet_repro.report.page.provenance import PROGRAM, command, environment, environments
from senet_repro.report.tables.build import ResultTable
from senet_repro.report.tables.numbers import format_interval
from senet_repro.report.text.notes import format_seed_count, list_notes
from senet_repro.results.record import Record
from senet_repro.results.store import Results

SIGNS = dict(zip(VERDICTS, ("✓", "✗", "~", "○"), strict=True))
"""So that no verdict is told by its colour alone."""


@dataclass(frozen=True)
class Section:
    """A table with all that belongs to it."""

    id: str
    title: str
    table: ResultTable
    standing: str
    notes: list[str]
    judged: list[Judged]
    drawings: list[Drawing]

    @property
    def label(self) -> str:
        """How the paper's reader finds it."""
        return label_table(self.table.paper)

    @property
    def rows_run(self) -> int:
        """How many of its rows have a record."""
        return sum(bool(row.records) for row in self.table.rows)

    @property
    def rows_offered(self) -> int:
        """How many of its rows are not only cited."""
        return sum(not row.is_cited for row in self.table.rows)

    @property
    def verdicts(self) -> Counter[str]:
        """How many of its claims have each verdict."""
        return Counter(judged.verdict for judged in self.judged)

    @property
    def caution(self) -> str | None:
        """What its numbers are not."""
        if self.table.stands_for:
            return "a proxy"
        return "not the paper's protocol" if self.table.departures else None


@dataclass(frozen=True)
class RunEntry:
    """One run with all its seeds, and how to make it again."""

    key: str
    name: str
    command: str | None
    records: list[Record]
    rows: list[tuple[str, str]]  # id of a section and what the run is there


def sections(results: Results, tables: Sequence[ResultTable]) -> list[Section]:
    """Every table with its verdicts and figures; each has an id of its own."""
    found: list[Section] = []
    seen: Counter[str] = Counter()
    for table in tables:
        name = _slug(table.paper.name)
        seen[name] += 1
        name = name if seen[name] == 1 else f"{name}-{seen[name]}"
        drawn = drawings(table, name, results.folders)
        found.append(
            Section(
                name,
                title_of(table),
                table,
                standing(table),
                list_notes(table),
                judge(table),
                drawn,
            )
        )
    return found


def page(results: Results, found: Sequence[Section], source: str) -> str:
    """The whole page as HTML; `source` names the results folder to the reader."""
    runs = _runs(results, found)
    judgements = [(section, judged) for section in found for judged in section.judged]
    told = {
        (row.run_key, seed)
        for section in found
        for row in section.table.rows
        for seed in row.failed
    }
    seen = {
        record.run_key for section in found for row in section.table.rows for record in row.records
    }
    return str(
        _template().render(
            source=source,
            sections=found,
            verdicts=VERDICTS,
            signs=SIGNS,
            own=_tally([section for section in found if not section.caution]),
            other=_tally([section for section in found if section.caution]),
            reached=[
                (section, judged) for section, judged in judgements if judged.verdict != "not run"
            ],
            untold=[
                (section, judged) for section, judged in judgements if judged.verdict == "not run"
            ],
            runs=runs,
            machines=environments(results.records),
            failures=[
                (key, seed, why)
                for (key, seed), why in results.failures.items()
                if (key, seed) not in told
            ],
            failed_rows=[
                (section, row) for section in found for row in section.table.rows if row.failed
            ],
            unreadable=results.unreadable,
            strays=sorted(
                {record.name for record in results.records if record.run_key not in seen}
            ),
            example=f"{PROGRAM} -m {format_selection(find_table('reduction_ratio'))} seed=0,1,2",
        )
    )


def _tally(found: Sequence[Section]) -> Counter[str]:
    return sum((section.verdicts for section in found), Counter())


def _runs(results: Results, found: Sequence[Section]) -> list[RunEntry]:
    """Every run there is, in the order of the tables; those that no table has come last."""
    records: dict[str, list[Record]] = {}
    rows: dict[str, list[tuple[str, str]]] = {}
    for section in found:
        for row in section.table.rows:
            for record in row.records[:1]:
                rows.setdefault(record.run_key, []).append(
                    (section.id, f"{label_table(section.table.paper)}, {row.name}")
                )
    for key in rows:
        records[key] = []
    for record in sorted(results.records, key=lambda record: record.seed):
        records.setdefault(record.run_key, []).append(record)
    return [
        RunEntry(key, own[0].name, command(own), own, rows.get(key, []))
        for key, own in records.items()
    ]


def _template() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment_ = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # A drawing's text was escaped as it was written; it is the only markup that is taken as such.
    environment_.filters.update(
        drawing=lambda drawing: Markup(drawing.inline),
        spread=format_interval,
        figure=_figure,
        duration=_duration,
        environment=environment,
        slug=_slug,
        seeds=format_seed_count,
    )
    return environment_.get_template("page.html.jinja")


def _slug(name: str) -> str:
    return re.sub("[^a-z0-9]+", "-", name.lower()).strip("-")


def _figure(value: float | None, spec: str = ".2f") -> str:
    return "" if value is None else f"{value:{spec}}"


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else str(timedelta(seconds=round(seconds)))
