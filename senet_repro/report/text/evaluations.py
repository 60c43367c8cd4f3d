"""Evaluations of given weights in words: the table that `evaluate` prints, and rows under the paper's tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from senet_repro.config.conf_dir import load_file
from senet_repro.config.paper_tables import label_table
from senet_repro.core.wording import choose_form, join_words
from senet_repro.report.tables.numbers import choose_difference_spec, choose_value_spec
from senet_repro.report.tables.rescored import RescoredRow, RescoredTable, find_paper_row
from senet_repro.report.text.latex import format_wide_table
from senet_repro.report.text.markdown import align_columns, escape_markdown, format_noted_table
from senet_repro.results.evaluation import Evaluation
from senet_repro.results.metrics import Metric, printed_metrics
from senet_repro.tasks import find_task

NOT_TRAINED = "Nothing was trained for these rows: they enter no claim about training and no estimate over seeds."


def format_evaluations(evaluations: Sequence[Evaluation]) -> str:
    """Return the passes over one set of weights as a table, with what was evaluated above and how below."""
    first = evaluations[0]
    metrics = printed_metrics(find_task(first.task).metrics)
    lines = [["size px", "resize", *_head_figures(metrics), "images", *_head_paper(metrics)]]
    notes = []
    for one in evaluations:
        found = find_paper_row(one)
        row = found[1] if found else None
        cells = [f"{one.size_px}", one.rule.describe(), *_list_figures(one, metrics)]
        lines.append([*cells, f"{one.images:,}", *_list_paper_cells(row, metrics)])
        if found:
            notes.append(_explain_paper(label_table(found[0]), found[1]))
    heading = f"{_describe_weights(first)} on {_describe_data(first)}: {first.kind}"
    intervals = (
        f"In brackets the 95 % interval over the images ({first.interval.partition(',')[0]})."
    )
    below = [intervals, *_list_caveats(first), *dict.fromkeys(notes)]
    if not notes:
        # The paper has no figure of this network.
        lines = [line[: -len(_head_paper(metrics))] for line in lines]
    return "\n\n".join([heading, align_columns(lines), *map(escape_markdown, below)])


def list_rescored_cells(table: RescoredTable) -> list[list[str]]:
    """Return the cells of the rows under a table of the paper; the first line is the header."""
    metrics = table.metrics
    lines = [["", "weights", "resize", *_head_figures(metrics), "images", *_head_paper(metrics)]]
    for row in table.rows:
        one = row.evaluation
        cells = [row.name, name_weights(one), one.rule.describe(), *_list_figures(one, metrics)]
        lines.append([*cells, f"{one.images:,}", *_list_paper_cells(row, metrics)])
    return lines


def format_rescored_markdown(table: RescoredTable) -> str:
    """Return the rows under a table of the paper."""
    return format_noted_table(
        format_rescored_heading(table), list_rescored_cells(table), list_rescored_notes(table)
    )


def format_rescored_latex(table: RescoredTable) -> str:
    """Return the rows under a table of the paper as a table environment of their own."""
    # Row, weights and resizing are words, and all else figures.
    return format_wide_table(
        format_rescored_heading(table),
        list_rescored_cells(table),
        list_rescored_notes(table),
        words=3,
    )


def flatten_rescored(table: RescoredTable) -> list[dict[str, Any]]:
    """Return the rows as plain values under names with units, as CSV and JSON hold them."""
    return [_flatten_row(table, row) for row in table.rows]


def collect_rescored(table: RescoredTable) -> dict[str, Any]:
    """Return a table's rows and notes for JSON."""
    return {
        "table": table.paper.name,
        "number": table.paper.number,
        "title": table.paper.title,
        "kind": "re-scored",
        "notes": list_rescored_notes(table),
        "rows": flatten_rescored(table),
    }


def format_rescored_heading(table: RescoredTable) -> str:
    """Return which table the rows stand under, and of what kind they are."""
    kinds = dict.fromkeys(row.evaluation.kind for row in table.rows)
    return f"{label_table(table.paper)}, not trained here: {join_words(kinds, 'and')}"


def list_rescored_networks(table: RescoredTable) -> list[str]:
    """Return the names of the networks whose weights were evaluated."""
    return list(dict.fromkeys(row.evaluation.network for row in table.rows))


def list_rescored_notes(table: RescoredTable) -> list[str]:
    """Return what the rows are, and how far they can be compared."""
    first = table.rows[0].evaluation
    notes = [
        f"{NOT_TRAINED} In brackets the 95 % interval over the images ({first.interval.partition(',')[0]}); "
        "Δ is the difference to the paper's figure."
    ]
    for row in table.rows:
        notes += _list_caveats(row.evaluation)
        if not row.has_papers_rule:
            notes.append(_explain_paper(label_table(table.paper), row))
    if table.paper.note:
        notes.append(table.paper.note)
    return list(dict.fromkeys(notes))


def name_weights(evaluation: Evaluation) -> str:
    """Return whose weights they are: a source's network, or a run and its seed."""
    if evaluation.run is not None:
        return f"{evaluation.run['name']} seed {evaluation.run['seed']}"
    source = evaluation.weights["source"]
    return f"{source} {evaluation.weights['released_as']} {evaluation.weights['sha256'][:8]}"


