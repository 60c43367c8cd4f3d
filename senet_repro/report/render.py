"""Result tables as Markdown, CSV and JSON (report floor)."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence, Sized
from typing import Any

from senet_repro.config.canonical import key_of
from senet_repro.config.choice import listed
from senet_repro.config.tables import label
from senet_repro.report.tables import ResultRow, ResultTable
from senet_repro.results.statistics import Estimate

PAPER_DATA = {"imagenet": "ImageNet", "cifar10": "CIFAR-10", "cifar100": "CIFAR-100"}

HEADER = (
    "",
    "cited top-1 / top-5 err %",
    "paper top-1 / top-5 err %",
    "our top-1 err % (n)",
    "our top-5 err % (n)",
    "paper Δ top-1 / top-5",
    "our Δ top-1",
    "our Δ top-5",
    "paper params M",
    "our params M",
    "paper GFLOPs",
    "our GFLOPs",
)


def markdown(tables: Sequence[ResultTable]) -> str:
    """Every table with its heading and the lines that say what its numbers are."""
    return "\n\n".join(_markdown_table(table) for table in tables)


def csv_text(tables: Sequence[ResultTable]) -> str:
    """One line per row of every table; errors in percent, an empty field where there is no figure."""
    rows = [flat for table in tables for flat in flat_rows(table)]
    text = io.StringIO()
    if rows:
        writer = csv.DictWriter(text, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return text.getvalue().rstrip("\n")


def json_text(tables: Sequence[ResultTable]) -> str:
    """A list of tables, each with its notes and its rows as in CSV."""
    data = [
        {
            "table": table.paper.name,
            "number": table.paper.number,
            "title": table.paper.title,
            "notes": notes(table),
            "protocols": {row.form["model"]["name"]: row.form for row in table.rows if row.records and row.form},
            "departures_from_paper": table.departures,
            "rows": flat_rows(table),
        }
        for table in tables
    ]
    return json.dumps(data, indent=2)


FORMATS: dict[str, Callable[[Sequence[ResultTable]], str]] = {
    "markdown": markdown,
    "csv": csv_text,
    "json": json_text,
}


def aligned(cells: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose columns also line up as plain text; the first row is the header."""
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    rule = ["-" * max(3, widths[0])] + ["-" * (max(3, width) - 1) + ":" for width in widths[1:]]
    lines = []
    for line in [cells[0], rule, *cells[1:]]:
        padded = [
            cell.ljust(max(3, w)) if i == 0 else cell.rjust(max(3, w))
            for i, (cell, w) in enumerate(zip(line, widths, strict=True))
        ]
        lines.append(f"| {' | '.join(padded)} |")
    return "\n".join(lines)


def notes(table: ResultTable) -> list[str]:
    """What the numbers are: data, network, epochs, seeds, and how far from the paper's protocol."""
    run = [row for row in table.rows if row.records]
    networks = dict.fromkeys(row.form["model"]["name"] for row in run if row.form)
    epochs = sorted({record.epochs for row in run for record in row.records})
    lines = [
        f"Data {table.example.canonical['data']['name']} ({table.example.eval_images:,} evaluation images), "
        f"network{_s(networks)} {', '.join(networks)}, {listed(epochs, 'or')} epoch{_s(range(max(epochs)))}, "
        f"seed{_s(table.seeds)} {', '.join(map(str, table.seeds))}. "
        "Errors are the last epoch's; ± is half a 95 % Student-t interval over n seeds; "
        f"Δ is the difference to {table.paper.baseline or 'the network without SE'}, ours paired by seed."
    ]
    if len(table.seeds) == 1:
        lines.append("One seed: no interval, and no difference here is evidence.")
    if table.distinctions:
        lines.append(f"Unlike the other tables here of its data and network: {', '.join(table.distinctions)}.")
    if table.departures:
        lines.append(f"Not the paper's protocol (the paper's in brackets): {', '.join(table.departures)}.")
    config = table.example.config
    recipe_note = config["recipe"].get("note")  # records older than this key lack it
    lines += [note for note in (_proxy(table), config["data"].get("note"), recipe_note, table.paper.note) if note]
    lines += [f"{row.name} failed: {reason}" for row in table.rows for reason in row.failed.values()]
    return lines


def _proxy(table: ResultTable) -> str | None:
    if table.stands_for is None:
        return None
    data = table.example.config["data"]
    ours = (data["proxy"] or data["name"]).removesuffix(" instead of ImageNet")  # the first records say it themselves
    return f"A proxy: {ours} instead of {PAPER_DATA[table.stands_for]}."


