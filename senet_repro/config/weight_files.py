"""The weights that others know: whose networks there are, and the files to write (config floor; no torch)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import UnionType
from typing import Any

from senet_repro.core.choice import require_choice
from senet_repro.core.errors import ConfigError
from senet_repro.core.files import parse_object
from senet_repro.core.wording import join_words

SAFE = ".safetensors"
SUFFIXES = (SAFE, ".pth")
ABOUT = "senet_repro"
"""The name under which a safetensors file that `export` wrote says what its weights are of."""

# The header of a file of ours has some kilobytes: a line for each tensor.
_MOST_HEADER_BYTES = 10_000_000
_ABOUT_TYPES: dict[str, type | UnionType] = {
    "network": str,
    "source": str,
    "data": str,
    "train_px": int,
    "eval_px": int,
    "eval_resize_px": int | None,
    "mean": list,
    "std": list,
    "run": dict,
}
# Keys that came later: a file may lack them.
_LATER_TYPES: dict[str, type | UnionType] = {"eval_resize_sides": str}
_RUN_KEYS = {"name", "run_key", "seed"}

_RESNETS = ("resnet50", "resnet101", "resnet152", "resnext50")
RELEASED = {
    "timm": (*_RESNETS, "resnext101", "senet154"),
    "torchvision": (*_RESNETS, "vgg16"),
}
"""The networks whose weights each source released, by our names."""


def check_release(network: str, source: str) -> None:
    """Accept a network that the source has, too.

    Raises:
        ConfigError: there is no such source, or it does not have the network.
    """
    require_choice("source", source, RELEASED)
    if network not in RELEASED[source]:
        raise ConfigError(
            f"{source} has no {network}: it has {join_words(RELEASED[source], 'and')}"
        )


def check_weights_target(path: Path) -> None:
    """Accept a file that weights can be written to.

    Raises:
        ConfigError: another suffix, or a folder that does not exist.
    """
    if path.suffix not in SUFFIXES:
        raise ConfigError(f"{path}: give a file that ends in {join_words(SUFFIXES, 'or')}")
    if not path.parent.is_dir():
        raise ConfigError(
            f"{path.parent} is not a folder; make it, or give a path in one that exists"
        )


def write_about(facts: Mapping[str, Any]) -> dict[str, str]:
    """Return the words by which a safetensors file says what its weights are of."""
    assert facts.keys() - _LATER_TYPES.keys() == _ABOUT_TYPES.keys(), facts.keys()
    return {ABOUT: json.dumps(facts)}


def read_about(path: Path) -> dict[str, Any] | None:
    """Return what a file that `export` wrote says of its weights; None where it says nothing. No tensor is read."""
    if path.suffix != SAFE:
        return None
    with path.open("rb") as file:
        # As safetensors begins: the length of its header, and the header in JSON.
        length = int.from_bytes(file.read(8), "little")
        if length > _MOST_HEADER_BYTES:
            return None
        header = parse_object(file.read(length).decode("utf-8", "replace"))
    metadata = header.get("__metadata__")
    if not isinstance(metadata, dict) or not isinstance(metadata.get(ABOUT), str):
        return None
    facts = parse_object(metadata[ABOUT])
    if facts.keys() - _LATER_TYPES.keys() != _ABOUT_TYPES.keys():
        return None
    kinds = {**_ABOUT_TYPES, **_LATER_TYPES}
    for name, value in facts.items():
        if not isinstance(value, kinds[name]):
            return None
    # An evaluation names the run.
    if facts["run"].keys() != _RUN_KEYS:
        return None
    return facts
