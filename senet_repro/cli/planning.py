"""Draw up the plan of a campaign: the tables of a sweep, with their runs, seeds and claims, before the first run."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from senet_repro.core.checkout import read_commit
from senet_repro.core.choice import require_choice
from senet_repro.core.errors import ConfigError
from senet_repro.core.printing import print_text
from senet_repro.core.slow_work import SlowWork
from senet_repro.core.wording import count_noun, join_words

if TYPE_CHECKING:
    from senet_repro.config.schema import PaperTable, Run
    from senet_repro.results.campaign import Campaign, PlannedTable, SmallestEffect

_EFFECT = re.compile(r"(?:(?P<claim>.+): )?(?P<points>\S+) because (?P<because>.+)")
EFFECT_EXAMPLE = '"0.5 because ten seeds can see it"'
# Of the words of a sweep these have a place of their own in the plan, or decide no number.
_NO_PROTOCOL = ("+ablation=", "+experiment=", "results_dir=", "dry=", "hydra/", "hydra.")
# As many as a sweep may have, see conf/hydra/sweeper/grid.yaml.
_MOST_ROWS = 1000


@dataclass(frozen=True)
class Words:
    """The words of a sweep, taken apart for its plan."""

    overrides: list[str]  # all but the seeds
    seeds: list[int]

    @property
    def protocol(self) -> list[str]:
        """Return the overrides that say how every row is trained."""
        return [text for text in self.overrides if not text.startswith(_NO_PROTOCOL)]


def read_words(words: Sequence[str]) -> Words:
    """Return the parts of a sweep's words.

    Raises:
        ConfigError: a word cannot be read, no table is chosen, or seeds are no whole numbers.
    """
    from senet_repro.config.overrides import parse_override, read_overrides
    from senet_repro.config.settings import check_settings
    from senet_repro.results.campaign import check_seeds

    overrides = read_overrides(words)
    check_settings(overrides)
    others = [text for text in overrides if not text.startswith("seed=")]
    if not any(text.startswith(("+ablation=", "+experiment=")) for text in others):
        raise ConfigError("plan: give the tables to plan, such as +ablation=reduction_ratio")
    seeds: Any = [0]
    for text in overrides:
        if text not in others:
            override = parse_override(text)
            is_sweep = override.is_sweep_override()
            seeds = list(override.sweep_iterator()) if is_sweep else [override.value()]
    check_seeds("seed", seeds)
    return Words(others, seeds)


def plan_tables(
    words: Words, runs: Sequence[Run], grows_from: int | None, effects: Sequence[str]
) -> dict[str, PlannedTable]:
    """Return what is planned of each table that the runs, one per row, are of.

    Raises:
        ConfigError: the plan cannot grow so, or a smallest effect is none, or of a claim that no table makes.
    """
    from senet_repro.results.campaign import EVERY_CLAIM, PlannedTable, check_growth

    if grows_from is not None:
        check_growth("--grows-from", grows_from, words.seeds)
    papers = {run.table.name: run.table for run in runs if run.table}
    by_claim = _read_effects(effects, list(papers.values()))
    tables = {}
    for name, paper in papers.items():
        claims = [claim.says for claim in paper.claims]
        # Rows that are one and the same run share a folder.
        folders = {_name_folder(run): None for run in runs if run.table and run.table.name == name}
        tables[name] = PlannedTable(
            overrides=words.protocol,
            seeds=words.seeds,
            grows_from=grows_from,
            claims=claims,
            smallest_effects={
                claim: effect
                for claim, effect in by_claim.items()
                if claim in (EVERY_CLAIM, *claims)
            },
            runs=list(folders),
        )
    return tables


def refuse_begun(results_dir: Path, tables: Mapping[str, PlannedTable]) -> None:
    """Accept tables of which no planned run was begun.

    Raises:
        ConfigError: one was; the message names it.
    """
    from senet_repro.results.run_folder import RunFolder

    for table in tables.values():
        for run in table.runs:
            for path in sorted((results_dir / run).glob("seed*")):
                folder = RunFolder(path)
                is_planned = folder.seed is not None and table.holds_run(run, folder.seed)
                if is_planned and folder.holds_run():
                    raise ConfigError(
                        f"{path} was begun already, and a plan is written before its first run: "
                        "give seeds that were not trained, or another results_dir"
                    )


def list_lacking_rows(runs: Sequence[Run], tables: Mapping[str, PlannedTable]) -> list[str]:
    """Return a line for each planned table with claims about rows of other tables that are not planned."""
    from senet_repro.config.identity import AXIS_DEFAULTS

    planned = {folder for table in tables.values() for folder in table.runs}
    examples = {run.table.name: run for run in runs if run.table}
    lines = []
    for name, run in examples.items():
        lacking = []
        for row_name, row in run.table.beside.items() if run.table else ():
            # A row that is cited alone, or names its network, is trained by no table beside.
            if row.axes is None or row.network is not None:
                continue
            as_beside = replace(run, **{**AXIS_DEFAULTS, **row.axes})
            if _name_folder(as_beside) not in planned:
                lacking.append(row_name)
        if lacking:
            rows = join_words(lacking, "and")
            lines.append(
                f"{name}: some of its claims are about {rows}, of tables that are not planned"
            )
    return lines


def compose_rows(overrides: Sequence[str]) -> list[Run]:
    """Return the runs of a sweep's rows, with any seed; what cannot be is named and left out, as the sweep does.

    Raises:
        ConfigError: no row can be, its data are not there, or there are several results folders.
    """
    from senet_repro.cli.points import IllegalPoint, read_point
    from senet_repro.config.composition import compose_config
    from senet_repro.config.found_set import check_set
    from senet_repro.config.grid import build_grid, read_table_params

    grid = build_grid(overrides, read_table_params(overrides), _MOST_ROWS)
    runs = []
    errors = []
    with SlowWork("composing the rows of the tables") as work:
        for point_overrides in grid:
            point = read_point(point_overrides, compose_config)
            if isinstance(point, IllegalPoint):
                errors.append(point.error)
            else:
                # Without its pictures nobody knows which run it is.
                check_set(point.run)
                runs.append(point.run)
            work.count(len(runs) + len(errors), len(grid))
    if not runs:
        raise errors[0]
    for error in errors:
        print_text(f"a row is left out: {error}", file=sys.stderr)
    if len({run.results_dir for run in runs}) > 1:
        raise ConfigError("results_dir: a plan is of one results folder; give one")
    return runs


def draw_up_campaign(name: str, tables: dict[str, PlannedTable]) -> Campaign:
    """Return the campaign of these tables, as it is written down now.

    Raises:
        ConfigError: the code is not committed.
    """
    from senet_repro.results.campaign import Campaign

    commit = read_commit()
    if commit.dirty:
        raise ConfigError(
            "plan: files of the code differ from its commit; commit them first, so that the plan names what will train"
        )
    return Campaign(
        name=name,
        written_at=datetime.now(UTC).isoformat(timespec="seconds"),
        commit=commit.revision,
        tables=tables,
    )


def describe_table(name: str, table: PlannedTable) -> str:
    """Return what is planned of a table, in one line."""
    from senet_repro.config.paper_tables import find_table, label_table
    from senet_repro.report.tables.planned_seeds import name_seeds
    from senet_repro.results.campaign import EVERY_CLAIM

    runs = count_noun(len(table.runs) * len(table.seeds), "run")
    rows = count_noun(len(table.runs), "row")
    line = f"{label_table(find_table(name))} {name}: {rows}, {name_seeds(table.seeds)}: {runs}"
    if table.grows_from is not None:
        line += f"; seeds may be added, with a first look at {table.grows_from}"
    for claim, effect in table.smallest_effects.items():
        which = "claims" if claim == EVERY_CLAIM else f"'{claim}'"
        line += f"; {which}: {effect.points:g} points matter, because {effect.because}"
    return line


def _name_folder(run: Run) -> str:
    from senet_repro.config.identity import run_dir

    return run_dir(run).parent.name


def _read_effects(texts: Sequence[str], papers: Sequence[PaperTable]) -> dict[str, SmallestEffect]:
    """Return the smallest effects by the claims that they are for, `*` where it is all of them.

    Raises:
        ConfigError: a text is no effect, or its claim is none of the tables'.
    """
    from senet_repro.results.campaign import EVERY_CLAIM, SmallestEffect

    claims = [claim.says for paper in papers for claim in paper.claims]
    effects = {}
    for text in texts:
        match = _EFFECT.fullmatch(text)
        points = _read_points(match["points"]) if match else None
        if match is None or points is None:
            raise ConfigError(
                f"--smallest-effect is points above 0 with a reason, such as {EFFECT_EXAMPLE}, not {text}"
            )
        claim = match["claim"] or EVERY_CLAIM
        require_choice("--smallest-effect: the claim", claim, [EVERY_CLAIM, *claims])
        effects[claim] = SmallestEffect(points=points, because=match["because"])
    return effects


def _read_points(text: str) -> float | None:
    """Return a number above 0; None where the text is none."""
    try:
        points = float(text)
    except ValueError:
        return None
    # Neither infinity nor what is no number at all lies between.
    is_finite = 0 < points < float("inf")
    if not is_finite:
        return None
    return points
