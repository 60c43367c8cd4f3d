"""The identity of a run: what decides its numbers, and the key, name and folder made of it (config floor; no torch).

Two runs of one identity compute the same numbers, so settings without effect are dropped: everything about SE where
there is no SE block, and paths, loggers, devices and worker counts always. Tables find their rows by the same data.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from senet_repro.config.data_sets import FACTS
from senet_repro.config.schema import DEFAULT_TASK, DETECTION, Run

CODE_VERSION = 2
"""Raised whenever a change to the code changes what a run computes; records of different versions never mix."""

AXES = ("r", "squeeze", "excitation", "stages", "placement")
_RUN_DEFAULTS: dict[str, Any] = {field.name: field.default for field in fields(Run)}
AXIS_DEFAULTS = {axis: _RUN_DEFAULTS[axis] for axis in AXES}

# Paths, words for readers, the facts of a set that its name alone decides, and `px`, which `eval_px` repeats.
_NOT_IDENTITY = {
    *("root", "found", "download", "verify", "skip_corrupt", "proxy", "note", "px"),
    *FACTS,
}
_SCHEDULE_FIELDS = {
    "step": ("kind", "drops", "length", "factor"),
    "cosine": ("kind",),
    "plateau": ("kind", "factor", "patience_epochs"),
}


def select_stages(stages: str | Sequence[int], available: Sequence[int]) -> tuple[int, ...]:
    """Return the paper's stage numbers that a value of the stages axis selects among those a network has."""
    words = {
        "all": tuple(available),
        "all_but_last": tuple(available[:-1]),
        "none": (),
    }
    if isinstance(stages, str):
        return words[stages]
    return tuple(sorted(stages))


def build_se_identity(
    axes: Mapping[str, Any], se: Mapping[str, Any], available: Sequence[int]
) -> dict[str, Any] | None:
    """Return what identifies the SE blocks of a network, or None where the settings leave it without any.

    `axes` are values of the five axes, `se` how a block is written down (fc, bias), `available` the stages that the
    network has.
    """
    stages = select_stages(axes["stages"], available)
    if axes["r"] == "none" or not stages:
        return None
    blocks = {axis: axes[axis] for axis in AXES}
    # The stages themselves, since two words may select the same ones of a network.
    blocks["stages"] = list(stages)
    return {**blocks, "fc": se["fc"], "bias": se["bias"]}


def build_identity(run: Run) -> dict[str, Any]:
    """Return everything that decides a run's numbers but its seed, as JSON-ready data."""
    axes = {axis: getattr(run, axis) for axis in AXES}
    data = _identify_data(run)
    identity = {
        "code_version": CODE_VERSION,
        "se": build_se_identity(axes, asdict(run.se), run.model.stages),
        "model": {"name": run.model.name, "stages": list(run.model.stages), **run.model.options},
        "data": data,
        "recipe": _identify_recipe(run),
        "precision": run.trainer.precision,
    }
    # The task came later than the first runs, whose keys stay as they are.
    if run.task != DEFAULT_TASK:
        identity["task"] = run.task
    if run.task == DETECTION:
        identity["detection"] = asdict(run.detection)
    if run.init.weights is not None:
        identity["init"] = {"source": run.init.source, "sha256": run.init.sha256}
    return identity


def split_identity(identity: Mapping[str, Any]) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """Return the two parts of an identity: the values of the axes, None without SE, and the protocol.

    The protocol holds everything else; its part `se` is how blocks are written down (fc, bias), empty without SE.
    """
    blocks = identity["se"]
    if blocks is None:
        return None, {**identity, "se": {}}
    # An axis that came later than the first records is left out where it has its default, and so keeps their keys.
    axes = {axis: blocks[axis] for axis in AXES if axis in blocks}
    written_as = {key: value for key, value in blocks.items() if key not in AXES}
    return axes, {**identity, "se": written_as}


