"""Keep what `cost` measured: a network with and without SE under the clock (results floor).

A file `costs/<network>-<first 8 digits of its key>.json` in the results folder holds one network in one setting.
Nothing was trained for it: it is no record, and says nothing of errors.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from senet_repro.config.identity import CODE_VERSION, hash_identity
from senet_repro.config.network_pairs import list_network_pairs
from senet_repro.core.errors import ConfigError
from senet_repro.core.files import read_versioned, write_json
from senet_repro.results.record_rules import is_number

SCHEMA_VERSION = 1
COSTS = "costs"
"""The folder, below the results folder, of what was measured."""

TRAINING_STEP = "training_step"
INFERENCE = "inference"
ONE_IMAGE = "one_image"
KINDS = (TRAINING_STEP, INFERENCE, ONE_IMAGE)
"""The calls that are timed: the latter two in evaluation mode, of a batch and of one image."""


@dataclass(frozen=True, kw_only=True)
class CostSetting:
    """How a network was timed: whatever decides milliseconds but the network itself."""

    device: str  # its name, as its driver or the system gives it
    device_type: str  # cuda | cpu
    precision: str  # a word of trainer.precision
    is_compiled: bool
    batch: int  # images of a training step, and of inference in batches
    threads: int | None  # of the CPU; None on a GPU
    memory_format: str  # of images and weights, such as channels_last
    torch: str  # its version


@dataclass(frozen=True, kw_only=True)
class MeasuredCost:
    """A network without SE and with it in one setting, timed in turn."""

    key: str  # the hash of network, setting and code version
    network: str  # by our name
    px: int  # side of the images
    setting: CostSetting
    is_quick: bool  # a rehearsal, whose figures say nothing
    # Of the network without SE, and with it.
    params: list[int]
    macs: list[int]  # multiply-adds of one image
    # Milliseconds of each round, by one of KINDS: first those without SE, then those with it.
    times_ms: dict[str, list[list[float]]]
    memory_bytes: list[int]  # at most, in training steps
    memory_is: str  # what that counts, as a sentence
    # Joules of a training step, in each round; none where nothing tells.
    energy_j: list[list[float]]
    energy_is: str  # how they were told, or why they were not, as a sentence
    checked: str  # what was found equal before the clock ran
    machine: dict[str, Any]  # cores, load, versions, commit and time
    schema_version: int = SCHEMA_VERSION
    # Where it was read from; no part of the file.
    path: Path | None = field(default=None, compare=False)


_FIELDS = {each.name for each in fields(MeasuredCost) if each.name != "path"}
_SETTING_FIELDS = {each.name for each in fields(CostSetting)}
_TEXTS = ("key", "network", "memory_is", "energy_is", "checked")
_SETTING_TYPES = {
    "device": str,
    "device_type": str,
    "precision": str,
    "is_compiled": bool,
    "batch": int,
    "memory_format": str,
    "torch": str,
}
# What is read of a machine.
_MACHINE_KEYS = {"cores", "load", "versions", "commit", "dirty", "measured_at"}


def hash_cost(network_key: str, px: int, setting: CostSetting, is_quick: bool) -> str:
    """Return the key of a measurement: that of the network, the images and everything that decides milliseconds."""
    return hash_identity(
        {
            "code_version": CODE_VERSION,
            "network": network_key,
            "px": px,
            "setting": asdict(setting),
            "is_quick": is_quick,
        }
    )


def find_cost_file(results_dir: Path, network: str, key: str) -> Path:
    """Return where a measurement belongs."""
    return results_dir / COSTS / f"{network}-{key[:8]}.json"


def write_cost(results_dir: Path, cost: MeasuredCost) -> Path:
    """Write a measurement, whole or not at all, in place of an earlier one of its key; return its file.

    Raises:
        OSError: the folder cannot be made or written to.
    """
    path = find_cost_file(results_dir, cost.network, cost.key)
    path.parent.mkdir(parents=True, exist_ok=True)
    values = asdict(cost)
    del values["path"]
    write_json(path, values)
    return path


def read_cost(path: Path) -> MeasuredCost:
    """Return the measurement in a file.

    Raises:
        ConfigError: the file holds none, is that of another measurement, or a newer senet_repro wrote it.
    """
    found = read_versioned(path, SCHEMA_VERSION)
    if not _is_sound(found):
        raise ConfigError(
            f"{path} holds no costs as senet_repro writes them: remove it, and measure anew"
        )
    cost = MeasuredCost(**{**found, "setting": CostSetting(**found["setting"])}, path=path)
    if path.name != find_cost_file(Path(), cost.network, cost.key).name:
        raise ConfigError(
            f"{path} holds the costs of {cost.network}-{cost.key[:8]}: give it that name, or remove it"
        )
    return cost


def load_costs(results_dir: Path) -> tuple[list[MeasuredCost], list[str]]:
    """Return every measurement of a results folder but rehearsals, and a message for each file that cannot be read."""
    found = []
    problems = []
    for path in sorted((results_dir / COSTS).glob("*.json")):
        try:
            cost = read_cost(path)
        except ConfigError as error:
            problems.append(str(error))
            continue
        if not cost.is_quick:
            found.append(cost)
    return found, problems


def _is_sound(found: dict[str, Any]) -> bool:
    """Return whether a file has every field of its type, all that is read in it, and possible figures."""
    if found.keys() != _FIELDS or not all(isinstance(found[name], str) for name in _TEXTS):
        return False
    if not (isinstance(found["is_quick"], bool) and _is_whole(found["px"])):
        return False
    if found["network"] not in list_network_pairs():
        return False
    machine = found["machine"]
    if not isinstance(machine, dict) or not machine.keys() >= _MACHINE_KEYS:
        return False
    if not (is_number(machine["load"]) and _is_whole(machine["cores"])):
        return False
    counts = [found[name] for name in ("params", "macs", "memory_bytes")]
    if not all(_is_pair(pair) and all(map(_is_whole, pair)) for pair in counts):
        return False
    times = found["times_ms"]
    if not isinstance(times, dict) or times.keys() != set(KINDS):
        return False
    has_energy = found["energy_j"] != []
    figures = [*times.values(), *([found["energy_j"]] if has_energy else [])]
    return _is_sound_setting(found["setting"]) and all(map(_is_rounds, figures))


def _is_sound_setting(setting: Any) -> bool:
    if not isinstance(setting, dict) or setting.keys() != _SETTING_FIELDS:
        return False
    if not all(isinstance(setting[name], kind) for name, kind in _SETTING_TYPES.items()):
        return False
    return setting["threads"] is None or _is_whole(setting["threads"])


def _is_whole(value: Any) -> bool:
    """Return whether a value is a whole number above 0."""
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2


def _is_rounds(value: Any) -> bool:
    """Return whether a value is a pair of as many positive figures, at least one each."""
    if not _is_pair(value) or not all(isinstance(figures, list) and figures for figures in value):
        return False
    is_paired = len(value[0]) == len(value[1])
    return is_paired and all(
        is_number(figure) and figure > 0 for figures in value for figure in figures
    )
