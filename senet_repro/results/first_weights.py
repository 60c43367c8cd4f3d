"""Compare first weights with the run that is to start from them, as far as files tell without torch (results floor).

A network that starts from weights of another would compute something else wherever the two agree in their tensors and
not in what is done with them: an excitation, a stride or the mean of its pictures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from senet_repro.config.conf_dir import load_file
from senet_repro.config.explain import write_value
from senet_repro.config.identity import AXES, AXIS_DEFAULTS, build_se_identity
from senet_repro.config.overrides import parse_override
from senet_repro.config.releases import RELEASES
from senet_repro.config.run_weights import KEPT_WEIGHTS, find_run_weights, name_last_checkpoint
from senet_repro.config.schema import DEFAULT_TASK, DETECTION, RUN_SOURCE, SE, Run
from senet_repro.config.weight_files import SAFE, read_about
from senet_repro.core.errors import ConfigError
from senet_repro.results.campaign import read_campaign
from senet_repro.results.kept_weights import find_first_seed, find_weights
from senet_repro.results.run_folder import RunFolder

Settings = dict[str, Any]
"""Values by the keys of a command line, such as r and model.options.stride_on."""

# The beginning of the keys of a network's own options.
_OPTIONS = "model.options."

_NO_FOLDER = "give the folder of a finished run, such as init.weights=runs/<name>-<key>/seed0"


@dataclass(frozen=True)
class _Origin:
    """The network and the pictures that weights were trained on."""

    whose: str
    stages: list[int]  # that the network has
    settings: Settings


def check_first_weights(run: Run) -> None:
    """Accept a run whose first weights, if it has any, are of its own network and, in detection, its own pictures.

    How a release of another library writes down the FCs of its blocks does not matter: weights fit either way.

    Raises:
        ConfigError: they are not, or of a run that is not finished; the message names every setting that differs.
    """
    origin = _find_origin(run)
    if origin is None:
        return
    theirs = origin.settings
    ours = _list_settings(run)
    differing = _compare_networks(run, origin, ours)
    # A detector has a head of its own, and drops that of its first weights.
    of_data = ["data.classes"]
    if run.task == DETECTION:
        of_data = ["data.mean", "data.std"]
    for key in of_data:
        if key in theirs and theirs[key] != ours[key]:
            differing.append(key)
    if differing:
        there = _write_settings(theirs, differing)
        here = _write_settings(ours, differing)
        raise ConfigError(
            f"init.weights={run.init.weights} are of {origin.whose} with {there}, and this run has {here}: "
            f"give {there}, or other weights"
        )


def find_run_folder(file: Path) -> RunFolder:
    """Return the folder of the run that a file holds the weights of: its checkpoint, or what a campaign kept of it.

    Raises:
        ConfigError: the file is neither.
    """
    run_folder = file.parent.parent
    if file == name_last_checkpoint(run_folder):
        return RunFolder(run_folder)
    kept = file.resolve()
    campaign_folder = kept.parent.parent
    campaign = None
    if kept.parent.name == KEPT_WEIGHTS and file.suffix == SAFE:
        campaign = read_campaign(campaign_folder)
    if campaign is None:
        raise ConfigError(f"init.weights={file} is no file of a run: {_NO_FOLDER}")
    seed = find_first_seed(campaign)
    return RunFolder(campaign_folder / file.stem / f"seed{seed}")


def _find_origin(run: Run) -> _Origin | None:
    """Return where first weights come from; None where there are none, or of a network that nobody released."""
    init = run.init
    if init.weights is None or init.source is None:
        return None
    if init.source == RUN_SOURCE:
        return _find_run(Path(init.weights))
    release = RELEASES[init.source].get(run.model.name)
    if release is None:
        return None
    settings = _list_released(run, release.settings)
    settings["data.mean"] = [*release.mean]
    settings["data.std"] = [*release.std]
    about = read_about(Path(init.weights))
    if about:
        # A file of `export` was trained on pictures of its own.
        settings["data.mean"] = about["mean"]
        settings["data.std"] = about["std"]
    return _Origin(
        whose=f"{init.source}'s {release.name}",
        stages=run.model.stages,
        settings=settings,
    )


def _find_run(path: Path) -> _Origin:
    """Return what the run was trained with whose weights are given by its folder, or by their file.

    Raises:
        ConfigError: there is no finished run of classification.
    """
    folder = RunFolder(path) if path.is_dir() else find_run_folder(path)
    # A campaign keeps the weights of one seed, and perhaps not of this one.
    if path.is_dir() and find_weights(folder) != find_run_weights(path):
        raise ConfigError(f"init.weights={path} holds no weights of its seed: {_NO_FOLDER}")
    if not folder.record_file.is_file():
        raise ConfigError(
            f"init.weights={path}: the run is not finished, and its weights may yet change: train it to its end, "
            "or give the folder of another"
        )
    trained = folder.read_settings(without_first_weights=True)
    if trained.task != DEFAULT_TASK:
        raise ConfigError(
            f"init.weights={path} are of a run with task={trained.task}: give one with task={DEFAULT_TASK}"
        )
    return _Origin(
        whose="a run",
        stages=trained.model.stages,
        settings=_list_settings(trained),
    )


def _list_settings(run: Run) -> Settings:
    """Return what first weights and a run have to agree in."""
    settings: Settings = {"model": run.model.name}
    for axis in AXES:
        settings[axis] = getattr(run, axis)
    for name, value in asdict(run.se).items():
        settings[f"se.{name}"] = value
    for name, value in run.model.options.items():
        settings[f"{_OPTIONS}{name}"] = value
    settings["data.mean"] = [*run.data.mean]
    settings["data.std"] = [*run.data.std]
    settings["data.classes"] = run.data.classes
    return settings


def _list_released(run: Run, overrides: tuple[str, ...]) -> Settings:
    """Return the settings of a released network, which are those of our files but for some."""
    options = load_file("model", run.model.name).get("options", {})
    settings: Settings = {
        "model": run.model.name,
        **AXIS_DEFAULTS,
        "se.fc": run.se.fc,
        "se.bias": SE().bias,
    }
    for name, value in options.items():
        settings[f"{_OPTIONS}{name}"] = value
    for override in overrides:
        key, _, _ = override.partition("=")
        parsed = parse_override(override)
        settings[key] = parsed.value()
    return settings


def _compare_networks(run: Run, origin: _Origin, ours: Settings) -> list[str]:
    """Return the keys of the network in which a run differs from where its weights come from."""
    theirs = origin.settings
    their_blocks = _identify_blocks(theirs, origin.stages)
    our_blocks = _identify_blocks(ours, run.model.stages)
    keys = ["model"]
    # Where neither has blocks, nothing is said about them that counts.
    if their_blocks != our_blocks:
        keys += [*AXES, "se.fc", "se.bias"]
    for key in ours:
        if key.startswith(_OPTIONS) and key in theirs:
            keys.append(key)
    return [key for key in keys if theirs[key] != ours[key]]


def _identify_blocks(settings: Mapping[str, Any], stages: list[int]) -> dict[str, Any] | None:
    """Return what identifies the SE blocks of a network with these stages; None where it has none."""
    se = {"fc": settings["se.fc"], "bias": settings["se.bias"]}
    return build_se_identity(settings, se, stages)


def _write_settings(settings: Settings, keys: list[str]) -> str:
    """Return settings as a command line gives them."""
    words = []
    for key in keys:
        value = settings[key]
        if not isinstance(value, str):
            value = write_value(value)
        words.append(f"{key}={value}")
    return " ".join(words)
