"""The sections of the page: a table each, with its figures, notes and verdicts (report floor)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from senet_repro.config.paper_tables import label_table
from senet_repro.report.claims.judge import Judged, judge_together
from senet_repro.report.claims.words import NOT_RUN
from senet_repro.report.figures.captions import describe_standing, write_title
from senet_repro.report.figures.drawing import Drawing
from senet_repro.report.figures.table_figures import draw_table_figures
from senet_repro.report.page.found_pictures import ShownRun, show_found_objects
from senet_repro.report.tables.build import ResultTable
from senet_repro.report.tables.numbers import choose_value_spec, format_interval
from senet_repro.report.tables.object_sizes import SizeRow, measure_sizes
from senet_repro.report.tables.standing import Standing
from senet_repro.report.text.notes import list_notes
from senet_repro.report.text.pooled import format_pooled
from senet_repro.results.metrics import Metric
from senet_repro.results.store import Results


@dataclass(frozen=True)
class Section:
    """A table with all that belongs to it."""

    id: str
    title: str
    table: ResultTable
    standing: str  # what its numbers can stand for
    notes: list[str]
    judged: list[Judged]
    drawings: list[Drawing]
    # Of detectors: pictures with what was found in them, and average precision by the size of objects.
    found: list[ShownRun] = field(default_factory=list)
    sizes: list[SizeRow] = field(default_factory=list)

    @property
    def paper_label(self) -> str:
        """The table's number in the paper, or the section that it comes from."""
        return label_table(self.table.paper)

    @property
    def seed_counts(self) -> list[int]:
        """How many seeds each of its rows was run with that has a record."""
        return [len(row.seeds) for row in self.table.rows if row.records]

    @property
    def own_figures(self) -> list[str]:
        """The first metric of each row that was run, with its interval, such as `r = 4: 2.41 ± 1.44`."""
        metric = self.table.metrics[0]
        figures = []
        for row in self.table.rows:
            estimate = row.estimates.get(metric.name)
            if estimate:
                figures.append(
                    f"{row.name}: {format_interval(estimate, choose_value_spec(metric))}"
                )
        return figures

    @property
    def judged_claims(self) -> list[Judged]:
        """Its claims whose rows were run."""
        return [judged for judged in self.judged if judged.verdict != NOT_RUN]

    @property
    def pending_claims(self) -> list[Judged]:
        """Its claims whose rows were not run."""
        return [judged for judged in self.judged if judged.verdict == NOT_RUN]

    @property
    def caution_tag(self) -> str | None:
        """The warning beside its numbers; None where they follow the paper's protocol."""
        standing = self.table.standing
        if standing == Standing.PAPERS_OWN:
            return None
        return standing

    @property
    def has_one_seed(self) -> bool:
        """Whether its numbers are of a single seed, which is no evidence."""
        return len(self.table.seeds) == 1

    @property
    def other_metrics(self) -> list[Metric]:
        """The metrics after the first that any row has a figure of, ours or the paper's."""
        return [metric for metric in self.table.metrics[1:] if self._has_figure(metric)]

    def _has_figure(self, metric: Metric) -> bool:
        """Return whether any row has a figure of a metric, ours or the paper's."""
        return any(
            metric.name in row.estimates or metric.name in row.paper.figures
            for row in self.table.rows
        )


def split_tables(tables: Sequence[ResultTable]) -> tuple[list[ResultTable], list[ResultTable]]:
    """Return the tables that something was trained for, and those that only share rows with them.

    A row such as r = 16 stands in most tables of section 6, and would bring up all of them. What was trained for none
    of the tables is shown once, in the table that has the most of it.
    """
    # By identity: comparing tables by value would compare all their records.
    runs = {id(table): _collect_run_keys(table) for table in tables}
    chosen = {id(table) for table in tables if _was_trained_for(table)}
    left = set().union(*runs.values())
    left = left.difference(*(runs[table_id] for table_id in chosen))
    while left:
        fullest = max(runs, key=lambda table_id: len(runs[table_id] & left))
        chosen.add(fullest)
        left -= runs[fullest]
    shown = [table for table in tables if id(table) in chosen]
    others = [table for table in tables if id(table) not in chosen]
    return shown, others


def _was_trained_for(table: ResultTable) -> bool:
    """Return whether one of a table's records was trained for it."""
    for row in table.rows:
        for record in row.records:
            if record.config.get("table") == table.paper.name:
                return True
    return False


def _collect_run_keys(table: ResultTable) -> set[tuple[str, int]]:
    """Return the keys and seeds of the records in a table's rows."""
    return {(record.run_key, record.seed) for row in table.rows for record in row.records}


def build_sections(results: Results, tables: Sequence[ResultTable]) -> list[Section]:
    """Return a section for every table, each with an id of its own.

    What cannot be believed of the pictures of its runs is added to the unreadable files of `results`.
    """
    sections: list[Section] = []
    counts: Counter[str] = Counter()
    for table, judged in zip(tables, judge_together(tables), strict=True):
        # A table that was run by several protocols has a section for each.
        name = make_slug(table.paper.name)
        counts[name] += 1
        section_id = name
        if counts[name] > 1:
            section_id = f"{name}-{counts[name]}"
        section = Section(
            id=section_id,
            title=write_title(table),
            table=table,
            standing=describe_standing(table),
            notes=_list_section_notes(table),
            judged=judged,
            drawings=draw_table_figures(table, section_id, results.folders),
            found=show_found_objects(table, section_id, results.unreadable),
            sizes=measure_sizes(table),
        )
        sections.append(section)
    return sections


def _list_section_notes(table: ResultTable) -> list[str]:
    """Return the notes of a table, and what its networks say together where it has several."""
    pooled = format_pooled(table)
    if pooled:
        return [*list_notes(table), pooled]
    return list_notes(table)


def make_slug(name: str) -> str:
    """Return a name as ids, classes and file names hold it: small letters and digits with dashes between."""
    return re.sub("[^a-z0-9]+", "-", name.lower()).strip("-")
