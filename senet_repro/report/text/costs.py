"""Costs of SE in words: a table for each setting, and the verdicts on section 4's claims (report floor)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from senet_repro.config.studies import load_study
from senet_repro.core.wording import join_words
from senet_repro.report.claims.costs import STUDY, judge_costs
from senet_repro.report.tables.costs import CostRow, CostTable
from senet_repro.report.tables.numbers import format_interval
from senet_repro.report.text.borders import collect_border_verdicts, format_border_verdicts
from senet_repro.report.text.latex import format_wide_table
from senet_repro.report.text.markdown import escape_markdown, format_noted_table
from senet_repro.results.costs import INFERENCE, KINDS, ONE_IMAGE, TRAINING_STEP
from senet_repro.stats.estimates import Estimate

SECTION = "Section 4: what SE costs"
REHEARSAL = "A rehearsal on tiny inputs: these figures say nothing, and nothing is judged by them."
READING = (
    "Pairs are without SE / with SE; memory and joules are of a training step. Times are medians over the rounds, with "
    "the least and the greatest. Both networks are timed in turn: a ratio is that with SE to that without in the same "
    "round, its ± half a 95 % Student-t interval over the rounds."
)
HEADS = {TRAINING_STEP: "training step", INFERENCE: "inference", ONE_IMAGE: "one image"}


def format_cost_heading(table: CostTable) -> str:
    """Return which part of the paper it is, and in which setting its networks were timed."""
    setting = table.setting
    words = [setting.precision]
    if setting.is_compiled:
        words.append("compiled")
    words.append(f"batch {setting.batch}")
    return f"{SECTION} ({setting.device}, {', '.join(words)})"


def list_cost_cells(table: CostTable) -> list[list[str]]:
    """Return the cells of a setting's networks; the first line is the header, and empty columns are left out."""
    head = ["", "params M", "paper params M", "GFLOPs", "paper GFLOPs"]
    for kind in KINDS:
        head += [f"{HEADS[kind]} ms", "with SE ms", "ratio"]
    head += ["memory MB", "ratio", "joules", "ratio"]
    lines = [head, *map(_list_row_cells, table.rows)]
    kept = [0, *(at for at in range(1, len(head)) if any(line[at] for line in lines[1:]))]
    return [[line[at] for at in kept] for line in lines]


def format_cost_markdown(table: CostTable) -> str:
    """Return a setting's networks as a Markdown table with its notes."""
    return format_noted_table(
        format_cost_heading(table), list_cost_cells(table), list_cost_notes(table)
    )


def format_cost_latex(table: CostTable) -> str:
    """Return a setting's networks as a table environment of its own."""
    return format_wide_table(
        format_cost_heading(table), list_cost_cells(table), list_cost_notes(table), words=1
    )


def flatten_cost(table: CostTable) -> list[dict[str, Any]]:
    """Return the rows as plain values under names with units, as CSV and JSON hold them."""
    return [_flatten_row(table, row) for row in table.rows]


def collect_cost(table: CostTable) -> dict[str, Any]:
    """Return a setting's rows, notes and verdicts for JSON."""
    return {
        "table": STUDY,
        "number": None,
        "title": format_cost_heading(table),
        "kind": "measured",
        "notes": list_cost_notes(table),
        "rows": flatten_cost(table),
    }


def list_cost_notes(table: CostTable) -> list[str]:
    """Return how to read the figures, in which setting they were taken, and what memory and joules count."""
    notes = [REHEARSAL] if table.is_quick else []
    notes += [READING, _describe_setting(table)]
    for row in table.rows:
        notes += [row.cost.memory_is, row.cost.energy_is]
    notes.append(_describe_measuring(table))
    return list(dict.fromkeys(notes))


def format_cost_verdicts(tables: Sequence[CostTable]) -> str:
    """Return the verdicts on section 4's claims in each setting; nothing where nothing was measured but rehearsals."""
    study = load_study(STUDY)
    parts = []
    for table in tables:
        judged = judge_costs(table)
        if judged:
            heading = f"### {escape_markdown(format_cost_heading(table))}"
            parts += [
                heading,
                format_border_verdicts(judged),
                escape_markdown(caution_costs(table)),
            ]
    if not parts:
        return ""
    return "\n\n".join([*parts, escape_markdown(study.note or "")])


def collect_cost_verdicts(tables: Sequence[CostTable]) -> list[Mapping[str, Any]]:
    """Return the verdicts in each setting as plain values, as JSON holds them."""
    return [
        {
            "setting": format_cost_heading(table),
            "caution": caution_costs(table),
            "claims": collect_border_verdicts(judge_costs(table)),
        }
        for table in tables
        if not table.is_quick
    ]


def caution_costs(table: CostTable) -> str:
    """Return how far a setting is from the paper's, so that verdicts in it are read as what they are."""
    setting = table.setting
    place = f"one GPU, {setting.batch} images"
    if setting.device_type != "cuda":
        place = f"{_count_threads(setting.threads)} of a CPU, {setting.batch} images"
    return (
        f"A proxy: the paper's training step is of eight GPUs and 256 images, and here it is of {place}. "
        "The verdicts are about this machine and these versions."
    )


