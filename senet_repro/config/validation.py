"""Refuse a composed run that cannot be trained, beyond what its types refuse (config floor; no torch)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from senet_repro.config import schema
from senet_repro.config.conf_dir import list_files, load_file
from senet_repro.config.data_sets import FACTS, read_set_facts
from senet_repro.config.schema import Data, Init, Run
from senet_repro.core.choice import require_choice
from senet_repro.core.errors import ConfigError
from senet_repro.core.wording import join_words

# The least number that counts as positive.
SMALLEST = 1e-12
# The most devices that an error proposes.
MOST_DEVICES = 64

RANGES: tuple[tuple[str, float, float], ...] = (
    ("seed", 0, math.inf),
    ("recipe.epochs", 1, math.inf),
    ("recipe.batch_size", 1, math.inf),
    ("recipe.lr", SMALLEST, math.inf),
    ("recipe.momentum", 0, 1 - SMALLEST),
    ("recipe.weight_decay", 0, math.inf),
    ("recipe.label_smoothing", 0, 1 - SMALLEST),
    ("recipe.cutout_px", 0, math.inf),
    ("recipe.schedule.length", 1, math.inf),
    ("recipe.schedule.warmup", 0, math.inf),
    ("recipe.schedule.warmup_factor", SMALLEST, 1 - SMALLEST),
    ("recipe.schedule.factor", SMALLEST, 1 - SMALLEST),
    ("recipe.schedule.patience_epochs", 0, math.inf),
    ("trainer.devices", 1, math.inf),
    ("trainer.nodes", 1, math.inf),
    ("trainer.accumulate", 1, math.inf),
    ("trainer.threads", 1, math.inf),
    ("trainer.num_workers", 0, math.inf),
    ("data.classes", 2, math.inf),
    ("data.train_px", 1, math.inf),
    ("data.eval_px", 1, math.inf),
    ("data.eval_resize_px", 1, math.inf),
    ("data.pad_px", 0, math.inf),
)
"""Least and greatest value of each number; a number that may be left out is not checked where it is."""

COUNTS = {"data.mean": 3, "data.std": 3, "data.crop_area": 2, "data.crop_aspect": 2}
"""How many numbers a list holds; one that may be left out is not checked where it is."""


@cache
def list_tasks() -> list[str]:
    """Return the names of the tasks in alphabetical order: the folders of senet_repro/tasks."""
    # This floor may not import a task, but it may know the names.
    folder = Path(__file__).parents[1] / "tasks"
    return sorted(path.parent.name for path in folder.glob("*/__init__.py"))


def validate_run(run: Run) -> None:
    """Accept a run that can be trained.

    Raises:
        ConfigError: a value is not legal, or the network does not offer what the axes ask of it.
    """
    check_axes(run.r, run.squeeze, run.excitation, run.placement)
    check_stages(run.stages, run.model.stages, run.model.name)
    require_choice("placement", run.placement, run.model.placements, run.model.name)
    _check_first_weights(run.init)
    _check_choices(run)
    for key, low, high in RANGES:
        _check_range(key, _value_of(run, key), low, high)
    if not run.results_dir:
        raise ConfigError("results_dir is empty: give a folder, such as results_dir=runs")
    for key, count in COUNTS.items():
        _check_numbers(key, _value_of(run, key), count)
    trainer = run.trainer
    check_batch_size(run.recipe.batch_size, trainer.devices, trainer.nodes, trainer.accumulate)
    _check_data(run)


def _check_first_weights(init: Init) -> None:
    if init == Init():
        return
    if init.weights is None:
        raise ConfigError("init.source or init.sha256 without weights: give init.weights=FILE")
    require_choice("init.source", init.source, schema.WEIGHT_SOURCES)


def _check_choices(run: Run) -> None:
    """Accept words that are among those of the schema."""
    require_choice("model.name", run.model.name, list_files("model"))
    require_choice("task", run.task, list_tasks())
    require_choice("data.kind", run.data.kind, schema.DATA_KINDS)
    require_choice("se.fc", run.se.fc, schema.SE_FCS)
    require_choice("recipe.schedule.kind", run.recipe.schedule.kind, schema.SCHEDULES)
    require_choice("logger.name", run.logger.name, list_files("logger"))
    require_choice("trainer.accelerator", run.trainer.accelerator, schema.ACCELERATORS)
    require_choice("trainer.precision", run.trainer.precision, schema.PRECISIONS)
    offered = load_file("model", run.model.name).get("options", {})
    for option, value in run.model.options.items():
        require_choice("model.options", option, schema.MODEL_OPTIONS)
        require_choice("model.options", option, offered, run.model.name)
        require_choice(f"model.options.{option}", value, schema.MODEL_OPTIONS[option])


def _check_data(run: Run) -> None:
    """Accept a data set as its file describes it, and a recipe and a network that it can serve."""
    data, recipe = run.data, run.recipe
    _check_set_facts(data)
    if data.kind == "folders":
        if data.eval_resize_px is None:
            raise ConfigError(
                f"{run.model.name} is made for images of {run.model.input_px} px, not for {data.name}'s: take another "
                "network, or give data.train_px, data.eval_px and data.eval_resize_px, such as 224, 224 and 256"
            )
        if recipe.cutout_px:
            raise ConfigError(
                f"recipe.cutout_px={recipe.cutout_px}: cutout is for sets in memory, give 0 for {data.name}"
            )
    elif recipe.batch_size > data.train_images:
        raise ConfigError(
            f"recipe.batch_size={recipe.batch_size}: {data.name} has {data.train_images:,} training images"
        )


def _check_set_facts(data: Data) -> None:
    """Refuse facts of a set that its file does not state: a part of a set would have the run key of the whole."""
    facts = read_set_facts(data.name)
    for fact in FACTS:
        stated, given = getattr(facts, fact), getattr(data, fact)
        if given != stated:
            raise ConfigError(
                f"data.{fact}={given}: {data.name} has {stated}, and no run may change it; leave it out"
            )


def check_axes(r: Any, squeeze: str, excitation: str, placement: str) -> None:
    """Accept values of the axes that no network restricts; `r` is a whole number or `none`.

    Raises:
        ConfigError: a value is not on its axis; the message names the legal ones.
    """
    if r != "none" and (type(r) is not int or r < 1):
        raise ConfigError(
            f"r={r}: give a whole number of at least 1, such as 16, or none for no SE block"
        )
    require_choice("squeeze", squeeze, schema.SQUEEZES)
    require_choice("excitation", excitation, schema.EXCITATIONS)
    require_choice("placement", placement, schema.PLACEMENTS)


def check_stages(stages: Any, available: Sequence[int], who: str) -> None:
    """Accept a value of the stages axis for the network `who`, whose stage numbers are `available`.

    Raises:
        ConfigError: it is neither a word of the axis nor distinct stage numbers of the network.
    """
    words = join_words(schema.STAGE_WORDS, "or")
    if isinstance(stages, str):
        if stages not in schema.STAGE_WORDS:
            raise ConfigError(f"stages={stages}: give {words}, or stage numbers such as [2,3]")
        return
    if (
        not isinstance(stages, list | tuple)
        or not stages
        or not all(type(stage) is int for stage in stages)
    ):
        raise ConfigError(f"stages={stages}: give stage numbers such as [2,3], or {words}")
    for stage in stages:
        require_choice("stage", stage, available, who)
    if len(set(stages)) < len(stages):
        raise ConfigError(f"stages={stages}: name each stage once")


def check_batch_size(batch_size: int, devices: int, nodes: int = 1, accumulate: int = 1) -> None:
    """Accept a global batch that divides over the devices of all nodes, and there into the parts of `accumulate`.

    Raises:
        ConfigError: it does not; the message names the nearest sizes that do, and the numbers of devices that would.
    """
    others = nodes * accumulate
    parts = devices * others
    if batch_size % parts == 0:
        return
    lower = batch_size // parts * parts
    sizes = [size for size in (lower, lower + parts) if size > 0]
    mends = [f"recipe.batch_size={join_words(sizes, 'or')}"]
    # Other devices help only if nodes and parts divide the batch already.
    if batch_size % others == 0:
        share = batch_size // others
        fitting = [count for count in range(1, min(share, MOST_DEVICES) + 1) if share % count == 0]
        mends.append(f"trainer.devices={join_words(fitting, 'or')}")
    factors = [(devices, "devices"), (nodes, "nodes"), (accumulate, "accumulate")]
    asked = " and ".join(f"trainer.{name}={count}" for count, name in factors if count > 1)
    raise ConfigError(
        f"recipe.batch_size={batch_size} does not divide over {asked}: give {', or '.join(mends)}"
    )


def _value_of(run: Run, key: str) -> Any:
    """Return the value of a key with dots, such as recipe.lr."""
    value: Any = run
    for name in key.split("."):
        value = getattr(value, name)
    return value


def _check_range(key: str, value: float | None, low: float, high: float) -> None:
    if value is None or (low <= value <= high and math.isfinite(value)):
        return
    least = "a positive number" if low == SMALLEST else f"a number of at least {low:g}"
    greatest = "" if high == math.inf else " and below 1"
    raise ConfigError(f"{key}={value}: give {least}{greatest}")


def _check_numbers(key: str, values: Sequence[float] | None, count: int) -> None:
    if values is None:
        return
    # A channel that is black throughout has the mean 0; every other number divides or is a size.
    may_be_zero = key == "data.mean"
    if len(values) != count or (not may_be_zero and min(values) <= 0):
        raise ConfigError(f"{key}={values}: give {count} positive numbers")
