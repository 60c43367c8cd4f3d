"""The plan of a campaign, `plan.yaml` in its results folder: what is going to be trained, and why (results floor).

`python -m senet_repro plan` writes it before the first run. A run that it holds keeps in its record what the plan said.
"""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from senet_repro.config.paper_tables import find_table
from senet_repro.core.choice import find_nearest, require_choice
from senet_repro.core.errors import ConfigError
from senet_repro.core.files import read_text, write_text
from senet_repro.core.wording import join_words
from senet_repro.results.access import explain_access
from senet_repro.results.record_rules import (
    Rule,
    are_texts,
    is_count,
    is_name,
    is_number,
    show_value,
)

PLAN_FILE = "plan.yaml"
"""The name of the plan in the results folder."""

EVERY_CLAIM = "*"
"""The claim under which the smallest effect of all claims of a table stands."""

MOST_GROWN_SEEDS = 1000
"""A plan that may grow holds the seeds below this one: each of them has to be there up to the last, and is counted."""

SCHEMA_VERSION = 1
_MEND = "python -m senet_repro plan writes it"
_HEAD = """\
# What this campaign is going to train, written before its first run. Records hold
# the hash of this file: tables and verdicts tell of changes made after a run of it was trained.
"""


@dataclass(frozen=True, kw_only=True)
class SmallestEffect:
    """The smallest effect that matters, in points of the table's first metric."""

    points: float
    because: str


@dataclass(frozen=True, kw_only=True)
class PlannedTable:
    """The planned part of one table: its runs, and how they are going to be judged."""

    overrides: list[str]  # the protocol, as the command line of the sweep gives it
    seeds: list[int]
    grows_from: int | None = (
        None  # the seeds at the first look of a plan that may grow; None: a fixed number
    )
    claims: list[str] = field(default_factory=list)  # what each says
    smallest_effects: dict[str, SmallestEffect] = field(
        default_factory=dict
    )  # by what a claim says, or "*"
    runs: list[str]  # names of their folders, <name>-<first 8 digits of the run key>

    def holds_run(self, run: str, seed: int) -> bool:
        """Return whether a run is planned, named by its folder; a plan that may grow holds any further seed."""
        may_grow_to = self.grows_from is not None and seed < MOST_GROWN_SEEDS
        return run in self.runs and (seed in self.seeds or may_grow_to)


@dataclass(frozen=True, kw_only=True)
class Campaign:
    """Everything that a campaign plans."""

    name: str
    written_at: str  # UTC, ISO 8601
    commit: str | None  # None for an installed package
    tables: dict[str, PlannedTable]  # by the table's name
    sha256: str = ""  # of the file; empty before it is written

    def describe_plan(self, run: str, seed: int) -> dict[str, Any] | None:
        """Return the plan of a run as its record keeps it; None where the campaign does not hold the run."""
        holding = [table for table in self.tables.values() if table.holds_run(run, seed)]
        if not holding:
            return None
        # Tables share runs, and may plan other seeds of them. The first decides.
        first = holding[0]
        alike = [
            name
            for name, table in self.tables.items()
            if table in holding
            and (table.seeds, table.grows_from) == (first.seeds, first.grows_from)
        ]
        return {
            "id": PLAN_FILE,
            "written_at": self.written_at,
            "seeds": list(first.seeds),
            "grows_from": first.grows_from,
            "tables": alike,
            "sha256": self.sha256,
        }


def read_campaign(results_dir: Path) -> Campaign | None:
    """Return the campaign that is planned in a results folder; None where no plan lies there.

    Whether its tables and claims are the paper's is not looked at, see `check_names`.

    Raises:
        ConfigError: the plan cannot be read, or is none; the message names the key and the mend.
    """
    path = results_dir / PLAN_FILE
    text = read_text_if_there(path, _MEND)
    if text is None:
        return None
    digest = hashlib.sha256(text.encode()).hexdigest()
    return _parse_campaign(path, parse_yaml(path, text, _MEND), digest)


