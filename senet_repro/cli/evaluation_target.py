"""What `evaluate` is pointed at: the weights of a run or of a file, and the run that describes their network."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from omegaconf import OmegaConf

from senet_repro.config.class_folders import find_class_folders
from senet_repro.config.composition import compose, run_as_stated
from senet_repro.config.evaluation import CropRule, EvaluationWords, choose_rules
from senet_repro.config.found_set import find_set
from senet_repro.config.identity import run_key, run_name
from senet_repro.config.keys import list_ranges
from senet_repro.config.overrides import parse_override, read_run_overrides
from senet_repro.config.releases import ReleasedNetwork, find_release, guess_source
from senet_repro.config.schema import DEFAULT_TASK, Run
from senet_repro.config.settings import check_settings
from senet_repro.config.weight_files import SUFFIXES
from senet_repro.core.errors import ConfigError
from senet_repro.core.slow_work import SlowWork
from senet_repro.execution.evaluation import Target, set_devices
from senet_repro.results.evaluation import RELEASED, RUN, weights_folder
from senet_repro.results.run_folder import RunFolder

# What may be said beside a run's folder: where its images are, and how they are computed.
_RUNS_SETTINGS = ("data.root", "data.verify", "data.skip_corrupt", "data.download")
_RUNS_PARTS = ("trainer.",)
_BATCH = "recipe.batch_size"
_DEVICES = "trainer.devices"
# What other words of an evaluation say.
_SAID_OTHERWISE = {
    "data.eval_px": "sizes=[224,320]",
    "data.eval_resize_px": "crop_ratio=[0.875,1.0]",
    "init.weights": "the file itself after evaluate",
}


def find_target(path: Path, said: EvaluationWords, settings: Sequence[str]) -> Target:
    """Return what the path and the settings of a command point at.

    Raises:
        ConfigError: there is nothing there, or the settings do not fit it; the message names the mend.
    """
    if path.is_dir():
        return _find_run(path, said, settings)
    if not path.is_file():
        raise ConfigError(
            f"{path} is not there: give the folder of a run, such as runs/<name>-<key>/seed0, or a file of weights "
            f"({' or '.join(SUFFIXES)})"
        )
    return _find_file(path, said, settings)


def _find_run(path: Path, said: EvaluationWords, settings: Sequence[str]) -> Target:
    folder = RunFolder(path)
    _point_at_seeds(path)
    folder.require_trained()
    overrides, devices = _take_devices(settings)
    run = _read_run(folder, overrides)
    _check_run(run)
    data = run.data
    return Target(
        kind=RUN,
        run=set_devices(run, devices),
        folder=path,
        checkpoint=folder.last_checkpoint,
        weights={
            "file": str(folder.last_checkpoint.relative_to(path)),
            "sha256": _hash_file(folder.last_checkpoint),
            "source": None,
            "released_as": None,
        },
        trained_by={"name": run_name(run), "run_key": run_key(run), "seed": run.seed},
        trained_px=data.train_px,
        rules=choose_rules(
            data, said, CropRule(size_px=data.eval_px, resize_px=data.eval_resize_px)
        ),
        interpolation=said.interpolation or "bilinear",
        antialias=said.antialias is not False,
        published_by=None,
        notes=_note_resizing("the run", said, "bilinear"),
    )


def _point_at_seeds(path: Path) -> None:
    """Refuse the folder of all seeds of a run, which holds no weights itself."""
    seeds = sorted(seed.name for seed in path.glob("seed*") if seed.is_dir())
    if seeds and not RunFolder(path).settings_file.exists():
        raise ConfigError(f"{path} holds {', '.join(seeds)}: give one of them, {path / seeds[0]}")


def _read_run(folder: RunFolder, overrides: Sequence[str]) -> Run:
    """Return the run in a folder, with what the command says about its data and its trainer."""
    config = folder.load_settings()
    # The file that the run began with need not be there any more.
    config["init"] = {}
    read = read_run_overrides(overrides)
    check_settings(read)
    for override in read:
        parsed = parse_override(override)
        key = parsed.key_or_group
        if key not in (*_RUNS_SETTINGS, _BATCH) and not key.startswith(_RUNS_PARTS):
            raise ConfigError(
                f"{key}: a run is evaluated as it was trained; beside its folder give sizes, crop_ratio, data.root, "
                f"{_BATCH} or keys of the trainer"
            )
        OmegaConf.update(config, key, parsed.value())
    # A run that was trained on several devices is evaluated on those that are asked for.
    OmegaConf.update(config, "trainer.devices", 1)
    OmegaConf.update(config, "trainer.nodes", 1)
    OmegaConf.update(config, "trainer.sync_bn", False)
    OmegaConf.update(config, "trainer.accumulate", 1)
    return run_as_stated(config)


def _find_file(path: Path, said: EvaluationWords, settings: Sequence[str]) -> Target:
    words = {key: value for key, _, value in (word.partition("=") for word in settings)}
    for key, mend in _SAID_OTHERWISE.items():
        if key in words:
            raise ConfigError(f"{key}: an evaluation is told by {mend}")
    network = _require_network(path, settings)
    source = words.get("init.source") or _guess_source(path, network)
    release = find_release(network, source)
    overrides, devices = _take_devices(settings)
    sha256 = _hash_file(path)
    run = compose(_list_overrides(path, network, source, release, overrides))
    _check_run(run)
    rules = choose_rules(
        run.data,
        said,
        CropRule(size_px=release.size_px, resize_px=release.find_resize_px(sha256)),
    )
    return Target(
        kind=RELEASED,
        run=set_devices(run, devices),
        folder=weights_folder(Path(run.results_dir), network, sha256),
        checkpoint=None,
        weights={
            "file": str(path),
            "sha256": sha256,
            "source": source,
            "released_as": release.name,
        },
        trained_by=None,
        trained_px=release.size_px,
        rules=rules,
        interpolation=said.interpolation or release.interpolation,
        antialias=said.antialias is not False,
        published_by=source,
        notes=[
            *_note_mean_and_std(run, source, release),
            *_note_resizing(source, said, release.interpolation),
        ],
    )


def _require_network(path: Path, settings: Sequence[str]) -> str:
    """Return the network that the settings name."""
    for word in reversed(settings):
        key, _, value = word.partition("=")
        if key == "model":
            return value
    raise ConfigError(f"{path}: say which network its weights are of, such as model=resnet50")


def _guess_source(path: Path, network: str) -> str:
    """Return whose names the tensors of a file bear."""
    with SlowWork("loading torch"):
        from senet_repro.models import read_weights
    return guess_source(network, read_weights(path).keys())


def _list_overrides(
    path: Path, network: str, source: str, release: ReleasedNetwork, overrides: Sequence[str]
) -> list[str]:
    """Return the settings of the released network's run; those of the command come last and count."""
    is_chosen = any(
        word.startswith(("protocol=", "+experiment=", "+ablation=")) for word in overrides
    )
    mean = ",".join(map(str, release.mean))
    std = ",".join(map(str, release.std))
    return [
        *([] if is_chosen else ["protocol=imagenet"]),
        f"model={network}",
        *release.settings,
        f"data.mean=[{mean}]",
        f"data.std=[{std}]",
        f"init.weights={path}",
        f"init.source={source}",
        *overrides,
    ]


