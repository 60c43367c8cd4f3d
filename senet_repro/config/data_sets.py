"""Facts of a data set that no run may change, read from conf/data/ (config floor; no torch)."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

from omegaconf import OmegaConf

from senet_repro.config.conf_dir import list_files, load_file
from senet_repro.config.explain import plain_errors
from senet_repro.core.choice import require_choice
from senet_repro.core.errors import ConfigError


def _choose_for_subset(subset: str | None, values: dict[str, Any]) -> Any:
    """Return the value that belongs to a subset of a set.

    Raises:
        ConfigError: the set has no such subset.
    """
    chosen = "null" if subset is None else subset
    require_choice("data.subset", chosen, values)
    return values[chosen]


# The facts of a set that has subsets follow from the one that is chosen: conf/data/places365.yaml.
OmegaConf.register_new_resolver("for_subset", _choose_for_subset)


@dataclass(frozen=True, kw_only=True)
class SetFacts:
    """Facts of a whole data set; no run may change them, so they are no part of its identity."""

    kind: str  # memory | folders
    title: str  # as readers write its name
    train_images: int
    eval_images: int  # the paper evaluates on all of them

    @property
    def is_counted(self) -> bool:
        """Return whether the set is whatever lies at `data.root`, whose classes and pictures are counted there."""
        return self.train_images == 0


FACTS = tuple(field.name for field in fields(SetFacts))


@lru_cache
def read_set_facts(name: str, subset: str | None = None) -> SetFacts:
    """Return the facts of a data set, from its own file alone; of the subset that this names, where none is given.

    Raises:
        ConfigError: no file describes a set of that name, or the set has no such subset.
    """
    known = list_files("data")
    if name not in known:
        raise ConfigError(f"no image set {name}: give data={'|'.join(known)}")
    stated = load_file("data", name)
    if subset is not None:
        if "subset" not in stated:
            raise ConfigError(f"data.subset={subset}: {name} has no subsets; leave it out")
        stated["subset"] = subset
    facts = OmegaConf.create({key: stated[key] for key in (*FACTS, "subset") if key in stated})
    with plain_errors():
        return SetFacts(**{fact: facts[fact] for fact in FACTS})


@lru_cache
def read_side(name: str) -> int:
    """Return the side in pixels that the pictures of a set in memory are stored at, from its own file alone."""
    # Of some sets it is taken from another key.
    side_px: int = OmegaConf.create(load_file("data", name)).train_px
    return side_px


@lru_cache
def count_classes(name: str) -> int:
    """Return how many classes a whole data set has, from its own file alone."""
    classes: int = load_file("data", name)["classes"]
    return classes


def data_title(name: str) -> str:
    """Return a data set's name as readers write it; a set that is not offered here keeps its plain name."""
    if name not in list_files("data"):
        return name
    return read_set_facts(name).title