def require_campaign(results_dir: Path) -> Campaign:
    """Return the campaign that is planned in its own folder.

    Raises:
        ConfigError: there is no plan yet, or as `read_campaign`.
    """
    campaign = read_campaign(results_dir)
    if campaign is None:
        raise ConfigError(
            f"{results_dir / PLAN_FILE} is not there: "
            f"python -m senet_repro campaign train {shlex.quote(str(results_dir))} writes it"
        )
    return campaign


def write_campaign(results_dir: Path, campaign: Campaign) -> Path:
    """Write a campaign's plan, and return its file."""
    path = results_dir / PLAN_FILE
    content = {"schema_version": SCHEMA_VERSION, **asdict(campaign)}
    # Nobody can write the hash of a file into it.
    del content["sha256"]
    results_dir.mkdir(parents=True, exist_ok=True)
    write_text(path, _HEAD + OmegaConf.to_yaml(OmegaConf.create(content)))
    return path


def check_names(results_dir: Path, campaign: Campaign) -> None:
    """Accept a campaign whose tables there are, and whose smallest effects are of claims that these tables make.

    Raises:
        ConfigError: a table or a claim has another name; the message names the nearest.
    """
    for name, planned in campaign.tables.items():
        where = f"{results_dir / PLAN_FILE}: tables.{name}"
        # A number finds a table, too, and is no name.
        try:
            table = find_table(name)
        except ConfigError as error:
            raise ConfigError(f"{where}: {error}") from error
        require_choice(f"{where}: the name", name, [table.name])
        claims = [EVERY_CLAIM, *(claim.says for claim in table.claims)]
        for claim in planned.smallest_effects:
            require_choice(f"{where}.smallest_effects: the claim", claim, claims)


def read_text_if_there(path: Path, mend: str) -> str | None:
    """Return the text of a file of a campaign; None where no such file lies.

    Raises:
        ConfigError: it cannot be read, or is no text; the message names the mend.
    """
    try:
        return read_text(path)
    except FileNotFoundError as error:
        if path.is_symlink():
            raise ConfigError(explain_access(path, error)) from error
        return None
    # The folder may be a file, which others refuse.
    except NotADirectoryError:
        return None
    except OSError as error:
        raise ConfigError(explain_access(path, error)) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not a text; {mend}") from error


def parse_yaml(path: Path, text: str, mend: str) -> Any:
    """Return what a YAML text holds; texts that look like references to other keys stay as they are.

    Raises:
        ConfigError: it is none; the message ends with the mend.
    """
    try:
        return OmegaConf.to_container(OmegaConf.create(text), resolve=False)
    # A damaged file fails in any way it happens to.
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ConfigError(f"{path}: no YAML ({reason}); {mend}") from error


def _parse_campaign(path: Path, content: Any, digest: str) -> Campaign:
    found = take_values(f"{path}", content, _CAMPAIGN_RULES)
    if found.pop("schema_version") > SCHEMA_VERSION:
        raise ConfigError(f"{path}: of a newer senet_repro; update it")
    tables = {}
    for name, table in found.pop("tables").items():
        tables[str(name)] = _parse_table(f"{path}: tables.{name}", table)
    return Campaign(**found, tables=tables, sha256=digest)


def _parse_table(where: str, content: Any) -> PlannedTable:
    found = take_values(where, content, _TABLE_RULES)
    if found["grows_from"] is not None:
        check_growth(f"{where}.grows_from", found["grows_from"], found["seeds"])
    effects = {}
    for claim, effect in found.pop("smallest_effects").items():
        values = take_values(f"{where}.smallest_effects.{claim}", effect, _EFFECT_RULES)
        effects[str(claim)] = SmallestEffect(**values)
    return PlannedTable(**found, smallest_effects=effects)


def check_seeds(where: str, seeds: Any) -> None:
    """Accept a list of seeds, each once.

    Raises:
        ConfigError: it is none.
    """
    _check_value(where, seeds, SEEDS)


