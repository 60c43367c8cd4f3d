"""The keys of the grid: which exist, which a command may give, and which one a person meant (config floor)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import Field, dataclass, fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from omegaconf import DictConfig, OmegaConf

from senet_repro.config.conf_dir import CONF_DIR, list_files, load_file
from senet_repro.config.ranges import RANGE, Range
from senet_repro.config.schema import FACT, MODEL_OPTIONS, Run
from senet_repro.core.choice import find_nearest

OPTIONS = "model.options"
# Of a misspelt word to the one that is proposed, and of a whole key with a slip in one of its words; 1 is the same.
LEAST_LIKENESS = 0.7
LIKENESS_OF_SLIP = 0.9

_OTHER_WORDS = {
    "r": ("ratio", "reduction", "reduction_ratio"),
    "squeeze": ("pool", "pooling"),
    "excitation": ("activation", "gate"),
    "seed": ("random_seed",),
    "dry": ("dry_run",),
    "results_dir": ("out", "output", "output_dir", "results"),
    "model": ("arch", "backbone", "net", "network"),
    "data": ("dataset",),
    "data.root": ("data_dir", "data_path", "path"),
    "data.train_px": ("crop_size", "image_size", "img_size"),
    "recipe.epochs": ("max_epochs", "num_epochs"),
    "recipe.batch_size": ("batch", "bs"),
    "recipe.lr": ("learning_rate",),
    "recipe.weight_decay": ("decay", "wd"),
    "recipe.cutout_px": ("cutout",),
    "recipe.schedule.kind": ("lr_schedule", "lr_scheduler", "schedule", "scheduler"),
    "recipe.schedule.warmup": ("warmup_epochs",),
    "init.weights": ("checkpoint", "pretrained"),
    "trainer.accelerator": ("device",),
    "trainer.devices": ("gpu", "gpus", "num_gpus"),
    "trainer.precision": ("amp", "bf16", "fp16"),
    "trainer.num_workers": ("workers",),
    "logger": ("wandb",),
    "hydra/launcher": ("launcher",),
    "hydra.launcher.n_jobs": ("jobs", "n_jobs"),
}
"""Words of other programs and of papers for the keys of this one."""
MEANT = {word: key for key, words in _OTHER_WORDS.items() for word in words}


@dataclass(frozen=True)
class Key:
    """A key of the schema, with its type as the schema writes it and its field."""

    name: str
    type: Any
    field: Field[Any]

    @property
    def is_part(self) -> bool:
        """Whether it is a part of the schema, such as `recipe`, and no field with a value."""
        return is_dataclass(self.type)

    @property
    def holds_keys(self) -> bool:
        """Whether further keys stand below it, which it has no value beside."""
        return self.is_part or self.name == OPTIONS

    @property
    def may_be_none(self) -> bool:
        """Whether its value may be left out."""
        return isinstance(self.type, UnionType)

    @property
    def is_list(self) -> bool:
        """Whether its value is a list."""
        return get_origin(self._value_type) is list

    @property
    def item_type(self) -> Any:
        """The type of its value, or of each item of the list that its value is."""
        if self.is_list:
            return get_args(self._value_type)[0]
        return self._value_type

    @property
    def is_text(self) -> bool:
        """Whether its value is a text."""
        return self.item_type is str and not self.is_list

    @property
    def _value_type(self) -> Any:
        """The type of its value where it has one."""
        if not self.may_be_none:
            return self.type
        return next(part for part in get_args(self.type) if part is not type(None))


@cache
def list_keys() -> dict[str, Key]:
    """Return every key of the schema by its name, those of a part as `recipe.lr`."""
    return {key.name: key for key in _walk_keys(Run, "")}


@cache
def list_facts() -> dict[str, str]:
    """Return the keys that belong to the files of conf/, each with the setting that may be meant instead."""
    return _read_marks(FACT)


@cache
def list_ranges() -> dict[str, Range]:
    """Return the range of each number that a command may give, by its key."""
    return _read_marks(RANGE)


def _read_marks(mark: str) -> dict[str, Any]:
    """Return what the schema marks its fields with under a name, by the keys of those that it marks."""
    marked = {}
    for key in list_keys().values():
        if mark in key.field.metadata:
            marked[key.name] = key.field.metadata[mark]
    return marked


@cache
def list_groups() -> list[str]:
    """Return the groups whose files a command chooses among, in alphabetical order."""
    names = sorted(path.name for path in CONF_DIR.iterdir() if path.is_dir())
    # A study is read by its verb, and no run has one.
    return [name for name in names if name not in ("hydra", "study")]


def list_networks_with(option: str) -> list[str]:
    """Return the networks that have an option of their own, such as `stem`."""
    return [
        name
        for name in list_files("model")
        if option in load_file("model", name).get("options", {})
    ]


def exists(key: str) -> bool:
    """Return whether a command may mean a key: the schema has it, or a group, a network's option or Hydra is it."""
    group, _, rest = key.partition(".")
    if group in list_groups() and not rest:
        return True
    if key in list_keys() or is_option(key):
        return True
    return re.match(r"table\.|hydra(?=[./]|$)", key) is not None