def flat_rows(table: ResultTable) -> list[dict[str, Any]]:
    """The rows as plain values under names with units."""
    return [
        {
            "table": table.paper.name,
            "row": row.name,
            "data": row.form and row.form["data"]["name"],
            "network": row.form and row.form["model"]["name"],
            "epochs": row.form and row.form["recipe"]["epochs"],
            "protocol_key": row.form and key_of({**row.form, "eval_images": table.example.eval_images})[:8],
            "is_paper_protocol": not table.departures,
            "n": len(row.seeds),
            "seeds": " ".join(map(str, row.seeds)),
            "failed": len(row.failed),
            **_flat_error(table, row, "top1"),
            **_flat_error(table, row, "top5"),
            "paper_params_m": row.paper.params_m,
            "params_m": None if row.params is None else row.params / 1e6,
            "paper_gflops": row.paper.gflops,
            "gflops": None if row.macs is None else row.macs / 1e9,
        }
        for row in table.rows
    ]


def _flat_error(table: ResultTable, row: ResultRow, top: str) -> dict[str, float | None]:
    own: Estimate | None = getattr(row, f"{top}_err_pct")
    delta: Estimate | None = getattr(row, f"{top}_delta_pct")
    paper_delta = table.paper_delta(row, f"{top}_err_pct")
    return {
        f"cited_{top}_err_pct": getattr(row.paper, f"cited_{top}_err_pct"),
        f"paper_{top}_err_pct": getattr(row.paper, f"{top}_err_pct"),
        f"{top}_err_pct": own and own.mean,
        f"{top}_half_width_pct": own and own.half_width,
        f"paper_{top}_delta_pct": None if paper_delta is None else round(paper_delta, 2),
        f"{top}_delta_pct": delta and delta.mean,
        f"{top}_delta_half_width_pct": delta and delta.half_width,
    }


def _markdown_table(table: ResultTable) -> str:
    data = table.example.canonical["data"]["name"]
    head = f"### {label(table.paper)}: {table.paper.title} ({data}{', a proxy' if table.stands_for else ''})"
    cells = [_cells(table, row) for row in table.rows]
    kept = [column for column in range(len(HEADER)) if any(line[column] for line in cells)]  # none without a figure
    body = aligned([[line[column] for column in kept] for line in (HEADER, *cells)])
    return "\n\n".join([head, body, *notes(table)])


def _cells(table: ResultTable, row: ResultRow) -> list[str]:
    paper = row.paper
    base = table.is_baseline(row)
    deltas = [table.paper_delta(row, error) for error in ("top1_err_pct", "top5_err_pct")]
    missing = "failed" if row.failed else "not run" if row.form else "cited"
    n = f"{len(row.seeds)}" if len(row.seeds) == len(table.seeds) else f"{len(row.seeds)}/{len(table.seeds)}"
    return [
        row.name,
        _pair(paper.cited_top1_err_pct, paper.cited_top5_err_pct, "{}"),
        _pair(paper.top1_err_pct, paper.top5_err_pct, "{:.2f}"),
        f"{_spread(row.top1_err_pct)} ({n})" if row.top1_err_pct else missing,
        f"{_spread(row.top5_err_pct)} ({n})" if row.top5_err_pct else missing,
        "baseline" if base else _pair(deltas[0], deltas[1], "{:+.2f}"),
        "baseline" if base else _spread(row.top1_delta_pct, "+.2f"),
        "" if base else _spread(row.top5_delta_pct, "+.2f"),
        _number(paper.params_m, "{:.1f}"),
        _number(row.params and row.params / 1e6, "{:.3f}"),
        _number(paper.gflops, "{:.2f}"),
        _number(row.macs and row.macs / 1e9, "{:.4f}"),
    ]


def _s(items: Sized) -> str:
    """The ending of a noun that counts them."""
    return "" if len(items) == 1 else "s"


def _spread(value: Estimate | None, spec: str = ".2f") -> str:
    if value is None:
        return ""
    return f"{value.mean:{spec}}" + ("" if value.half_width is None else f" ± {value.half_width:.2f}")


def _number(value: float | None, pattern: str) -> str:
    return "" if value is None else pattern.format(value)


def _pair(first: float | None, second: float | None, pattern: str) -> str:
    return " / ".join(pattern.format(value) for value in (first, second) if value is not None)
