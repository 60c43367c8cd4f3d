"""What a composed run must satisfy beyond its types (config floor; no torch)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from senet_repro.config import schema
from senet_repro.config.choice import listed, require
from senet_repro.config.schema import ConfigError, Run


def validate(run: Run) -> None:
    """Accept a run that can be trained.

    Raises:
        ConfigError: a value is not legal, or the network does not offer what the axes ask of it.
    """
    _check_axes(run)
    choices: list[tuple[str, Any, Sequence[str]]] = [
        ("se.fc", run.se.fc, schema.SE_FCS),
        ("recipe.schedule.kind", run.recipe.schedule.kind, schema.SCHEDULES),
        ("logger.name", run.logger.name, schema.LOGGERS),
        ("trainer.accelerator", run.trainer.accelerator, schema.ACCELERATORS),
        ("trainer.precision", run.trainer.precision, schema.PRECISIONS),
    ]
    if run.model.stride_on is not None:
        choices.append(("model.stride_on", run.model.stride_on, schema.STRIDES_ON))
    for key, value, legal in choices:
        require(key, value, legal)
    for key, count in (
        ("recipe.epochs", run.recipe.epochs),
        ("recipe.batch_size", run.recipe.batch_size),
        ("trainer.devices", run.trainer.devices),
    ):
        if count < 1:
            raise ConfigError(f"{key}={count}: give a whole number of at least 1")
    if run.recipe.lr <= 0:
        raise ConfigError(f"recipe.lr={run.recipe.lr}: give a positive learning rate")
    if not 0 <= run.recipe.label_smoothing < 1:
        raise ConfigError(f"recipe.label_smoothing={run.recipe.label_smoothing}: give a share from 0 to below 1")
    if run.seed < 0 or run.trainer.num_workers < 0:
        raise ConfigError("seed and trainer.num_workers cannot be negative")
    check_batch_size(run.recipe.batch_size, run.trainer.devices)


def _check_axes(run: Run) -> None:
    if run.r != "none" and not (isinstance(run.r, int) and not isinstance(run.r, bool) and run.r >= 1):
        raise ConfigError(f"r={run.r}: give a whole number of at least 1, such as 16, or none for no SE block")
    require("squeeze", run.squeeze, schema.SQUEEZES)
    require("excitation", run.excitation, schema.EXCITATIONS)
    require("placement", run.placement, schema.PLACEMENTS)
    _check_stages(run.stages, run.model)
    require("placement", run.placement, run.model.placements, run.model.name)


def _check_stages(stages: Any, model: schema.Model) -> None:
    if isinstance(stages, str):
        if stages not in schema.STAGE_WORDS:
            raise ConfigError(
                f"stages={stages}: give {listed(schema.STAGE_WORDS, 'or')}, or stage numbers such as [2,3]"
            )
        return
    if not isinstance(stages, list) or not stages or not all(type(stage) is int for stage in stages):
        raise ConfigError(f"stages={stages}: give stage numbers such as [2,3], or {listed(schema.STAGE_WORDS, 'or')}")
    for stage in stages:
        require("stage", stage, model.stages, model.name)
    if len(set(stages)) < len(stages):
        raise ConfigError(f"stages={stages}: name each stage once")


def check_batch_size(batch_size: int, devices: int) -> None:
    """Accept a global batch that divides over the devices.

    Raises:
        ConfigError: it does not; the message names the nearest sizes that do, and the numbers of devices that would.
    """
    if batch_size % devices:
        lower = batch_size // devices * devices
        sizes = [size for size in (lower, lower + devices) if size]
        divisors = [n for n in range(1, min(batch_size, 64) + 1) if batch_size % n == 0]
        raise ConfigError(
            f"recipe.batch_size={batch_size} does not divide over trainer.devices={devices}: "
            f"give recipe.batch_size={listed(sizes, 'or')}, or trainer.devices={listed(divisors, 'or')}"
        )