def _take_devices(settings: Sequence[str]) -> tuple[list[str], int]:
    """Return the settings without the number of devices, and that number.

    A batch need not divide over the devices of an evaluation, as it does over those of a training.
    """
    overrides = []
    devices = 1
    for word in settings:
        key, _, value = word.partition("=")
        if key == "trainer.nodes" and value != "1":
            raise ConfigError(f"{word}: an evaluation runs on one node; give {_DEVICES}=N")
        if key != _DEVICES:
            overrides.append(word)
            continue
        if not value.isdecimal() or not list_ranges()[_DEVICES].holds(int(value)):
            raise ConfigError(f"{word}: give a whole number from 1 on, such as {_DEVICES}=2")
        devices = int(value)
    return overrides, devices


def _note_mean_and_std(run: Run, source: str, release: ReleasedNetwork) -> list[str]:
    """Return a note for each statistic of the channels that was given otherwise than the source publishes it."""
    notes = []
    for key in ("mean", "std"):
        given, published = getattr(run.data, key), list(getattr(release, key))
        if given != published:
            notes.append(
                f"data.{key}={_write_list(given)} was given by hand; {source} publishes {_write_list(published)} "
                f"for {release.name}"
            )
    return notes


def _note_resizing(whose: str, said: EvaluationWords, interpolation: str) -> list[str]:
    notes = []
    if said.interpolation not in (None, interpolation):
        notes.append(
            f"interpolation={said.interpolation} was given by hand; that of {whose} is {interpolation}"
        )
    if said.antialias is False:
        notes.append(f"antialias=false was given by hand; images of {whose} are antialiased")
    return notes


def _write_list(numbers: Sequence[float]) -> str:
    return f"[{','.join(f'{number:g}' for number in numbers)}]"


def _check_run(run: Run) -> None:
    """Accept a run of classification whose evaluation images are there, before torch is loaded."""
    if run.task != DEFAULT_TASK:
        raise ConfigError(f"task={run.task}: only networks of {DEFAULT_TASK} can be evaluated")
    if run.data.kind == "folders":
        find_class_folders(run.data, ["val"])
    elif not run.data.download:
        find_set(run.data, Path(run.results_dir))


def _hash_file(path: Path) -> str:
    try:
        with SlowWork(f"hashing {path}"), path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; give a file that can be read") from error
