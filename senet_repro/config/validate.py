"""What a composed run must satisfy beyond its types (config floor; no torch)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from senet_repro.config import schema
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
        _check_choice(key, value, legal)
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
    _check_batch(run.recipe.batch_size, run.trainer.devices)


def _check_axes(run: Run) -> None:
    if run.r != "none" and not (isinstance(run.r, int) and not isinstance(run.r, bool) and run.r >= 1):
        raise ConfigError(f"r={run.r}: give a whole number of at least 1, such as 16, or none for no SE block")
    _check_choice("squeeze", run.squeeze, schema.SQUEEZES)
    _check_choice("excitation", run.excitation, schema.EXCITATIONS)
    _check_choice("placement", run.placement, schema.PLACEMENTS)
    _check_stages(run.stages, run.model)
    if run.placement not in run.model.placements:
        raise ConfigError(
            f"placement={run.placement}: {run.model.name} does not offer it; it offers {_listed(run.model.placements)}"
        )


def _check_stages(stages: Any, model: schema.Model) -> None:
    if isinstance(stages, str):
        if stages not in schema.STAGE_WORDS:
            raise ConfigError(f"stages={stages}: give {_listed(schema.STAGE_WORDS)}, or stage numbers such as [2,3]")
        return
    if not isinstance(stages, list) or not stages or not all(type(stage) is int for stage in stages):
        raise ConfigError(f"stages={stages}: give stage numbers such as [2,3], or {_listed(schema.STAGE_WORDS)}")
    missing = sorted(set(stages) - set(model.stages))
    if missing:
        raise ConfigError(
            f"stages={stages}: {model.name} has no stage {_listed(missing)}; its stages are {_listed(model.stages)}"
        )
    if len(set(stages)) < len(stages):
        raise ConfigError(f"stages={stages}: name each stage once")


def _check_batch(batch_size: int, devices: int) -> None:
    if batch_size % devices:
        lower = batch_size // devices * devices
        sizes = [size for size in (lower, lower + devices) if size]
        divisors = [n for n in range(1, batch_size + 1) if batch_size % n == 0 and n <= 64]
        raise ConfigError(
            f"recipe.batch_size={batch_size} does not divide over trainer.devices={devices}: "
            f"give a batch of {_listed(sizes, ' or ')}, or one of {_listed(divisors)} devices"
        )


def _check_choice(key: str, value: Any, legal: Sequence[str]) -> None:
    if value not in legal:
        raise ConfigError(f"{key}={value}: give {_listed(legal, ' or ')}")


def _listed(items: Iterable[Any], last: str = " and ") -> str:
    *head, tail = map(str, items)
    return f"{', '.join(head)}{last}{tail}" if head else tail
