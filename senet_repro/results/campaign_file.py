"""The file from which a campaign is planned, `campaign.yaml`: a dozen lines by its author (results floor)."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from senet_repro.core.errors import ConfigError
from senet_repro.results.campaign import SEEDS, parse_yaml, read_text_if_there, take_values
from senet_repro.results.record_rules import Rule, are_texts, is_number

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
    smallest_effects: list[str]  # as `plan --smallest-effect` takes them
    machine: list[str]  # words that decide where and how many at a time, and no number


def read_campaign_file(folder: Path) -> CampaignFile:
    """Return the campaign that the file in `folder` describes.

    Raises:
        ConfigError: there is none, or it cannot be read; the message names the key and the mend.
    """
    path = folder / CAMPAIGN_SOURCE
    text = read_text_if_there(path, _MEND)
    if text is None:
        raise ConfigError(f"{path} is not there: {_MEND}")
    content = parse_yaml(path, text, _MEND)
    if isinstance(content, dict):
        # A key without a value is left out.
        given = {key: value for key, value in content.items() if value is not None}
        content = {**_DEFAULTS, **given}
    values = take_values(f"{path}", content, _RULES, _MEND)
    # Folded texts end with a line end.
    values["question"] = " ".join(values["question"].split())
    for key in ("sweep", "machine"):
        values[key] = _split_words(f"{path}: {key}", values[key])
    _check_words(path, values["sweep"], values["machine"])
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


def _check_words(path: Path, sweep: Sequence[str], machine: Sequence[str]) -> None:
    """Accept words that leave to the campaign what is its own, and words of a machine that decide no number.

    Raises:
        ConfigError: a word has another place, which the message names.
    """
    for word in (*sweep, *machine):
        key = _read_key(word)
        if key in _OF_CAMPAIGN:
            raise ConfigError(f"{path}: {word}: leave it out; {_OF_CAMPAIGN[key]}")
    for word in machine:
        if not _OF_MACHINE.fullmatch(_read_key(word)):
            raise ConfigError(
                f"{path}: machine: {word} may decide what is computed: put it into sweep, so that the plan holds it"
            )


def _read_key(word: str) -> str:
    """Return the key of a word, without the signs that Hydra wants before some."""
    return word.partition("=")[0].lstrip("+")


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and " ".join(value.split()).isprintable() and bool(value.strip())


def _are_hours(value: Any) -> bool:
    return is_number(value) and value > 0


# What an author may leave out.
_DEFAULTS: dict[str, Any] = {"smallest_effects": [], "machine": ""}
# Keys that the campaign gives itself.
_OF_CAMPAIGN = {
    "seed": "seeds: has the seeds",
    "results_dir": "the campaign's folder names it, or --results DIR",
    "dry": "status tells what is trained",
}
# Keys that decide where, by how many and with which of a run's copies it is trained.
_OF_MACHINE = re.compile(
    r"hydra/launcher|hydra\.launcher\..+|data\.root|logger(\..+)?"
    r"|trainer\.(accelerator|devices|nodes|num_workers|checkpoint_s|threads)"
)
_WORDS = Rule(lambda value: isinstance(value, str), "words as on the command line")
_RULES = {
    "question": Rule(_is_text, "what the campaign is to answer, in a sentence"),
    "sweep": _WORDS,
    "seeds": SEEDS,
    "smallest_effects": Rule(
        are_texts, 'texts such as "0.5 because ...", in quotes where they hold a colon'
    ),
    "budget_h": Rule(_are_hours, "hours above 0, of all runs one after the other"),
    "machine": _WORDS,
}
