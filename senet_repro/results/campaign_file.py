"""The file from which a campaign is planned, `campaign.yaml`: a dozen lines by its author (results floor)."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from senet_repro.core.errors import ConfigError
from senet_repro.core.files import read_text
from senet_repro.results.access import explain_access
from senet_repro.results.campaign import SEEDS, TEXTS, parse_yaml, take_values
from senet_repro.results.record_rules import Rule, is_count, is_number

CAMPAIGN_SOURCE = "campaign.yaml"
"""The name of the file in the campaign's folder."""

EXAMPLE = """\
question: Does SE lower the error of a small network on the digits, and does r matter?
sweep: >-
  +ablation=reduction_ratio
  recipe.epochs=10
seeds: [0, 1, 2]
smallest_effects:
  - 0.5 because it is a third of the paper's gain in relative terms
budget_h: 1
machine: hydra/launcher=joblib hydra.launcher.n_jobs=2 trainer.threads=1
"""
"""A file as it may be; the error for one that is not there shows it."""

_MEND = f"write it as the following, say:\n\n{EXAMPLE}"


@dataclass(frozen=True, kw_only=True)
class CampaignFile:
    """A campaign as its author describes it."""

    question: str
    sweep: list[str]  # the words of the sweep that decide what every run is
    seeds: list[int]
    budget_h: float  # of all runs, one after the other
    grows_from: int | None = None  # as in PlannedTable
    smallest_effects: list[str]  # as `plan --smallest-effect` takes them
    machine: list[str]  # words that decide where and how many at a time, and no number


def read_campaign_file(folder: Path) -> CampaignFile:
    """Return the campaign that the file in `folder` describes.

    Raises:
        ConfigError: there is none, or it cannot be read; the message names the key and the mend.
    """
    path = folder / CAMPAIGN_SOURCE
    try:
        text = read_text(path)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ConfigError(f"{path} is not there: {_MEND}") from error
    except OSError as error:
        raise ConfigError(explain_access(path, error)) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not a text; {_MEND}") from error
    content = parse_yaml(path, text, _MEND)
    if isinstance(content, dict):
        content = {**_DEFAULTS, **content}
    values = take_values(f"{path}", content, _RULES, _MEND)
    for key in ("sweep", "machine"):
        values[key] = _split_words(f"{path}: {key}", values[key])
    return CampaignFile(**values)


def _split_words(where: str, text: str) -> list[str]:
    """Return the words of a command line, as a shell would split them.

    Raises:
        ConfigError: a quote has no end.
    """
    try:
        return shlex.split(text)
    except ValueError as error:
        raise ConfigError(f"{where}: {error}; give words as on the command line") from error


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip()) and value.isprintable()


def _is_time(value: Any) -> bool:
    return is_number(value) and value > 0


# What an author may leave out.
_DEFAULTS: dict[str, Any] = {"grows_from": None, "smallest_effects": [], "machine": ""}
_WORDS = Rule(lambda value: isinstance(value, str), "words as on the command line")
_RULES = {
    "question": Rule(_is_text, "what the campaign is to answer, in a sentence"),
    "sweep": _WORDS,
    "seeds": SEEDS,
    "grows_from": Rule(is_count, "a number of seeds or null", may_lack=True),
    "smallest_effects": TEXTS,
    "budget_h": Rule(_is_time, "hours above 0, of all runs one after the other"),
    "machine": _WORDS,
}
