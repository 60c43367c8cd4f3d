"""The report: one page that holds every table, figure, verdict and how each number was made (report floor).

Its content comes from records and from the grid's YAML, and all of that stays text: the template escapes everything
but our own drawings, and the page may run no script and fetch nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from senet_repro.config.paper_tables import find_table, format_selection, label_table
from senet_repro.core.printing import escape_controls
from senet_repro.core.wording import count_noun
from senet_repro.report.claims.costs import judge_costs
from senet_repro.report.claims.judge import format_verdict
from senet_repro.report.claims.words import VERDICTS
from senet_repro.report.figures.drawing import Drawing
from senet_repro.report.figures.found_objects import LEAST_SCORE, draw_box_legend
from senet_repro.report.page.provenance import (
    PROGRAM,
    describe_machine,
    describe_selection,
    list_machines,
    write_command,
)
from senet_repro.report.page.sections import Section, make_slug
from senet_repro.report.tables.build import ResultRow, ResultTable
from senet_repro.report.tables.gate_studies import judge_network
from senet_repro.report.tables.importance import judge_importance
from senet_repro.report.tables.numbers import count_seeds_of_rows, format_interval, format_p_value
from senet_repro.report.tables.standing import Standing
from senet_repro.report.tables.studies import Studies
from senet_repro.report.text.borders import explain_border, name_claim
from senet_repro.report.text.costs import (
    caution_costs,
    format_cost_heading,
    list_cost_cells,
    list_cost_notes,
)
from senet_repro.report.text.evaluations import (
    format_rescored_heading,
    list_rescored_cells,
    list_rescored_notes,
)
from senet_repro.report.text.gate_studies import (
    LEGEND as GATES_LEGEND,
)
from senet_repro.report.text.gate_studies import (
    format_network_heading,
    list_block_cells,
    list_network_notes,
)
from senet_repro.report.text.importance import (
    format_importance_heading,
    list_area_cells,
    list_importance_notes,
)
from senet_repro.report.text.notes import explain_gap, format_seed_count
from senet_repro.report.text.object_sizes import SIZES_HEADING, SIZES_NOTE, list_size_cells
from senet_repro.report.text.verdict_guide import list_meanings
from senet_repro.report.text.verdicts import Verdicts, describe_family, describe_outcome
from senet_repro.results.metrics import Metric, printed_metrics
from senet_repro.results.record import Record
from senet_repro.results.store import Results
from senet_repro.tasks import find_task

SIGNS = dict(zip(VERDICTS, ("✓", "↘", "=", "✗", "~", "∅", "○"), strict=True))
"""A sign for each verdict, so that colour alone distinguishes none."""

NO_STUDIES = Studies()


@dataclass(frozen=True, kw_only=True)
class PageFigures:
    """The figures of the page that belong to no table."""

    overview: Drawing | None = None  # of all tables together
    # Of the studies, by network.
    studies: Mapping[str, Sequence[Drawing]] = field(default_factory=dict)
    # Whether each figure lies beside the page in pixels, too.
    has_png: bool = True


NO_FIGURES = PageFigures()


@dataclass(frozen=True)
class RunEntry:
    """One run with all its seeds, and how to make it again."""

    key: str
    name: str
    command: str | None  # None where no record holds it
    selection: str  # what is known of the run without its command
    metrics: list[Metric]  # of its task
    records: list[Record]  # one per seed
    rows: list[tuple[str, str]]  # id of a section, and the run's row there


def render_page(
    results: Results,
    sections: Sequence[Section],
    source: str,
    others: Sequence[ResultTable] = (),
    studies: Studies = NO_STUDIES,
    figures: PageFigures = NO_FIGURES,
) -> str:
    """Return the whole page as HTML.

    `source` names the results folder to the reader, `others` are tables with records that have no section, `studies`
    all for which nothing was trained, and `figures` those of no single table.
    """
    runs = _list_runs(results, sections)
    example = f"{PROGRAM} -m {format_selection(find_table('reduction_ratio'))} seed=0,1,2"
    page = _load_template().render(
        source=source,
        sections=sections,
        signs=SIGNS,
        standings=Standing,
        found=Verdicts([(each.table, each.judged) for each in sections], without_records=[]),
        meanings=list_meanings([one for each in sections for one in each.judged]),
        family=describe_family([each.judged for each in sections]),
        runs=runs,
        extent=_describe_extent(runs),
        others=[_describe_other(table) for table in others],
        studies=studies,
        figures=figures,
        gates_legend=GATES_LEGEND,
        box_legend=draw_box_legend(),
        least_score=LEAST_SCORE,
        sizes_heading=SIZES_HEADING,
        sizes_note=SIZES_NOTE,
        machines=list_machines(results.records),
        failed_rows=_list_failed_rows(sections),
        other_failures=_list_other_failures(results, sections),
        unreadable=results.unreadable,
        strays=_list_strays(results, sections),
        example=example,
    )
    # Names of other people's runs must not turn the direction of the page's text, either.
    return escape_controls(str(page))


def _describe_extent(runs: Sequence[RunEntry]) -> str:
    """Return how many records there are, of how many points of the grid and seeds, in a reader's words."""
    records = count_noun(sum(len(run.records) for run in runs), "record")
    if not runs:
        return records
    points = count_noun(len(runs), "setting")
    counts = {len(run.records) for run in runs}
    each = " each" if len(runs) > 1 and len(counts) == 1 else ""
    return f"{records}: {points} with {count_seeds_of_rows(counts)}{each},"


