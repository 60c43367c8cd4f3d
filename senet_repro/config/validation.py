"""What a composed run must satisfy beyond its types (config floor; no torch)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import reduce
from typing import Any

from senet_repro.config import schema
from senet_repro.config.data_sets import FACTS, read_set_facts
from senet_repro.config.schema import Data, Init, Run
from senet_repro.core.choice import listed, require
from senet_repro.core.errors import ConfigError

SMALLEST = 1e-12  # what 'positive' means

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


def validate(run: Run) -> None:
    """Accept a run that can be trained.

    Raises:
        ConfigError: a value is not legal, or the network does not offer what the axes ask of it.
    """
    check_axes(run.r, run.squeeze, run.excitation, run.placement)
    check_stages(run.stages, run.model.stages, run.model.name)
    require("placement", run.placement, run.model.placements, run.model.name)
    choices: list[tuple[str, Any, Sequence[str]]] = [
        ("se.fc", run.se.fc, schema.SE_FCS),
        ("data.kind", run.data.kind, schema.DATA_KINDS),
        ("recipe.schedule.kind", run.recipe.schedule.kind, schema.SCHEDULES),
        ("logger.name", run.logger.name, schema.LOGGERS),
        ("trainer.accelerator", run.trainer.accelerator, schema.ACCELERATORS),
        ("trainer.precision", run.trainer.precision, schema.PRECISIONS),
    ]
    if run.init != Init():
        choices.append(("init.source", run.init.source, schema.WEIGHT_SOURCES))
        if run.init.weights is None:
            raise ConfigError("init.source or init.sha256 without weights: give init.weights=FILE")
    for option, value in run.model.options.items():
        require("model.options", option, schema.MODEL_OPTIONS)
        choices.append((f"model.options.{option}", value, schema.MODEL_OPTIONS[option]))
    for key, value, legal in choices:
        require(key, value, legal)
    for key, low, high in RANGES:
        _check_range(key, _value(run, key), low, high)
    if not run.results_dir:
        raise ConfigError("results_dir is empty: give a folder, such as results_dir=runs")
    for key, count in (
        ("data.mean", 3),
        ("data.std", 3),
        ("data.crop_area", 2),
        ("data.crop_aspect", 2),
    ):
        values = _value(run, key)
        if values is not None and (
            len(values) != count or (key != "data.mean" and min(values) <= 0)
        ):
            raise ConfigError(f"{key}={values}: give {count} positive numbers")
    trainer = run.trainer
    check_batch_size(run.recipe.batch_size, trainer.devices, trainer.nodes, trainer.accumulate)
    _check_data(run)


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
    require("squeeze", squeeze, schema.SQUEEZES)
    require("excitation", excitation, schema.EXCITATIONS)
    require("placement", placement, schema.PLACEMENTS)


def check_stages(stages: Any, available: Sequence[int], who: str) -> None:
    """Accept a value of the stages axis for the network `who`, whose stage numbers are `available`.

    Raises:
        ConfigError: it is neither a word of the axis nor distinct stage numbers of the network.
    """
    words = listed(schema.STAGE_WORDS, "or")
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
        require("stage", stage, available, who)
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
    mends = [f"recipe.batch_size={listed([size for size in (lower, lower + parts) if size], 'or')}"]
    if batch_size % others == 0:
        share = batch_size // others
        fitting = [n for n in range(1, min(share, 64) + 1) if share % n == 0]
        mends.append(f"trainer.devices={listed(fitting, 'or')}")
    factors = [(devices, "devices"), (nodes, "nodes"), (accumulate, "accumulate")]
    asked = " and ".join(f"trainer.{name}={count}" for count, name in factors if count > 1)
    raise ConfigError(
        f"recipe.batch_size={batch_size} does not divide over {asked}: give {', or '.join(mends)}"
    )


def _value(run: Run, key: str) -> Any:
    return reduce(getattr, key.split("."), run)


def _check_range(key: str, value: float | None, low: float, high: float) -> None:
    if value is None or (low <= value <= high and math.isfinite(value)):
        return
    least = "a positive number" if low == SMALLEST else f"a number of at least {low:g}"
    raise ConfigError(f"{key}={value}: give {least}" + ("" if high == math.inf else " and below 1"))
