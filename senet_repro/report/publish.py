"""A result table as a run of its own on Weights & Biases, rows as the paper prints them (report floor).

Its id is the table's and the protocol's, whatever the seeds, so that publishing again replaces what was there: online
W&B resumes the run; offline, where it cannot, the folder written before goes as soon as the new one is whole.
"""

from __future__ import annotations

import io
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from senet_repro.config.identity import hash_identity
from senet_repro.config.paper_tables import label_table
from senet_repro.core.lock import locked
from senet_repro.mirrors.wandb_home import begin, keep_in
from senet_repro.report.claims.judge import VERDICTS, Judged, judge
from senet_repro.report.figures.table_figures import drawings
from senet_repro.report.tables.build import ResultRow, ResultTable
from senet_repro.report.text.notes import list_notes
from senet_repro.report.text.plain import flatten_rows

FOLDER = "wandb-tables"
"""Where the tables' files lie, below the results."""

ERRORS = ("top1_err_pct", "top5_err_pct")
COLUMNS = (
    "row",
    "n",
    *(
        name.format(top)
        for top in ("top1", "top5")
        for name in (
            "cited_{}_err_pct",
            "paper_{}_err_pct",
            "{}_err_pct",
            "{}_half_width_pct",
            "paper_{}_delta_pct",
            "{}_delta_pct",
            "{}_delta_half_width_pct",
        )
    ),
    "paper_params_m",
    "params_m",
    "paper_gflops",
    "gflops",
)
"""Of a row as in CSV: figures in percent and points, each of ours followed by half its 95 % interval."""


@dataclass(frozen=True)
class Content:
    """What W&B is told about a table."""

    run_id: str
    name: str
    notes: str
    config: dict[str, Any]
    rows: list[dict[str, Any]]
    claims: list[dict[str, Any]]
    summary: dict[str, Any]


@dataclass(frozen=True)
class Published:
    """A table on W&B, or on its way there."""

    name: str
    url: str | None
    folder: Path | None  # to sync; none if it is online


def content(table: ResultTable) -> Content:
    """A table as W&B shall show it."""
    judged = judge(table)
    data = table.example.identity["data"]["name"]
    keys = {row.name: row.run_key for row in table.rows}
    return Content(
        run_id=f"{table.paper.name}-{hash_identity({'rows': keys, 'eval_images': table.example.eval_images})[:8]}",
        name=f"{label_table(table.paper)}: {table.paper.title} ({', '.join([data, *_marks(table)])})",
        notes="\n".join(list_notes(table)),
        config={
            "table": table.paper.name,
            "number": table.paper.number,
            "section": table.paper.section,
            "title": table.paper.title,
            "data": data,
            "stands_for": table.stands_for,
            "protocols": {
                row.protocol["model"]["name"]: row.protocol
                for row in table.rows
                if row.records and row.protocol
            },
            "is_paper_protocol": not table.departures,
            "departures_from_paper": table.departures,
        },
        rows=_rows(table, judged),
        claims=[_claim(one) for one in judged],
        summary={
            **{
                f"claims_{verdict.replace(' ', '_')}": _count(judged, verdict)
                for verdict in VERDICTS
            },
            "rows_run": sum(bool(row.records) for row in table.rows),
            "rows": len(table.rows),
            "seeds": len(table.seeds),
        },
    )


def publish(
    table: ResultTable, shown: Content, *, results_dir: Path, project: str, limit_s: float
) -> Published:
    """Put a table on W&B, or offline into a folder below the results.

    Raises:
        TimeoutError: W&B took longer than `limit_s`; its thread is left behind.
        Exception: whatever W&B says.
    """
    home = results_dir / FOLDER / shown.run_id
    home.mkdir(parents=True, exist_ok=True)
    keep_in(home)
    return _within(limit_s, lambda: _publish(table, shown, home, project))


