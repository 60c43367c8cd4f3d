"""Two sides compared row by row, as Markdown and as data (report floor)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from senet_repro.core.wording import choose_form, count_noun, join_words
from senet_repro.report.claims.moves import (
    DIFFERENT,
    EQUAL,
    MOVED,
    WITHIN_NOISE,
    ComparedRow,
    ComparedSides,
    MetricMove,
    MoveSummary,
    list_task_metrics,
)
from senet_repro.report.tables.compared import SIDES, MatchedRow
from senet_repro.report.tables.numbers import (
    choose_difference_spec,
    choose_value_spec,
    format_interval,
    format_number,
    format_p_cell,
    start_sentence,
)
from senet_repro.report.text.markdown import (
    align_columns,
    drop_empty_columns,
    escape_markdown,
)
from senet_repro.results.metrics import Metric
from senet_repro.stats.estimates import LEVEL
from senet_repro.stats.moves import Noise

EXPLAINED = {
    EQUAL: "every figure is the same to the last digit in every common seed, and so are the outcomes where both kept "
    "them",
    WITHIN_NOISE: "not equal, and no more than seeds do by chance; that is no proof of no change, and ± says how "
    "large a change may be hidden",
    DIFFERENT: f"more than chance in the first metric, p at most {LEVEL} after Holm over the rows; why, it does not "
    "say",
    MOVED: "not equal, and one seed cannot tell noise from change: train a second seed of any such row",
}
"""The words of rows, for a reader of the table."""


@dataclass(frozen=True)
class SideName:
    """Where the records of a side come from."""

    given: str  # as the command names it
    commit: str | None = None  # 40 hexadecimal digits; None of a folder as it is now

    def describe(self) -> str:
        """Return it in words."""
        if self.commit is None:
            return self.given
        return f"{self.given} (as committed in {self.commit[:7]})"


def format_comparison(compared: ComparedSides, names: Sequence[SideName]) -> str:
    """Return a table of the rows for each task, what else differs, and a summary; `names` are of A and B."""
    sides = [f"{side}: {name.describe()}" for side, name in zip(SIDES, names, strict=True)]
    parts = [escape_markdown("; ".join(sides))]
    for task in compared.tasks:
        parts.append(_format_task(compared, task))
    remarks = [*_describe_words(compared), *_describe_unmatched(compared)]
    if compared.surroundings:
        beside = "; ".join(compared.surroundings)
        remarks.append(f"The pairs differ, or may differ, beside their figures: {beside}.")
    remarks.append(_summarise_rows(compared))
    remarks += [_describe_moves(compared.summarise_moves(task)) for task in compared.tasks]
    return "\n\n".join([*parts, *map(escape_markdown, remarks)])


def format_comparison_json(compared: ComparedSides, names: Sequence[SideName]) -> str:
    """Return the same as data."""
    sides = {side.lower(): asdict(name) for side, name in zip(SIDES, names, strict=True)}
    alone = [_collect_alone(row) for row in compared.matching.rows if not row.seeds]
    summaries = []
    for task in compared.tasks:
        summary = compared.summarise_moves(task)
        summaries.append({**asdict(summary), "metric": summary.metric.name})
    data = {
        **sides,
        "rows": [_collect_row(row) for row in compared.rows],
        "rows_without_common_seeds": alone,
        "differences_beside": compared.surroundings,
        "counts": compared.counts,
        "moves": summaries,
    }
    return json.dumps(data, indent=2)


def _format_task(compared: ComparedSides, task: str) -> str:
    rows = compared.select_task(task)
    metrics = list_task_metrics(task)
    lines = [_list_headings(metrics)]
    lines += [_list_cells(row, metrics) for row in rows]
    first, second = SIDES
    heading = f"{task}: {second} less {first}, seed by seed"
    # Detectors have no predictions to compare, and where all rows are equal nothing is tested.
    table = align_columns(drop_empty_columns(lines))
    footnotes = map(escape_markdown, _list_footnotes(rows))
    return "\n\n".join([f"### {escape_markdown(heading)}", table, *footnotes])


def _list_headings(metrics: Sequence[Metric]) -> list[str]:
    headings = ["row", "n"]
    for metric in metrics:
        headings += [f"{side} {metric.heading}" for side in SIDES]
        headings.append(f"Δ {metric.label}")
    return [*headings, "predictions differ %", "p", "word"]


def _list_cells(row: ComparedRow, metrics: Sequence[Metric]) -> list[str]:
    moves = {move.metric.name: move for move in row.metric_moves}
    cells = [escape_markdown(row.matched.name), str(row.n)]
    for metric in metrics:
        cells += _list_figures(moves.get(metric.name), metric, row.word)
    cells.append(format_number(row.predictions_differ_pct, ".2f"))
    cells.append("" if row.p_value is None else format_p_cell(row.p_value))
    return [*cells, row.word]


def _list_figures(move: MetricMove | None, metric: Metric, word: str) -> list[str]:
    """Return the two means and their difference; nothing of a metric that some run lacks."""
    if move is None:
        return ["", "", ""]
    spec = choose_value_spec(metric)
    means = [format_number(mean, spec) for mean in (move.first_mean, move.second_mean)]
    difference_spec = choose_difference_spec(metric)
    # Where nothing moved, the least spread that is believed would only confuse.
    if word == EQUAL:
        return [*means, format_number(move.difference.mean, difference_spec)]
    return [*means, format_interval(move.difference, difference_spec)]


def _list_footnotes(rows: Sequence[ComparedRow]) -> Iterator[str]:
    """Yield what ± comes from, in rows of several seeds and of one."""
    several = [row for row in rows if row.n > 1 and row.word != EQUAL]
    is_crossed = [row.metric_moves[0].difference.images is not None for row in several]
    if several:
        over = "seeds"
        if all(is_crossed):
            over = "seeds and images"
        elif any(is_crossed):
            over = "seeds, and over images too where all runs kept their outcomes"
        yield f"± is half a 95 % Student-t interval of the mean difference over {over}."
    for noise in dict.fromkeys(row.noise for row in rows if row.noise is not None):
        yield _describe_noise(noise, list_task_metrics(rows[0].task)[0])


def _describe_noise(noise: Noise, metric: Metric) -> str:
    sd = f"{noise.sd:{choose_value_spec(metric)}} {metric.difference_unit}"
    return (
        f"Where n is 1, ± and p come from {count_noun(noise.rows, 'row')} of the same protocol with several seeds on a "
        f"side, within which {metric.title} has a standard deviation of {sd}; a row whose own seeds spread farther is "
        "set against these."
    )


def _describe_words(compared: ComparedSides) -> list[str]:
    """Return what the words of the table mean."""
    counts = compared.counts
    return [f"{word}: {meaning}." for word, meaning in EXPLAINED.items() if counts[word]]


def _describe_unmatched(compared: ComparedSides) -> Iterator[str]:
    """Yield a line for whatever the two sides do not have alike: rows matched by name, and rows and seeds alone."""
    matching = compared.matching
    # Rows of which the same can be said share a line.
    names: dict[str, list[str]] = {}
    for row in matching.rows:
        for phrase in _list_phrases(row):
            names.setdefault(phrase, []).append(row.name)
    for phrase, alike in names.items():
        yield f"{phrase} ({count_noun(len(alike), 'row')}): {', '.join(alike)}."
    if matching.left_out:
        left_out = [f"{record.name} seed {record.seed}" for record in matching.left_out]
        yield f"Left out, since the same seed was trained before from another file: {', '.join(left_out)}."


def _list_phrases(row: MatchedRow) -> list[str]:
    """Return what is not alike on both sides of a row."""
    if not row.is_common:
        side = SIDES[0] if row.first.records else SIDES[1]
        return [f"In {side} only"]
    phrases = []
    if row.changes:
        changes = "; ".join(row.changes)
        phrases.append(f"Matched by name, since the settings differ, {changes}")
    parts = []
    for one, other in ((row.first, row.second), (row.second, row.first)):
        seeds = one.list_seeds_beyond(other)
        if seeds:
            noun = choose_form(len(seeds), "seed", "seeds")
            parts.append(f"{noun} {join_words(seeds, 'and')} in {one.name} only")
    if parts:
        none = "" if row.seeds else ", none in common"
        phrases.append(start_sentence(f"{', '.join(parts)}{none}"))
    return phrases


def _summarise_rows(compared: ComparedSides) -> str:
    """Return how many rows have each word."""
    counts = compared.counts
    words = [f"{counts[word]} {word}" for word in (EQUAL, WITHIN_NOISE, DIFFERENT)]
    if counts[MOVED]:
        words.append(f"{counts[MOVED]} {MOVED}")
    return f"{count_noun(len(compared.rows), 'row')}: {', '.join(words)}."


def _describe_moves(summary: MoveSummary) -> str:
    """Return how far single runs moved, and how many pairs cannot tell."""
    if summary.largest is None or summary.rms is None:
        pairs = choose_form(summary.copies, "The one pair of runs is", "All pairs of runs are")
        return (
            f"{pairs} copied from one training ({summary.copies}): none was trained a second time, "
            "so that none can move."
        )
    copies = ""
    if summary.copies:
        verb = choose_form(summary.copies, "pair is", "pairs are")
        copies = f"{summary.copies} more {verb} copied from one training, and left out."
    spec = choose_value_spec(summary.metric)
    pairs = choose_form(summary.pairs, "pair", "pairs")
    unit = summary.metric.difference_unit
    moved = (
        f"Single runs moved by at most {summary.largest:{spec}} {unit} of {summary.metric.title}, {summary.rms:{spec}} "
        f"in root mean square, over {summary.pairs} {pairs} of runs."
    )
    apart = ""
    if summary.seeds_apart is not None:
        apart = f"Two seeds of one row lie {summary.seeds_apart:{spec}} apart by the same measure."
    return " ".join(part for part in (moved, apart, copies) if part)


def _collect_row(row: ComparedRow) -> dict[str, Any]:
    moves = {}
    for move in row.metric_moves:
        moves[move.metric.name] = {
            "a": move.first_mean,
            "b": move.second_mean,
            "difference": asdict(move.difference),
        }
    return {
        **_collect_matched(row.matched),
        "task": row.task,
        "word": row.word,
        "n": row.n,
        "metrics": moves,
        "p_value": row.p_value,
        "noise": asdict(row.noise) if row.noise else None,
        "predictions_differ_pct": row.predictions_differ_pct,
        "single_moves": row.single_moves,
        "copies": row.copies,
    }


def _collect_alone(row: MatchedRow) -> dict[str, Any]:
    return {**_collect_matched(row), "task": row.example.task}


def _collect_matched(row: MatchedRow) -> dict[str, Any]:
    first, second = row.first, row.second
    return {
        "row": row.name,
        "run_key_a": first.records[0].run_key if first.records else None,
        "run_key_b": second.records[0].run_key if second.records else None,
        "settings_that_differ": row.changes,
        "seeds": row.seeds,
        "seeds_in_a_only": first.list_seeds_beyond(second),
        "seeds_in_b_only": second.list_seeds_beyond(first),
    }
