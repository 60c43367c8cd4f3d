"""Find what `evaluate` is pointed at: the weights of a run or of a file, and the run that describes their network."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from senet_repro.config.class_folders import find_class_folders
from senet_repro.config.composition import compose_config, run_as_stated, run_from
from senet_repro.config.data_sets import read_set_facts
from senet_repro.config.evaluation import CropRule, EvaluationWords, choose_rules
from senet_repro.config.found_set import find_set, fingerprint_eval_folders
from senet_repro.config.identity import run_key, run_name
from senet_repro.config.keys import list_ranges
from senet_repro.config.overrides import parse_override, read_run_overrides
from senet_repro.config.picture_folders import EVAL
from senet_repro.config.releases import ReleasedNetwork, find_release, guess_source
from senet_repro.config.schema import DEFAULT_TASK, Run
from senet_repro.config.settings import check_settings
from senet_repro.config.weight_files import SUFFIXES, read_about
from senet_repro.core.errors import ConfigError
from senet_repro.core.loading import loading_for_good
from senet_repro.core.slow_work import SlowWork
from senet_repro.execution.target import Target, set_devices
from senet_repro.results.evaluated_folders import weights_folder
from senet_repro.results.evaluation import RELEASED, RUN
from senet_repro.results.kept_weights import find_weights
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
_HALVED = "the weights are those that the campaign kept, rounded to float16"


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
    weights = find_weights(folder)
    overrides, devices = _take_devices(settings)
    # As it was trained, whatever the command says about its evaluation.
    trained = run_as_stated(folder.load_settings())
    run = _read_run(folder, overrides)
    fingerprint = _look_at_images(run)
    data = run.data
    return Target(
        kind=RUN,
        run=set_devices(run, devices),
        fingerprint=fingerprint,
        folder=path,
        checkpoint=weights,
        weights={
            "file": os.path.relpath(weights, path),
            "sha256": _hash_file(weights),
            "source": None,
            "released_as": None,
        },
        trained_by={
            "name": run_name(trained),
            "run_key": run_key(trained),
            "seed": trained.seed,
        },
        trained_px=data.train_px,
        rules=choose_rules(
            data, said, CropRule(size_px=data.eval_px, resize_px=data.eval_resize_px)
        ),
        interpolation=said.interpolation or "bilinear",
        antialias=said.antialias is not False,
        published_by=None,
        notes=[
            *_note_other_key(folder, trained),
            *([_HALVED] if weights != folder.last_checkpoint else []),
            *_note_resizing("the run", said, "bilinear"),
        ],
    )


def _note_other_key(folder: RunFolder, trained: Run) -> list[str]:
    """Return a note on a run whose folder bears another key than its settings have here."""
    key = folder.key_start
    if key is None or run_key(trained).startswith(key):
        return []
    return [
        f"the run was trained as {key} by another version of senet_repro, and its settings have the key "
        f"{run_key(trained)[:8]} here: its network may be computed otherwise than it was trained"
    ]


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
    OmegaConf.update(config, "trainer.graph", False)
    return run_as_stated(config)


def _find_file(path: Path, said: EvaluationWords, settings: Sequence[str]) -> Target:
    words = {key: value for key, _, value in (word.partition("=") for word in settings)}
    for key, mend in _SAID_OTHERWISE.items():
        if key in words:
            raise ConfigError(f"{key}: an evaluation is told by {mend}")
    about = read_about(path)
    network = words.get("model") or _require_network(path, about)
    source = words.get("init.source") or (about or {}).get("source")
    source = source or _guess_source(path, network)
    release = find_release(network, source)
    sha256 = _hash_file(path)
    expected = _expect_images(release, source, sha256, about)
    overrides, devices = _take_devices(settings)
    run = _compose_file(
        _list_overrides(path, network, source, release, expected, overrides), sha256
    )
    fingerprint = _look_at_images(run)
    return Target(
        kind=RELEASED if about is None else RUN,
        run=set_devices(run, devices),
        fingerprint=fingerprint,
        folder=weights_folder(Path(run.results_dir), network, sha256),
        checkpoint=None,
        weights={
            "file": str(path),
            "sha256": sha256,
            "source": source,
            "released_as": release.name,
        },
        trained_by=about and about["run"],
        trained_px=expected.train_px,
        rules=choose_rules(run.data, said, expected.rule),
        interpolation=said.interpolation or expected.interpolation,
        antialias=said.antialias is not False,
        published_by=source if about is None else None,
        notes=[
            *_note_mean_and_std(run, expected),
            *_note_resizing(expected.whose, said, expected.interpolation),
        ],
    )


@dataclass(frozen=True, kw_only=True)
class _ExpectedImages:
    """The images that weights were trained on, as those who wrote the file say."""

    whose: str  # who says so
    data: str  # the set
    mean: list[float]
    std: list[float]
    interpolation: str
    train_px: int
    rule: CropRule
    # Which sides of an image are resized: those that the file tells of; None: as of the set.
    sides: str | None = None


def _expect_images(
    release: ReleasedNetwork, source: str, sha256: str, about: Mapping[str, Any] | None
) -> _ExpectedImages:
    """Return the images that the run of an exported file was trained on, or else those that the source publishes."""
    if about is not None:
        return _ExpectedImages(
            whose=f"its run {about['run'].get('name')}",
            data=about["data"],
            mean=about["mean"],
            std=about["std"],
            interpolation="bilinear",
            train_px=about["train_px"],
            rule=CropRule(size_px=about["eval_px"], resize_px=about["eval_resize_px"]),
            sides=about.get("eval_resize_sides", "short"),
        )
    return _ExpectedImages(
        whose=f"{source}'s {release.name}",
        data="imagenet",
        mean=[*release.mean],
        std=[*release.std],
        interpolation=release.interpolation,
        train_px=release.size_px,
        rule=CropRule(size_px=release.size_px, resize_px=release.find_resize_px(sha256)),
    )


def _require_network(path: Path, about: Mapping[str, Any] | None) -> str:
    """Return the network that an exported file names."""
    if about is None:
        raise ConfigError(f"{path}: say which network its weights are of, such as model=resnet50")
    network: str = about["network"]
    return network


def _guess_source(path: Path, network: str) -> str:
    """Return whose names the tensors of a file bear."""
    with loading_for_good("torch"):
        from senet_repro.models import read_weights
    return guess_source(network, read_weights(path).keys())


def _list_overrides(
    path: Path,
    network: str,
    source: str,
    release: ReleasedNetwork,
    expected: _ExpectedImages,
    overrides: Sequence[str],
) -> list[str]:
    """Return the settings of the released network's run; those of the command come last and count."""
    is_chosen = any(
        word.startswith(("protocol=", "+experiment=", "+ablation=")) for word in overrides
    )
    mean = ",".join(map(str, expected.mean))
    std = ",".join(map(str, expected.std))
    return [
        *([] if is_chosen else ["protocol=imagenet", f"data={expected.data}"]),
        f"model={network}",
        *release.settings,
        f"data.mean=[{mean}]",
        f"data.std=[{std}]",
        *([] if expected.sides is None else [f"data.eval_resize_sides={expected.sides}"]),
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


def _note_mean_and_std(run: Run, expected: _ExpectedImages) -> list[str]:
    """Return a note for each statistic of the channels that was given otherwise than the weights expect it."""
    notes = []
    for key in ("mean", "std"):
        given, stated = getattr(run.data, key), getattr(expected, key)
        if given != stated:
            notes.append(
                f"data.{key}={_write_list(given)} was given by hand; that of {expected.whose} is {_write_list(stated)}"
            )
    return notes


def _note_resizing(whose: str, said: EvaluationWords, interpolation: str) -> list[str]:
    notes = []
    if said.interpolation not in (None, interpolation):
        notes.append(
            f"interpolation={said.interpolation} was given by hand; that of {whose} is {interpolation}"
        )
    if said.antialias is False:
        notes.append(f"antialias=false was given by hand; the images of {whose} are antialiased")
    return notes


def _write_list(numbers: Sequence[float]) -> str:
    return f"[{','.join(f'{number:g}' for number in numbers)}]"


def _compose_file(overrides: Sequence[str], sha256: str) -> Run:
    """Return the run of a file of weights; of its set only the evaluation part need be there."""
    config = compose_config(overrides)
    # Only the folder tells how many classes and pictures such a set has.
    if read_set_facts(config.data.name).is_counted:
        return run_from(config)
    run = run_as_stated(config)
    run.init.sha256 = sha256
    return run


def _look_at_images(run: Run) -> str | None:
    """Accept a run of classification whose evaluation images are there; returns the fingerprint of those in folders.

    Now, before torch is loaded.

    Raises:
        ConfigError: the run is of another task.
        DataError: the images are not there.
    """
    if run.task != DEFAULT_TASK:
        raise ConfigError(
            f"task={run.task}: only networks of {DEFAULT_TASK} can be evaluated: give one; what a detector found is in "
            "its record, for table and report"
        )
    results_dir = Path(run.results_dir)
    if run.data.kind == "folders":
        find_class_folders(run.data, [EVAL])
        return fingerprint_eval_folders(run.data, results_dir)
    if not run.data.download:
        find_set(run.data, results_dir)
    return None


def _hash_file(path: Path) -> str:
    try:
        with SlowWork(f"hashing {path}"), path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; give a file that can be read") from error
