"""The identity of a run: its canonical form, key, name and folder (config floor; no torch).

Two runs with one canonical form compute the same numbers, so what has no effect is dropped: everything about SE where
there is no SE block, and paths, loggers, devices and worker counts always. Tables find their rows by the same form.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from senet_repro.config.data_sets import FACTS
from senet_repro.config.schema import Run

CODE_VERSION = 1
"""Raised whenever a change to the code changes what a run computes; records of different versions never mix."""

AXES = ("r", "squeeze", "excitation", "stages", "placement")
AXIS_DEFAULTS: dict[str, Any] = {f.name: f.default for f in fields(Run) if f.name in AXES}

# Paths, words for readers, and the facts of a set that its name alone decides.
_NOT_IDENTITY = {"root", "download", "verify", "skip_corrupt", "proxy", "note", *FACTS}
_SCHEDULE_FIELDS = {
    "step": ("kind", "drops", "length", "factor"),
    "cosine": ("kind",),
    "plateau": ("kind", "factor", "patience_epochs"),
}


def stage_numbers(stages: str | Sequence[int], available: Sequence[int]) -> tuple[int, ...]:
    """The paper's stage numbers that a value of the stages axis selects among those a network has."""
    words = {"all": tuple(available), "all_but_last": tuple(available[:-1]), "none": ()}
    return words[stages] if isinstance(stages, str) else tuple(sorted(stages))


def canonical_se(
    axes: Mapping[str, Any], se: Mapping[str, Any], available: Sequence[int]
) -> dict[str, Any] | None:
    """The SE blocks of a network whose stages are `available`, or None where the settings leave it without any."""
    stages = stage_numbers(axes["stages"], available)
    if axes["r"] == "none" or not stages:
        return None
    return {
        **{axis: axes[axis] for axis in AXES},
        "stages": list(stages),
        "fc": se["fc"],
        "bias": se["bias"],
    }


def canonical(run: Run) -> dict[str, Any]:
    """Everything that decides a run's numbers but its seed, as JSON-ready data."""
    recipe = asdict(run.recipe)
    schedule = _canonical_schedule(recipe.pop("schedule"))
    del recipe["name"], recipe["note"]
    if not recipe["cutout_px"]:
        del recipe["cutout_px"]
    form = {
        "code_version": CODE_VERSION,
        "se": canonical_se(
            {axis: getattr(run, axis) for axis in AXES}, asdict(run.se), run.model.stages
        ),
        "model": {"name": run.model.name, "stages": list(run.model.stages), **run.model.options},
        "data": {key: value for key, value in asdict(run.data).items() if key not in _NOT_IDENTITY},
        "recipe": {**recipe, "schedule": schedule},
        "precision": run.trainer.precision,
    }
    if run.init.weights is not None:
        form["init"] = {"source": run.init.source, "sha256": run.init.sha256}
    return form


def _canonical_schedule(schedule: Mapping[str, Any]) -> dict[str, Any]:
    kind = schedule["kind"]
    warmup = ("warmup", "warmup_factor") if kind == "step" and schedule["warmup"] else ()
    return {key: schedule[key] for key in (*_SCHEDULE_FIELDS[kind], *warmup)}


def key_of(form: Mapping[str, Any]) -> str:
    """The hash of a canonical form, 64 hexadecimal digits."""
    return hashlib.sha256(
        json.dumps(form, sort_keys=True, separators=(",", ":")).encode()
    ).hexdigest()


def run_key(run: Run) -> str:
    """The key that a run shares with every run of the same canonical form, whatever its seed."""
    return key_of(canonical(run))


def run_name(run: Run) -> str:
    """A readable name: data, network, whatever of SE differs from the paper's default block, and whose weights."""
    form = canonical(run)
    parts = [form["data"]["name"], form["model"]["name"], *_se_parts(form)]
    if "init" in form:
        parts.append(f"from_{form['init']['source']}")
    return "-".join(parts)


def _se_parts(form: Mapping[str, Any]) -> Iterator[str]:
    se = form["se"]
    if se is None:
        yield "plain"
        return
    yield f"r{se['r']}"
    if se["squeeze"] != AXIS_DEFAULTS["squeeze"]:
        yield "nosqueeze" if se["squeeze"] == "none" else se["squeeze"]
    yield from (se[axis] for axis in ("excitation", "placement") if se[axis] != AXIS_DEFAULTS[axis])
    if se["stages"] != form["model"]["stages"]:
        yield "stages" + "".join(map(str, se["stages"]))


def run_dir(run: Run) -> Path:
    """Where a run keeps everything: `results_dir/<name>-<key8>/seed<k>`."""
    return Path(run.results_dir) / f"{run_name(run)}-{run_key(run)[:8]}" / f"seed{run.seed}"
