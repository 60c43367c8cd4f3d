"""Read the studies of conf/study/, which measure networks that are there (config floor; no torch).

A study trains nothing. It yields figures by name, each with an interval, and its file holds what the paper says as
borders that these figures keep or not. The borders are fixed, with their reason, before anything is measured.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from senet_repro.config.conf_dir import list_files, load_file
from senet_repro.config.exact_types import InexactError, build_exactly
from senet_repro.core.choice import require_choice
from senet_repro.core.errors import ConfigError

GROUP = "study"


@dataclass(kw_only=True)
class StudyClaim:
    """A sentence of the paper about one figure of a study."""

    section: str  # of the paper
    says: str  # in few words of our own
    figure: str  # its name, as the study yields it
    # The claim holds where the figure lies between these; either may be none, and not both.
    at_least: float | None = None
    at_most: float | None = None
    because: str  # why the border lies there
    published: float | None = None  # the paper's own figure, where it prints one
    is_conjecture: bool = False  # the paper supposes it and shows no figure


@dataclass(kw_only=True)
class Study:
    """A question to trained networks, and the answers of the paper."""

    name: str  # as the file's
    section: str  # of the paper
    title: str
    claims: list[StudyClaim] = field(default_factory=list)
    note: str | None = None


@lru_cache
def load_study(name: str) -> Study:
    """Return the study of a name; it is to be read and not changed.

    Raises:
        ConfigError: there is none, or its file has a slip, which the message names.
    """
    require_choice("study", name, list_files(GROUP))
    file = f"conf/{GROUP}/{name}.yaml"
    try:
        study = build_exactly(Study, load_file(GROUP, name))
    except InexactError as error:
        raise ConfigError(f"{file}: {error} is no key or value of a study") from error
    if study.name != name:
        raise ConfigError(f"{file}: its study is named {study.name}; give name: {name}")
    for claim in study.claims:
        _check_borders(claim, file)
    return study


def _check_borders(claim: StudyClaim, file: str) -> None:
    where = f"{file}: the claim '{claim.says}'"
    if claim.at_least is None and claim.at_most is None:
        raise ConfigError(f"{where}: give at_least, at_most or both")
    if None not in (claim.at_least, claim.at_most) and claim.at_least >= claim.at_most:  # type: ignore[operator]
        raise ConfigError(f"{where}: give an at_least below its at_most")