def check_growth(where: str, grows_from: Any, seeds: list[int]) -> None:
    """Accept the first look of a plan that may grow: its seeds begin at 0 and leave none out.

    Raises:
        ConfigError: there is no such plan.
    """
    is_without_gap = sorted(seeds) == list(range(len(seeds)))
    if len(seeds) > MOST_GROWN_SEEDS:
        raise ConfigError(
            f"{where}: a plan that may grow has {MOST_GROWN_SEEDS:,} seeds at most, not {len(seeds):,}"
        )
    if len(seeds) < 2 or not is_without_gap:
        raise ConfigError(
            f"{where} needs two seeds or more, from 0 on and without a gap, such as 0, 1, 2; not {show_value(seeds)}"
        )
    if not 2 <= grows_from <= len(seeds):
        raise ConfigError(
            f"{where} is {grows_from}: give the seeds at the first look, from 2 to {len(seeds)}"
        )


def take_values(
    where: str, content: Any, rules: Mapping[str, Rule], mend: str = _MEND
) -> dict[str, Any]:
    """Return the values of a part of a file, which has the keys of the rules and no others.

    Raises:
        ConfigError: it lacks one, has another, or breaks a rule; the message names it.
    """
    if not isinstance(content, dict):
        raise ConfigError(f"{where}: not a part with keys; {mend}")
    for key in content:
        if key not in rules:
            near = find_nearest(str(key), rules)
            known = f"there are {join_words(rules, 'and')}"
            if near:
                known = f"did you mean {near}?"
            raise ConfigError(f"{where}: unknown key '{key}'; {known}")
    missing = [key for key in rules if key not in content]
    if missing:
        raise ConfigError(f"{where}: it lacks {join_words(missing, 'and')}; {mend}")
    for key, rule in rules.items():
        _check_value(f"{where}.{key}", content[key], rule)
    return {key: content[key] for key in rules}


def _check_value(where: str, value: Any, rule: Rule) -> None:
    """Accept a value that its rule allows.

    Raises:
        ConfigError: it does not.
    """
    if value is None and rule.may_lack:
        return
    if not rule.allows(value):
        raise ConfigError(f"{where} is {show_value(value)}: give {rule.words}")


def _are_seeds(value: Any) -> bool:
    if not isinstance(value, list) or not all(map(is_count, value)):
        return False
    return 0 < len(value) == len(set(value))


def _are_points(value: Any) -> bool:
    return is_number(value) and value > 0


def _are_parts(value: Any) -> bool:
    return isinstance(value, dict)


def is_time(value: Any) -> bool:
    """Return whether a value is a time in UTC, as records write it."""
    if not isinstance(value, str):
        return False
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        return False
    # In another form it could not be set beside the times of records.
    return time.utcoffset() == timedelta(0) and time.isoformat(timespec="seconds") == value


# The keys of each part of the file, in their order.
SEEDS = Rule(_are_seeds, "whole numbers from 0 on, each once, such as 0, 1, 2")
_TEXTS = Rule(are_texts, "a list of texts")
_CAMPAIGN_RULES = {
    "schema_version": Rule(is_count, f"{SCHEMA_VERSION}"),
    "name": Rule(is_name, "a name"),
    "written_at": Rule(is_time, "a time in UTC, such as '2026-01-31T12:00:00+00:00'"),
    "commit": Rule(is_name, "a commit or null", may_lack=True),
    "tables": Rule(_are_parts, "tables by their names"),
}
_TABLE_RULES = {
    "overrides": _TEXTS,
    "seeds": SEEDS,
    # Against the seeds it is checked by itself.
    "grows_from": Rule(is_count, "a number of seeds or null", may_lack=True),
    "claims": _TEXTS,
    "smallest_effects": Rule(_are_parts, "effects by claims"),
    "runs": _TEXTS,
}
_EFFECT_RULES = {
    "points": Rule(_are_points, "a number above 0, in points"),
    "because": Rule(is_name, "the reason, in one line"),
}
