"""The plan of a campaign, `plan.yaml` in its results folder: what is going to be trained, and why (results floor).

`python -m senet_repro plan` writes it before the first run. A run that it holds keeps in its record what the plan said.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import asdict, dataclass, field, fields
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
from senet_repro.results.record_rules import are_texts, is_count, is_name, is_number, show_value

CAMPAIGN_FILE = "plan.yaml"
"""The name of the plan in the results folder."""

EVERY_CLAIM = "*"
"""The claim under which the smallest effect of all claims of a table stands."""

SCHEMA_VERSION = 1
_MEND = "python -m senet_repro plan writes it"
_TIME_EXAMPLE = "a time in UTC, such as '2026-01-31T12:00:00+00:00'"
_HEAD = """\
# What this campaign is going to train, written before its first run by `python -m senet_repro plan`. Records hold
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
        """Return whether a run is planned, named by its folder; a plan that may grow holds every seed."""
        return run in self.runs and (seed in self.seeds or self.grows_from is not None)


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
            "id": CAMPAIGN_FILE,
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
    path = results_dir / CAMPAIGN_FILE
    try:
        text = read_text(path)
    except FileNotFoundError as error:
        if path.is_symlink():
            raise ConfigError(explain_access(path, error)) from error
        return None
    # The results folder may be a file, which others refuse.
    except NotADirectoryError:
        return None
    except OSError as error:
        raise ConfigError(explain_access(path, error)) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not a text; {_MEND}") from error
    digest = hashlib.sha256(text.encode()).hexdigest()
    return _parse_campaign(path, _parse_yaml(path, text), digest)


def write_campaign(results_dir: Path, campaign: Campaign) -> Path:
    """Write a campaign's plan, and return its file."""
    path = results_dir / CAMPAIGN_FILE
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
        where = f"{results_dir / CAMPAIGN_FILE}: tables.{name}"
        # A number finds a table, too, and is no name.
        try:
            table = find_table(name)
        except ConfigError as error:
            raise ConfigError(f"{where}: {error}") from error
        require_choice(f"{where}: the name", name, [table.name])
        claims = [EVERY_CLAIM, *(claim.says for claim in table.claims)]
        for claim in planned.smallest_effects:
            require_choice(f"{where}.smallest_effects: the claim", claim, claims)


def _parse_yaml(path: Path, text: str) -> Any:
    """Return what a YAML text holds; texts that look like references to other keys stay as they are."""
    try:
        return OmegaConf.to_container(OmegaConf.create(text), resolve=False)
    # A damaged file fails in any way it happens to.
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ConfigError(f"{path}: no YAML ({reason}); {_MEND}") from error


def _parse_campaign(path: Path, content: Any, digest: str) -> Campaign:
    known = ("schema_version", "name", "written_at", "commit", "tables")
    found = _take_keys(str(path), content, known)
    version = found["schema_version"]
    if is_count(version) and version > SCHEMA_VERSION:
        raise ConfigError(f"{path}: of a newer senet_repro; update it")
    _require(is_count(version), f"{path}: schema_version", version, f"{SCHEMA_VERSION}")
    _require(is_name(found["name"]), f"{path}: name", found["name"], "a name")
    written_at = found["written_at"]
    _require(is_time(written_at), f"{path}: written_at", written_at, _TIME_EXAMPLE)
    commit = found["commit"]
    _require(commit is None or is_name(commit), f"{path}: commit", commit, "a commit or null")
    tables = found["tables"]
    _require(isinstance(tables, dict) and tables, f"{path}: tables", tables, "a table by its name")
    return Campaign(
        name=found["name"],
        written_at=written_at,
        commit=commit,
        tables={
            str(name): _parse_table(f"{path}: tables.{name}", table)
            for name, table in tables.items()
        },
        sha256=digest,
    )


def _parse_table(where: str, content: Any) -> PlannedTable:
    found = _take_keys(where, content, [each.name for each in fields(PlannedTable)])
    seeds, grows_from = found["seeds"], found["grows_from"]
    for key in ("overrides", "claims", "runs"):
        _require(are_texts(found[key]), f"{where}.{key}", found[key], "a list of texts")
    check_seeds(f"{where}.seeds", seeds)
    if grows_from is not None:
        check_growth(f"{where}.grows_from", grows_from, seeds)
    effects = found["smallest_effects"]
    _require(isinstance(effects, dict), f"{where}.smallest_effects", effects, "effects by claims")
    found["smallest_effects"] = {
        str(claim): _parse_effect(f"{where}.smallest_effects.{claim}", effect)
        for claim, effect in effects.items()
    }
    return PlannedTable(**found)


def _parse_effect(where: str, content: Any) -> SmallestEffect:
    found = _take_keys(where, content, [each.name for each in fields(SmallestEffect)])
    points, because = found["points"], found["because"]
    is_sound = is_number(points) and points > 0
    _require(is_sound, f"{where}.points", points, "a number above 0, in points")
    _require(is_name(because), f"{where}.because", because, "the reason, in one line")
    return SmallestEffect(points=float(points), because=because)


def check_seeds(where: str, seeds: Any) -> None:
    """Accept a list of seeds, each once.

    Raises:
        ConfigError: it is none.
    """
    are_seeds = isinstance(seeds, list) and bool(seeds) and all(map(is_count, seeds))
    is_sound = are_seeds and len(set(seeds)) == len(seeds)
    _require(is_sound, where, seeds, "whole numbers from 0 on, each once, such as 0, 1, 2")


def check_growth(where: str, grows_from: Any, seeds: list[int]) -> None:
    """Accept the first look of a plan that may grow: its seeds begin at 0 and leave none out.

    Raises:
        ConfigError: there is no such plan.
    """
    is_row = sorted(seeds) == list(range(len(seeds)))
    _require(
        is_row, f"{where} needs seeds", seeds, "0 and the numbers that follow it, such as 0, 1, 2"
    )
    is_sound = is_count(grows_from) and 2 <= grows_from <= len(seeds)
    words = f"the seeds at the first look, from 2 to {len(seeds)}"
    _require(is_sound, where, grows_from, words)


def _take_keys(where: str, content: Any, known: Collection[str]) -> dict[str, Any]:
    """Return the values of a part of the plan that has these keys and no others.

    Raises:
        ConfigError: it lacks one, or has another; the message names it.
    """
    if not isinstance(content, dict):
        raise ConfigError(f"{where}: not a part with keys; {_MEND}")
    for key in content:
        if key not in known:
            near = find_nearest(str(key), known)
            mend = f"did you mean {near}?" if near else f"there are {join_words(known, 'and')}"
            raise ConfigError(f"{where}: unknown key '{key}'; {mend}")
    missing = [key for key in known if key not in content]
    if missing:
        raise ConfigError(f"{where}: it lacks {join_words(missing, 'and')}; {_MEND}")
    return {key: content[key] for key in known}


def _require(is_sound: Any, where: str, value: Any, words: str) -> None:
    """Accept a value that is sound; `words` say what it should be.

    Raises:
        ConfigError: it is not.
    """
    if not is_sound:
        raise ConfigError(f"{where} is {show_value(value)}: give {words}")


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