def _publish(table: ResultTable, shown: Content, home: Path, project: str) -> Published:
    pictures = drawings(table, shown.run_id, {})
    with locked(home):
        # The last to be removed: whatever happens, one whole copy is there.
        earlier = [
            path
            for kind in ("wandb/*run-*", "wandb/logs/*", "artifacts/staging/*")
            for path in home.glob(kind)
        ]
        copy = begin(
            home,
            {"x_save_requirements": False, "x_disable_stats": True},  # it trains nothing
            project=project,
            id=shown.run_id,
            name=shown.name,
            group=table.paper.name,
            job_type="table",
            config=shown.config,
            notes=shown.notes,
            resume="allow",
        )
        code = 1
        try:
            copy.log(
                _media(shown, {drawing.name: (drawing.png, drawing.says) for drawing in pictures})
            )
            copy.summary.update(shown.summary)
            code = 0
        finally:
            copy.finish(exit_code=code)
        for path in earlier:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink(
                missing_ok=True
            )
    offline = copy.offline
    return Published(
        shown.name, None if offline else copy.url, Path(copy.settings.sync_dir) if offline else None
    )


def _media(shown: Content, pictures: dict[str, tuple[bytes, str]]) -> dict[str, Any]:
    import wandb
    from PIL import Image

    media = {"errors": _wandb_table(shown.rows)}
    if shown.claims:
        media["claims"] = _wandb_table(shown.claims)
    bars = [
        {name: row[name] for name in ("row", ERRORS[0])}
        for row in shown.rows
        if row[ERRORS[0]] is not None
    ]
    media["bars"] = wandb.plot.bar(_wandb_table(bars), "row", ERRORS[0], title=shown.name)
    for name, (png, says) in pictures.items():
        media[f"chart_{name.rpartition('-')[2]}"] = wandb.Image(
            Image.open(io.BytesIO(png)), caption=says
        )
    return media


def _wandb_table(rows: list[dict[str, Any]]) -> Any:
    import wandb

    return wandb.Table(columns=list(rows[0]), data=[list(row.values()) for row in rows])


def _marks(table: ResultTable) -> list[str]:
    """What tells it from the paper's own table, and from others here."""
    return [*(["a proxy"] if table.stands_for else []), *table.distinctions]


def _rows(table: ResultTable, judged: list[Judged]) -> list[dict[str, Any]]:
    flat = flatten_rows(table)
    cited = any(
        value is not None for row in flat for name, value in row.items() if name.startswith("cited")
    )
    columns = [name for name in COLUMNS if cited or not name.startswith("cited")]
    return [
        {**{name: values[name] for name in columns}, "verdict": _verdicts(table, row, judged)}
        for values, row in zip(flat, table.rows, strict=True)
    ]


def _verdicts(table: ResultTable, row: ResultRow, judged: list[Judged]) -> str:
    """What is to be thought of the row's difference, if the paper claims something about it."""
    pair = {row.name, table.paper.baseline_of(row.name)}
    about = [
        one for one in judged if one.kind.figure_name in ERRORS and pair <= set(one.claim.rows)
    ]
    return "; ".join(f"{one.verdict}: {one.claim.says}" for one in about)


def _claim(one: Judged) -> dict[str, Any]:
    return {
        "section": one.claim.section,
        "claim": one.claim.says,
        "verdict": one.verdict,
        "kind": one.claim.kind,
        "rows": ", ".join(one.claim.rows),
        "figure": one.kind.figure_name,
        "difference": one.difference and one.difference.mean,
        "difference_half_width": one.difference and one.difference.half_width,
        "n": one.n,
        "p_value": one.p_value,
        "evidence": one.evidence,
    }


def _count(judged: list[Judged], verdict: str) -> int:
    return sum(one.verdict == verdict for one in judged)


def _within(limit_s: float, work: Callable[[], Published]) -> Published:
    """What `work` gives, unless it takes too long."""
    outcome: list[Published | Exception] = []

    def serve() -> None:
        try:
            outcome.append(work())
        except Exception as error:
            outcome.append(error)

    thread = threading.Thread(target=serve, name="wandb-table", daemon=True)
    thread.start()
    thread.join(limit_s)
    if not outcome:
        raise TimeoutError(f"no answer within {limit_s:g} s")
    if isinstance(outcome[0], Exception):
        raise outcome[0]
    return outcome[0]
