"""What every format of a result table says, and its plain values as CSV and JSON (report floor)."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator, Sequence, Sized
from typing import Any

from senet_repro.config.data_sets import data_title
from senet_repro.config.identity import CODE_VERSION, key_of
from senet_repro.config.paper_tables import label
from senet_repro.core.choice import listed
from senet_repro.report.claims.judge import VERDICTS, confounds, judge
from senet_repro.report.tables.build import ResultRow, ResultTable, code_versions
from senet_repro.stats.estimates import Estimate


def heading(table: ResultTable) -> str:
    """Which table it is, on which data."""
    return f"{label(table.paper)}: {table.paper.title} ({on_data(table)})"


def on_data(table: ResultTable) -> str:
    """The data, and whether it stands in for the paper's."""
    return f"{table.example.canonical['data']['name']}{', a proxy' if table.stands_for else ''}"


def networks(table: ResultTable) -> list[str]:
    """Those that have records."""
    return list(
        dict.fromkeys(row.form["model"]["name"] for row in table.rows if row.records and row.form)
    )


def missing(row: ResultRow) -> str:
    """Why a row has no figure of ours."""
    return "failed" if row.failed else "not run" if row.form else "cited"


def seed_count(table: ResultTable, row: ResultRow) -> str:
    """How many seeds a row has, and of how many where another has more."""
    return (
        f"{len(row.seeds)}"
        if len(row.seeds) == len(table.seeds)
        else f"{len(row.seeds)}/{len(table.seeds)}"
    )


def notes(table: ResultTable) -> list[str]:
    """What the numbers are: data, network, epochs, seeds, and how far from the paper's protocol."""
    run = [row for row in table.rows if row.records]
    epochs = sorted({record.epochs for row in run for record in row.records})
    names = networks(table)
    lines = [
        f"Data {table.example.canonical['data']['name']} ({table.example.eval_images:,} evaluation images), "
        f"network{_s(names)} {', '.join(names)}, {listed(epochs, 'or')} epoch{_s(range(max(epochs)))}, "
        f"seed{_s(table.seeds)} {', '.join(map(str, table.seeds))}. "
        "Errors are the last epoch's; ± is half a 95 % Student-t interval over n seeds; "
        f"Δ is the difference to {table.paper.baseline or 'the network without SE'}, ours paired by seed."
    ]
    if len(table.seeds) == 1:
        lines.append("One seed: no interval, and no difference here is evidence.")
    if table.distinctions:
        lines.append(
            f"Unlike the other tables here of its data and network: {', '.join(table.distinctions)}."
        )
    if table.departures:
        lines.append(
            f"Not the paper's protocol (the paper's in brackets): {', '.join(table.departures)}."
        )
    config = table.example.config
    recipe_note = config["recipe"].get("note")  # records older than this key lack it
    lines += [
        note
        for note in (_proxy(table), config["data"].get("note"), recipe_note, table.paper.note)
        if note
    ]
    lines += _code_versions(table)
    lines += _skipped(table)
    lines += [
        f"{row.name} failed: {reason}" for row in table.rows for reason in row.failed.values()
    ]
    return lines


def footnotes(table: ResultTable) -> list[str]:
    """The notes, what else differs between compared rows, and how many of the paper's claims our records bear out."""
    verdicts = Counter(judged.verdict for judged in judge(table))
    said = ", ".join(f"{verdicts[verdict]} {verdict}" for verdict in VERDICTS)
    lines = notes(table)
    if differing := confounds(table):
        lines.append(
            f"Rows that a claim compares differ in more than the axes: {'; '.join(differing)}."
        )
    if verdicts:
        lines.append(f"The paper's claims about it: {said}.")
    return lines


def _skipped(table: ResultTable) -> Iterator[str]:
    """What there is to say where networks were trained without some of the images."""
    counts = [len(r.skipped.get("train", ())) for row in table.rows for r in row.records]
    if some := [count for count in counts if count]:
        images = listed(sorted(set(some)), "or")
        yield f"{_records(len(some))} of networks trained without {images} unreadable images (data.skip_corrupt)."


def _code_versions(table: ResultTable) -> Iterator[str]:
    """What there is to say where records of several code versions are about."""
    own = {row.form["code_version"] for row in table.rows if row.form}
    if set(table.code_versions) != own or table.superseded:
        counts = ", ".join(
            f"{_records(n)} of version {version}" for version, n in table.code_versions.items()
        )
        yield f"Code versions were not told apart (--allow-mixed; the present one is {CODE_VERSION}): {counts}."
    if table.superseded:
        left_out = _records(len(table.superseded))
        yield f"Where a seed has records of several code versions the newest counts; {left_out} left out."
    if table.other_code_versions:
        yield (
            f"Records of code version {listed(table.other_code_versions, 'and')} make a table of their own; "
            "--allow-mixed puts them into one."
        )


def _proxy(table: ResultTable) -> str | None:
    if table.stands_for is None:
        return None
    data = table.example.config["data"]
    ours = (data["proxy"] or data["name"]).removesuffix(
        " instead of ImageNet"
    )  # the first records say it themselves
    return f"A proxy: {ours} instead of {data_title(table.stands_for)}."


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
            "notes": footnotes(table),
            "protocols": {
                row.form["model"]["name"]: row.form
                for row in table.rows
                if row.records and row.form
            },
            "departures_from_paper": table.departures,
            "rows": flat_rows(table),
        }
        for table in tables
    ]
    return json.dumps(data, indent=2)


def flat_rows(table: ResultTable) -> list[dict[str, Any]]:
    """The rows as plain values under names with units."""
    return [
        {
            "table": table.paper.name,
            "row": row.name,
            "data": row.form and row.form["data"]["name"],
            "network": row.form and row.form["model"]["name"],
            "epochs": row.form and row.form["recipe"]["epochs"],
            "protocol_key": row.form
            and key_of({**row.form, "eval_images": table.example.eval_images})[:8],
            "is_paper_protocol": not table.departures,
            "code_versions": " ".join(map(str, code_versions(row.records))),
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


def _records(n: int) -> str:
    return f"{n:,} record{_s(range(n))}"


def _s(items: Sized) -> str:
    """The ending of a noun that counts them."""
    return "" if len(items) == 1 else "s"
