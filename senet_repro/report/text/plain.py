"""Result tables as plain values under names with units: CSV and JSON (report floor)."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from senet_repro.config.identity import hash_identity
from senet_repro.report.tables.build import ResultRow, ResultTable, count_code_versions
from senet_repro.report.tables.origins import list_reported_seeds
from senet_repro.report.text.notes import list_footnotes
from senet_repro.results.metrics import Metric


def write_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return a line per row, with an empty field where it has no such value; nothing where there are no rows."""
    if not rows:
        return ""
    # Tables of several tasks have metrics of their own, and share the other columns.
    columns = dict.fromkeys(name for row in rows for name in row)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().rstrip("\n")


def collect_tables(tables: Sequence[ResultTable]) -> list[dict[str, Any]]:
    """Return each table with its notes and rows as JSON holds it."""
    return [_collect_table(table) for table in tables]


def write_json_tables(tables: Sequence[Mapping[str, Any]]) -> str:
    """Return tables that were collected as JSON."""
    return json.dumps(tables, indent=2)


def flatten_rows(table: ResultTable) -> list[dict[str, Any]]:
    """Return the rows of a table as plain values."""
    return [_flatten_row(table, row) for row in table.rows]


def collect_protocols(table: ResultTable) -> dict[str, Any]:
    """Return the protocols of a table by the network that they train."""
    protocols = {}
    for row in table.rows:
        if row.records and row.protocol:
            protocols[row.protocol["model"]["name"]] = row.protocol
    return protocols


def _collect_table(table: ResultTable) -> dict[str, Any]:
    return {
        "table": table.paper.name,
        "number": table.paper.number,
        "title": table.paper.title,
        "notes": list_footnotes(table),
        "protocols": collect_protocols(table),
        "departures_from_paper": table.departures,
        "rows": flatten_rows(table),
    }


def _flatten_row(table: ResultTable, row: ResultRow) -> dict[str, Any]:
    values = {
        "table": table.paper.name,
        "row": row.name,
        **_flatten_protocol(table, row),
        "is_paper_protocol": not table.departures,
        "code_versions": " ".join(map(str, count_code_versions(row.records))),
        "n": len(row.seeds),
        "seeds": " ".join(map(str, row.seeds)),
        "failed": len(row.failed),
    }
    if table.reported:
        values["reported_seeds"] = " ".join(map(str, list_reported_seeds(row)))
    for metric in table.metrics:
        values |= _flatten_metric(table, row, metric)
    values["paper_params_m"] = row.paper.params_m
    values["params_m"] = None if row.params is None else row.params / 1e6
    values["paper_gflops"] = row.paper.gflops
    values["gflops"] = None if row.macs is None else row.macs / 1e9
    return values


def _flatten_protocol(table: ResultTable, row: ResultRow) -> dict[str, Any]:
    protocol = row.protocol
    if protocol is None:
        return dict.fromkeys(("data", "network", "epochs", "protocol_key"))
    # The same number of evaluation images belongs to what a table's rows have in common.
    identity = {**protocol, "eval_images": table.example.eval_images}
    return {
        "data": table.set_name,
        "network": protocol["model"]["name"],
        "epochs": protocol["recipe"]["epochs"],
        "protocol_key": hash_identity(identity)[:8],
    }


def _flatten_metric(table: ResultTable, row: ResultRow, metric: Metric) -> dict[str, float | None]:
    """Return the paper's figures of a metric and ours, each of ours followed by half its 95 % interval."""
    own = row.estimates.get(metric.name)
    difference = row.differences.get(metric.name)
    paper_difference = table.paper_delta(row, metric.name)
    if paper_difference is not None:
        # A difference of published figures has no more decimals than they have.
        paper_difference = round(paper_difference, metric.decimals)
    return {
        f"cited_{metric.name}": row.paper.cited.get(metric.name),
        f"paper_{metric.name}": row.paper.published(metric.name),
        metric.name: own.mean if own else None,
        metric.half_width_name: own.half_width if own else None,
        f"paper_{metric.difference_name}": paper_difference,
        metric.difference_name: difference.mean if difference else None,
        metric.difference_half_width_name: difference.half_width if difference else None,
    }