def _describe_weights(evaluation: Evaluation) -> str:
    return f"{evaluation.network} ({name_weights(evaluation)})"


def _describe_data(evaluation: Evaluation) -> str:
    """Return the set, and how much of it was there."""
    whole = evaluation.data["whole_images"]
    title: str = evaluation.data["title"]
    if evaluation.images == whole:
        return title
    return f"{title} ({evaluation.images:,} of {whole:,} evaluation images)"


def _describe_images(evaluation: Evaluation) -> str:
    """Return how pictures became what the network saw, and in which precision it saw them."""
    how = evaluation.preprocessing
    mean = ", ".join(f"{value:g}" for value in how["mean"])
    std = ", ".join(f"{value:g}" for value in how["std"])
    source = how["published_by"]
    by_hand = any("given by hand" in note for note in evaluation.notes)
    whose = "those of its training" if source is None else f"those that {source} publishes"
    if by_hand:
        whose = "not all of them its own, see below"
    resizing = ""
    if evaluation.resize_px is not None:
        antialias = "antialiased" if how["antialias"] else "not antialiased"
        resizing = f", resized {how['interpolation']} and {antialias}"
    return (
        f"{name_weights(evaluation)}: mean {mean} and deviation {std} of 0..255{resizing} ({whose}); "
        f"precision {evaluation.trainer['precision']} on {evaluation.hardware['name']}."
    )


def _list_caveats(evaluation: Evaluation) -> list[str]:
    """Return how the images of an evaluation were made, and everything in which it departs from what one expects."""
    notes = [_describe_images(evaluation), *evaluation.notes]
    whose = name_weights(evaluation)
    usual = load_file("model", evaluation.network).get("options", {})
    others = []
    for option, value in evaluation.options.items():
        if value != usual.get(option):
            others.append(f"{option} {value} ({usual.get(option)})")
    if others:
        notes.append(
            f"{whose}: the network differs from the paper's (in brackets): {', '.join(others)}."
        )
    whole = evaluation.data["whole_images"]
    if evaluation.images != whole:
        notes.append(f"{whose}: on {evaluation.images:,} of {whole:,} evaluation images.")
    skipped = len(evaluation.data["skipped"])
    if skipped:
        images = choose_form(skipped, "image", "images")
        notes.append(f"{whose}: without {skipped:,} unreadable {images} (data.skip_corrupt).")
    return notes


def _explain_paper(label: str, row: RescoredRow) -> str:
    if row.has_papers_rule:
        return (
            f"The paper's figures at {row.evaluation.size_px} px are those of {label}, {row.name}."
        )
    return (
        f"{row.evaluation.rule.describe()} is not how the row {row.name} of {label} is compared "
        f"({row.papers_rule.describe()}); it stands beside it."
    )


def _head_figures(metrics: Sequence[Metric]) -> list[str]:
    return [f"{metric.heading} (95 %)" for metric in metrics]


def _head_paper(metrics: Sequence[Metric]) -> list[str]:
    labels = " / ".join(metric.label for metric in metrics)
    return [f"paper {labels}", f"Δ {labels}"]


def _list_figures(evaluation: Evaluation, metrics: Sequence[Metric]) -> list[str]:
    """Return each error with the bounds of its interval."""
    cells = []
    for metric in metrics:
        value = evaluation.metrics.get(metric.name)
        if value is None:
            cells.append("")
            continue
        spec = choose_value_spec(metric)
        low, high = evaluation.intervals[metric.name]
        interval = f"{low:{spec}} to {high:{spec}}"
        cells.append(f"{value:{spec}} ({interval})")
    return cells


def _list_paper_cells(row: RescoredRow | None, metrics: Sequence[Metric]) -> list[str]:
    if row is None:
        return ["", ""]
    papers = []
    differences = []
    for metric in metrics:
        published = row.paper.published(metric.name)
        if published is not None:
            spec = choose_value_spec(metric)
            papers.append(f"{published:{spec}}")
        difference = row.difference(metric)
        if difference is not None:
            spec = choose_difference_spec(metric)
            differences.append(f"{difference:{spec}}")
    return [
        " / ".join(papers),
        " / ".join(differences),
    ]


def _flatten_row(table: RescoredTable, row: RescoredRow) -> dict[str, Any]:
    one = row.evaluation
    values: dict[str, Any] = {
        "table": table.paper.name,
        "row": row.name,
        "kind": one.kind,
        "data": one.data["title"],
        "network": one.network,
        "weights": name_weights(one),
        "weights_sha256": one.weights["sha256"],
        "size_px": one.size_px,
        "resize_px": one.resize_px,
        "is_papers_rule": row.has_papers_rule,
        "images": one.images,
    }
    for metric in table.metrics:
        values |= _flatten_figures(row, metric)
    return values


def _flatten_figures(row: RescoredRow, metric: Metric) -> dict[str, float | None]:
    """Return the paper's figure of a metric and ours, with the bounds of its interval."""
    name = metric.name
    key, unit = metric.key, metric.unit
    low, high = row.evaluation.intervals.get(name, (None, None))
    return {
        f"paper_{name}": row.paper.published(name),
        name: row.evaluation.metrics.get(name),
        f"{key}_low_{unit}": low,
        f"{key}_high_{unit}": high,
        f"{key}_from_paper_{unit}": row.difference(metric),
    }