def join_identity(axes: Mapping[str, Any] | None, protocol: Mapping[str, Any]) -> dict[str, Any]:
    """Return the identity that `split_identity` took apart."""
    if axes is None:
        return {**protocol, "se": None}
    blocks = {**axes, **protocol["se"]}
    return {**protocol, "se": blocks}


def hash_identity(identity: Mapping[str, Any]) -> str:
    """Return the hash of JSON-ready data, 64 hexadecimal digits."""
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def protocol_key(protocol: Mapping[str, Any], eval_images: int) -> str:
    """Return the key that runs share which differ in the axes alone, with or without SE.

    How SE blocks are written down is left out, since a network without SE agrees with every way of it.
    """
    return hash_identity({**protocol, "se": None, "eval_images": eval_images})


def run_key(run: Run) -> str:
    """Return the key that a run shares with every run of the same identity, whatever its seed."""
    return hash_identity(build_identity(run))


def _identify_data(run: Run) -> dict[str, Any]:
    data = {}
    for key, value in asdict(run.data).items():
        if key not in _NOT_IDENTITY:
            data[key] = value
    # Keys that came later are left out where they change nothing, or every older run would have another key.
    if data["decode"] == "cpu":
        del data["decode"]
    if data["most_px"] is None:
        del data["most_px"]
    if data["eval_resize_sides"] == "short":
        del data["eval_resize_sides"]
    if data["subset"] is None:
        del data["subset"]
    # Which pictures lie at `data.root`; a set that is read from no folder is known by its name.
    found = run.data.found
    if found is not None:
        data["fingerprint"] = found.fingerprint
        if found.encoding is not None:
            data["encoding"] = found.encoding
    return data


def _identify_recipe(run: Run) -> dict[str, Any]:
    recipe = asdict(run.recipe)
    schedule = recipe.pop("schedule")
    del recipe["name"], recipe["note"]
    # Keys that came later are left out where they change nothing, or every older run would have another key.
    if not recipe["cutout_px"]:
        del recipe["cutout_px"]
    if recipe["epoch_steps"] is None:
        del recipe["epoch_steps"]
    return {**recipe, "schedule": _identify_schedule(schedule)}


def _identify_schedule(schedule: Mapping[str, Any]) -> dict[str, Any]:
    kind = schedule["kind"]
    used = list(_SCHEDULE_FIELDS[kind])
    if kind == "step" and schedule["warmup"]:
        used += ["warmup", "warmup_factor"]
        if schedule["warmup_shape"] != "flat":
            used.append("warmup_shape")
    return {key: schedule[key] for key in used}


def run_name(run: Run) -> str:
    """Return a readable name: data, network, whatever differs from the paper's SE block, and whose weights."""
    identity = build_identity(run)
    parts = [identity["data"]["name"], identity["model"]["name"], *_name_se(identity)]
    if "init" in identity:
        parts.append(f"from_{identity['init']['source']}")
    return "-".join(parts)


def run_dir(run: Run) -> Path:
    """Return the folder in which a run keeps everything: `results_dir/<name>-<key8>/seed<k>`."""
    key = run_key(run)
    folder = f"{run_name(run)}-{key[:8]}"
    return Path(run.results_dir) / folder / f"seed{run.seed}"


def _name_se(identity: Mapping[str, Any]) -> Iterator[str]:
    blocks = identity["se"]
    if blocks is None:
        yield "plain"
        return
    yield f"r{blocks['r']}"
    if blocks["squeeze"] != AXIS_DEFAULTS["squeeze"]:
        # The bare value would read as if there were no SE at all.
        if blocks["squeeze"] == "none":
            yield "nosqueeze"
        else:
            yield blocks["squeeze"]
    for axis in ("excitation", "placement"):
        if blocks[axis] != AXIS_DEFAULTS[axis]:
            yield blocks[axis]
    if blocks["stages"] != identity["model"]["stages"]:
        digits = [str(stage) for stage in blocks["stages"]]
        yield f"stages{''.join(digits)}"
