"""The points of a command's grid, and a run's position among those that are trained (no torch)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from senet_repro.config.composition import run_from
from senet_repro.config.explain import plain_errors
from senet_repro.config.found_set import fill_in_set
from senet_repro.config.schema import Run
from senet_repro.core.errors import ConfigError


@dataclass(frozen=True, eq=False)
class Point:
    """A point of the grid that is a run."""

    overrides: Sequence[str]  # the command line that trains the run alone
    run: Run


@dataclass(frozen=True, eq=False)
class IllegalPoint:
    """A point of the grid that is no run, and why."""

    overrides: Sequence[str]
    error: ConfigError


@dataclass(frozen=True)
class Position:
    """Which of the runs that a sweep trains a run is."""

    number: int  # from 1
    total: int
    side_by_side: int  # how many are trained at a time
    folders: Sequence[Path]  # of all of them


def read_point(
    overrides: Sequence[str], compose: Callable[[Sequence[str]], DictConfig]
) -> Point | IllegalPoint:
    """Return the point of the grid that `overrides` give; `compose` makes the configuration they describe."""
    try:
        with plain_errors():
            config = compose(overrides)
            # The schema has no place for what Hydra keeps for itself.
            our_keys = [str(key) for key in config if key != "hydra"]
            run = run_from(OmegaConf.masked_copy(config, our_keys))
            _fetch_missing_set(run)
        return Point(overrides, run)
    except ConfigError as error:
        return IllegalPoint(overrides, error)


def _fetch_missing_set(run: Run) -> None:
    """Fetch the set of a run that asks for it, before the run is known by its pictures; a dry run fetches nothing.

    Raises:
        DataError: it cannot be fetched.
    """
    data = run.data
    is_missing = data.root is not None and data.found is None
    if not (data.download and is_missing and data.kind == "memory") or run.dry:
        return
    # Late, since it imports torch.
    from senet_repro.data.sets import load_in_memory

    load_in_memory(data)
    fill_in_set(run)
