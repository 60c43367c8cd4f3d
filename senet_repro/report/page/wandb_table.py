"""Describe a result table as a run on Weights & Biases: rows as the paper prints them, charts, verdicts (report floor).

The run's id is made of the table and the protocol, whatever the seeds, so that publishing again replaces it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from senet_repro.config.identity import hash_identity
from senet_repro.config.paper_tables import label_table
from senet_repro.mirrors.wandb_data import WandbImage, WandbRun
from senet_repro.report.claims.judge import Judged, format_verdict, judge
from senet_repro.report.claims.words import VERDICTS
from senet_repro.report.figures.table_figures import draw_table_figures
from senet_repro.report.tables.build import ResultRow, ResultTable
from senet_repro.report.tables.standing import Standing
from senet_repro.report.text.notes import list_notes
from senet_repro.report.text.plain import flatten_rows
from senet_repro.results.metrics import Metric

TABLES_FOLDER = "wandb-tables"
"""Where the tables' files lie, below the results."""


def describe_table(table: ResultTable, results_dir: Path, project: str) -> WandbRun:
    """Return a table as W&B shall show it, without its charts."""
    judged = judge(table)
    run_id = build_run_id(table)
    claims = [build_claim_row(one) for one in judged]
    rows = build_rows(table, judged)
    error = table.metrics[0].name
    return WandbRun(
        folder=results_dir / TABLES_FOLDER / run_id,
        run_id=run_id,
        project=project,
        name=build_name(table),
        group=table.paper.name,
        job_type="table",
        notes="\n".join(list_notes(table)),
        config=build_config(table),
        tables={"errors": rows, "claims": claims} if claims else {"errors": rows},
        bars=[{"row": row["row"], error: row[error]} for row in rows if row[error] is not None],
        summary={
            **count_verdicts(judged),
            "rows_run": len(table.run_rows),
            "rows": len(table.rows),
            "seeds": len(table.seeds),
        },
    )


def add_charts(run: WandbRun, table: ResultTable) -> WandbRun:
    """Return a described table with its charts, which take most of a second to draw."""
    images = {}
    for drawing in draw_table_figures(table, run.run_id, {}):
        chart = drawing.name.rpartition("-")[2]
        images[f"chart_{chart}"] = WandbImage(png=drawing.png, caption=drawing.caption)
    return replace(run, images=images)


def build_run_id(table: ResultTable) -> str:
    """Return the id of a table: its name and a hash of the runs that it asks for, trained or not."""
    run_keys = {row.name: row.run_key for row in table.rows}
    asked_for = {"rows": run_keys, "eval_images": table.example.eval_images}
    return f"{table.paper.name}-{hash_identity(asked_for)[:8]}"


def build_name(table: ResultTable) -> str:
    """Return the name of a table: its title, its data, and how it differs from other tables here."""
    marks = [table.set_name]
    if table.standing == Standing.PROXY:
        marks.append(table.standing)
    marks += table.distinctions
    return f"{label_table(table.paper)}: {table.paper.title} ({', '.join(marks)})"


def build_config(table: ResultTable) -> dict[str, Any]:
    """Return which table of the paper it is, and the protocol of each network in it."""
    protocols = {
        row.protocol["model"]["name"]: row.protocol
        for row in table.rows
        if row.records and row.protocol
    }
    return {
        "table": table.paper.name,
        "number": table.paper.number,
        "section": table.paper.section,
        "title": table.paper.title,
        "data": table.example.identity["data"]["name"],
        "stands_for": table.stands_for,
        "protocols": protocols,
        "is_paper_protocol": not table.departures,
        "departures_from_paper": table.departures,
    }


def build_rows(table: ResultTable, judged: Sequence[Judged]) -> list[dict[str, Any]]:
    """Return the rows of a table, each with the verdicts about it."""
    flat = flatten_rows(table)
    columns = list_columns(table.metrics, flat)
    rows = []
    for values, row in zip(flat, table.rows, strict=True):
        shown = {name: values[name] for name in columns}
        rows.append({**shown, "verdict": describe_verdicts(table, row, judged)})
    return rows


def list_columns(metrics: Sequence[Metric], flat: Sequence[dict[str, Any]]) -> list[str]:
    """Return the columns of a table, among those of CSV.

    Each figure of ours is followed by half its 95 % interval; figures that the paper only cites have a column where
    there are any.
    """
    columns = ["row", "n"]
    is_cited = any(row[f"cited_{metric.name}"] is not None for row in flat for metric in metrics)
    for metric in metrics:
        if is_cited:
            columns.append(f"cited_{metric.name}")
        columns += [
            f"paper_{metric.name}",
            metric.name,
            metric.half_width_name,
            f"paper_{metric.difference_name}",
            metric.difference_name,
            metric.difference_half_width_name,
        ]
    return [*columns, "paper_params_m", "params_m", "paper_gflops", "gflops"]


def describe_verdicts(table: ResultTable, row: ResultRow, judged: Sequence[Judged]) -> str:
    """Return the verdicts of all claims about a metric that compare the row to its baseline; empty without any."""
    metrics = {metric.name for metric in table.metrics}
    compared = {row.name, table.paper.baseline_of(row.name)}
    sentences = []
    for one in judged:
        if one.kind.figure_name in metrics and compared <= set(one.claim.rows):
            sentences.append(f"{format_verdict(one)}: {one.claim.says}")
    return "; ".join(sentences)


def build_claim_row(one: Judged) -> dict[str, Any]:
    """Return a claim of the paper with its verdict as a row of plain values."""
    return {
        "section": one.claim.section,
        "claim": one.claim.says,
        "verdict": one.verdict,
        "provisional": one.is_provisional,
        "kind": one.claim.kind,
        "rows": ", ".join(one.claim.rows),
        "figure": one.kind.figure_name,
        "difference": one.difference and one.difference.mean,
        "difference_half_width": one.difference and one.difference.half_width,
        "n": one.n,
        "p_value": one.p_value,
        "evidence": one.evidence,
    }


def count_verdicts(judged: Sequence[Judged]) -> dict[str, int]:
    """Return how many claims have each verdict, such as claims_not_run."""
    counts = Counter(one.verdict for one in judged)
    return {f"claims_{verdict.replace(' ', '_')}": counts[verdict] for verdict in VERDICTS}