def _describe_other(table: ResultTable) -> str:
    """Return a table without a section, and how many of its rows have records."""
    rows = f"{len(table.run_rows)} of {len(table.offered_rows)} rows"
    return f"{label_table(table.paper)} ({rows})"


def _list_rows(sections: Sequence[Section]) -> list[tuple[Section, ResultRow]]:
    """Return every row of the page with its section."""
    return [(section, row) for section in sections for row in section.table.rows]


def _list_failed_rows(sections: Sequence[Section]) -> list[tuple[Section, ResultRow]]:
    """Return the rows of which a run failed."""
    return [(section, row) for section, row in _list_rows(sections) if row.failed]


def _list_other_failures(
    results: Results, sections: Sequence[Section]
) -> list[tuple[str, int, str]]:
    """Return the failed runs that no row of the page names, as (run key, seed, reason)."""
    named = set()
    for _, row in _list_failed_rows(sections):
        named |= {(row.run_key, seed) for seed in row.failed}
    return [
        (key, seed, reason)
        for (key, seed), reason in results.failures.items()
        if (key, seed) not in named
    ]


def _list_strays(results: Results, sections: Sequence[Section]) -> list[str]:
    """Return the names of the runs that have a record and stand in no table of the page."""
    shown = set()
    for _, row in _list_rows(sections):
        shown |= {record.run_key for record in row.records}
    return sorted({record.name for record in results.records if record.run_key not in shown})


def _list_runs(results: Results, sections: Sequence[Section]) -> list[RunEntry]:
    """Return every run that has a record, in the order of the tables; runs that no table shows come last."""
    places = _find_places(sections)
    # The keys of the tables come first, and so fix the order.
    records: dict[str, list[Record]] = {key: [] for key in places}
    for record in sorted(results.records, key=lambda record: record.seed):
        records.setdefault(record.run_key, []).append(record)
    return [_describe_run(own, places.get(key, [])) for key, own in records.items()]


def _find_places(sections: Sequence[Section]) -> dict[str, list[tuple[str, str]]]:
    """Return by the key of a run where the page shows it: the ids of sections, and what table and row are called."""
    places: dict[str, list[tuple[str, str]]] = {}
    for section, row in _list_rows(sections):
        place = (section.id, f"{section.paper_label}, {row.name}")
        # By the records' keys: a row's own key is another where code versions or first weights are mixed.
        keys = dict.fromkeys(record.run_key for record in row.records)
        for key in keys:
            places.setdefault(key, []).append(place)
    return places


def _describe_run(records: list[Record], rows: list[tuple[str, str]]) -> RunEntry:
    """Return one run, of which `records` are the seeds and `rows` where the page shows it."""
    first = records[0]
    return RunEntry(
        key=first.run_key,
        name=first.name,
        command=write_command(records),
        selection=describe_selection(first),
        metrics=printed_metrics(find_task(first.task).metrics),
        records=records,
        rows=rows,
    )


def _load_template() -> Any:
    """Return the page's template; undefined names in it are errors."""
    # jinja2 is imported here, since no other verb needs it.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        # The text in a drawing was escaped as it was drawn; no other markup is taken as such.
        inline_drawing=lambda drawing: Markup(drawing.inline),
        spread=format_interval,
        number=_format_number,
        wall_time=_format_wall_time,
        machine=describe_machine,
        missing=explain_gap,
        slug=make_slug,
        rescored_heading=format_rescored_heading,
        rescored_cells=list_rescored_cells,
        rescored_notes=list_rescored_notes,
        gates_heading=format_network_heading,
        gates_cells=list_block_cells,
        gates_notes=list_network_notes,
        gates_verdicts=judge_network,
        importance_heading=format_importance_heading,
        importance_cells=list_area_cells,
        importance_notes=list_importance_notes,
        importance_verdicts=judge_importance,
        claim=name_claim,
        cost_heading=format_cost_heading,
        cost_cells=list_cost_cells,
        cost_notes=list_cost_notes,
        cost_caution=caution_costs,
        cost_verdicts=judge_costs,
        size_cells=list_size_cells,
        border=explain_border,
        p_value=format_p_value,
        seeds=format_seed_count,
        seed_counts=count_seeds_of_rows,
        outcome=describe_outcome,
        verdict=format_verdict,
    )
    return environment.get_template("page.html.jinja")


def _format_number(value: float | None, spec: str = ".2f") -> str:
    """Return a number as a table shows it; nothing where there is none."""
    if value is None:
        return ""
    return f"{value:{spec}}"


def _format_wall_time(seconds: float) -> str:
    """Return seconds, or hours, minutes and seconds from a minute on: 42.0 s, 3:20:15."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    return str(timedelta(seconds=round(seconds)))