def _list_row_cells(row: CostRow) -> list[str]:
    pair, cost = row.pair, row.cost
    # Networks below 10^9 multiply-adds get a decimal more, as the paper's Table 3 prints them.
    decimals = 2 if cost.macs[0] >= 1e9 else 3
    cells = [
        pair.plain_name,
        _join_pair([count / 1e6 for count in cost.params], ".2f"),
        _join_pair([pair.plain.params_m, pair.with_se.params_m], ".1f"),
        _join_pair([count / 1e9 for count in cost.macs], f".{decimals + 1}f"),
        _join_pair([pair.plain.gflops, pair.with_se.gflops], f".{decimals}f"),
    ]
    for kind in KINDS:
        cells += map(_format_times, cost.times_ms[kind], row.find_medians(kind))
        cells.append(format_interval(row.estimate_ratio(kind), ".3f"))
    cells += [_join_pair([size / 1e6 for size in cost.memory_bytes], ",.0f")]
    cells += [f"{row.memory_ratio:.3f}"]
    joules: list[float | None] = [None, None]
    if cost.energy_j:
        joules = [median(rounds) for rounds in cost.energy_j]
    return [*cells, _join_pair(joules, ".1f"), format_interval(row.energy_ratio, ".3f")]


def _join_pair(values: Sequence[float | None], spec: str) -> str:
    """Return the figure without SE and that with it; nothing where either is missing."""
    plain, with_se = values
    if plain is None or with_se is None:
        return ""
    return f"{plain:{spec}} / {with_se:{spec}}"


def _format_times(rounds: Sequence[float], middle: float) -> str:
    """Return a median with the least and the greatest of its rounds."""
    spec = ",.2f"
    if middle >= 10:
        spec = ",.1f"
    if middle >= 100:
        spec = ",.0f"
    return f"{middle:{spec}} ({min(rounds):{spec}} to {max(rounds):{spec}})"


def _describe_setting(table: CostTable) -> str:
    setting = table.setting
    compiled = "compiled" if setting.is_compiled else "not compiled"
    threads = "" if setting.threads is None else f", {_count_threads(setting.threads)}"
    sizes = join_words(dict.fromkeys(row.cost.px for row in table.rows), "and")
    return (
        f"{setting.device}{threads}, {setting.precision}, {compiled}, {setting.memory_format}, batches of "
        f"{setting.batch} and single images of {sizes} px, torch {setting.torch}."
    )


def _count_threads(threads: int | None) -> str:
    return "one thread" if threads == 1 else f"{threads} threads"


def _describe_measuring(table: CostTable) -> str:
    """Return when and under which load the networks were timed, by which code, and what was compared before."""
    costs = [row.cost for row in table.rows]
    rounds = join_words(dict.fromkeys(len(one.times_ms[TRAINING_STEP][0]) for one in costs), "and")
    times = sorted(str(one.machine["measured_at"]) for one in costs)
    loads = sorted(one.machine["load"] for one in costs)
    commits = dict.fromkeys(_name_commit(one.machine) for one in costs)
    checks = dict.fromkeys(one.checked for one in costs)
    return (
        f"Rounds: {rounds}, from {times[0]} to {times[-1]}, load {loads[0]} to {loads[-1]} on "
        f"{costs[0].machine['cores']} cores, commit {join_words(commits, 'and')}. Before: {'; '.join(checks)}."
    )


def _name_commit(machine: Mapping[str, Any]) -> str:
    commit = str(machine["commit"] or "not known")[:12]
    return f"{commit} with changes" if machine["dirty"] else commit


def _flatten_row(table: CostTable, row: CostRow) -> dict[str, Any]:
    cost, setting = row.cost, table.setting
    values: dict[str, Any] = {
        "table": STUDY,
        "row": row.pair.plain_name,
        "kind": "measured",
        "network": cost.network,
        "device": setting.device,
        "precision": setting.precision,
        "is_compiled": setting.is_compiled,
        "memory_format": setting.memory_format,
        "threads": setting.threads,
        "batch": setting.batch,
        "px": cost.px,
        "torch": setting.torch,
        "params": cost.params[0],
        "se_params": cost.params[1],
        "macs": cost.macs[0],
        "se_macs": cost.macs[1],
        "memory_bytes": cost.memory_bytes[0],
        "se_memory_bytes": cost.memory_bytes[1],
        "memory_ratio": row.memory_ratio,
    }
    for kind in KINDS:
        values |= _flatten_times(kind, cost.times_ms[kind], row.find_medians(kind))
        values |= _flatten_ratio(f"{kind}_ratio", row.estimate_ratio(kind))
    for prefix, joules in zip(("", "se_"), cost.energy_j or [[], []], strict=True):
        values[f"{prefix}joules"] = median(joules) if joules else None
    return values | _flatten_ratio("joules_ratio", row.energy_ratio)


def _flatten_times(
    kind: str, rounds: Sequence[Sequence[float]], medians: Sequence[float]
) -> dict[str, float]:
    values: dict[str, float] = {}
    for prefix, times, middle in zip(("", "se_"), rounds, medians, strict=True):
        name = f"{prefix}{kind}"
        values |= {
            f"{name}_ms": middle,
            f"{name}_lowest_ms": min(times),
            f"{name}_highest_ms": max(times),
        }
    return values


def _flatten_ratio(name: str, ratio: Estimate | None) -> dict[str, float | None]:
    if ratio is None:
        return {name: None, f"{name}_half_width": None}
    return {name: ratio.mean, f"{name}_half_width": ratio.half_width}