def is_option(key: str) -> bool:
    """Return whether a key is that of a network's option, such as `model.options.stem`; there may be no such option."""
    return key.rpartition(".")[0] == OPTIONS


def takes_text(key: str) -> bool:
    """Return whether the value of a key is a text, as those of a network's options are."""
    known = list_keys().get(key)
    return is_option(key) or (known is not None and known.is_text)


def find_key(word: str) -> str | None:
    """Return the key that a word is, or that a person means by it; None where nothing comes near."""
    if exists(word):
        return word
    return find_nearest_key(word)


def find_nearest_key(key: str) -> str | None:
    """Return the key that a person meant by one that does not exist; None where nothing comes near."""
    key = key.lower()
    *first_words, last_word = key.split(".")
    by_last_word = _index_by_last_word()
    by_name = {name: name for name in by_last_word.values()}
    slip = _find_alike(key, by_name, LIKENESS_OF_SLIP)
    if slip:
        return slip
    # A word that is a key's own name, or stands for one, comes before its likeness to another.
    exact = by_last_word.get(last_word) or MEANT.get(last_word)
    if exact:
        return exact
    for word in first_words:
        if word in MEANT:
            return MEANT[word]
    return _find_alike(last_word, by_last_word) or _find_alike(last_word, MEANT)


def _find_alike(word: str, names: Mapping[str, str], least: float = LEAST_LIKENESS) -> str | None:
    """Return the key of the name that a word is most alike; None where it is like none."""
    # Everything is like a name of one letter.
    candidates = [name for name in names if len(name) > 1]
    found = find_nearest(word, candidates, least)
    return names[found] if found else None


def _index_by_last_word() -> dict[str, str]:
    """Return the keys that a command may give, by their last words; where two agree, the first of the schema."""
    options = [f"{OPTIONS}.{option}" for option in MODEL_OPTIONS]
    facts = list_facts()
    settings = [name for name in list_keys() if name not in facts]
    known = [*settings, *options, *list_groups()]
    return {name.rpartition(".")[2]: name for name in reversed(known)}


@cache
def read_defaults() -> DictConfig:
    """Return what the files of a command without settings state, for examples of values."""
    found = OmegaConf.load(CONF_DIR / "config.yaml")
    assert isinstance(found, DictConfig)
    for choice in found.defaults:
        if isinstance(choice, DictConfig):
            ((group, name),) = choice.items()
            if group in list_groups():
                found[group] = load_file(str(group), name)
    return found


def _walk_keys(node: Any, prefix: str) -> Iterator[Key]:
    hints = get_type_hints(node)
    for entry in fields(node):
        key = Key(prefix + entry.name, hints[entry.name], entry)
        yield key
        if is_dataclass(key.type):
            yield from _walk_keys(key.type, f"{key.name}.")
