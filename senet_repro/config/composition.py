"""Compose a validated Run from overrides and YAML (config floor; no torch)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import hydra
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig, OmegaConf

from senet_repro.config.conf_dir import CONF_DIR
from senet_repro.config.data_sets import FACTS, read_set_facts
from senet_repro.config.explain import plain_errors
from senet_repro.config.found_set import fill_in_counts, fill_in_set
from senet_repro.config.overrides import read_run_overrides
from senet_repro.config.run_weights import find_run_weights
from senet_repro.config.schema import RUN_SOURCE, Init, Run, Trainer
from senet_repro.config.settings import check_settings
from senet_repro.config.validation import validate_run
from senet_repro.core.errors import ConfigError
from senet_repro.core.home import expand_home
from senet_repro.core.slow_work import SlowWork

ConfigStore.instance().store(name="schema", node=Run)

# Decoding processes per device that a job of a cluster leaves room for: a core decodes some hundred pictures of
# ImageNet a second, and nodes have 8 to 16 cores for each GPU. Sets in memory decode nothing; torch has the two cores.
JOB_WORKERS = {"folders": 8, "memory": 2, "boxes": 8, "drawn": 2}


def _gpus_per_node(trainer: Trainer) -> int | None:
    if trainer.accelerator == "cpu":
        return None
    return trainer.devices


def _cpus_per_task(trainer: Trainer, kind: str) -> int:
    """Return the cores that a job asks for: those of its decoding processes, and one or more of each that trains.

    Where no number of decoding processes is given, the cores of a job decide it, and the job must have asked for some.
    """
    workers = trainer.num_workers
    if workers is None:
        workers = JOB_WORKERS[kind]
    return trainer.devices * (workers + (trainer.threads or 1))


# What a job asks of a cluster follows from its trainer: conf/hydra/launcher/slurm.yaml.
OmegaConf.register_new_resolver("gpus_per_node", _gpus_per_node)
OmegaConf.register_new_resolver("cpus_per_task", _cpus_per_task)
# The padding of a picture grows with its side: conf/data/cifar10.yaml.
OmegaConf.register_new_resolver("eighth_of", lambda side_px: side_px // 8)
# Hydra makes its own folder in the results folder before any run is read: conf/config.yaml.
OmegaConf.register_new_resolver("expand_home", expand_home)


def run_from(config: DictConfig) -> Run:
    """Return the validated run that a composed configuration describes, with what it would find on the disk.

    Raises:
        ConfigError: as for `run_as_stated`; or the first weights or the pictures are not those that it states.
    """
    run = _read_run(config)
    _name_source(run.init)
    # Of such a set only its folder tells what there is to check.
    is_counted = fill_in_counts(run)
    validate_run(run)
    _fill_in_hash(run.init)
    if not is_counted:
        fill_in_set(run)
    return run


def run_as_stated(config: DictConfig) -> Run:
    """Return the validated run that a configuration describes, without a look at its data or its first weights.

    Raises:
        ConfigError: a key does not exist (also one that came by `+key=` or `++key=`), or a value is not legal.
    """
    run = _read_run(config)
    validate_run(run)
    return run


def _read_run(config: DictConfig) -> Run:
    """Return the run that a configuration describes, whose types are legal, but perhaps not its values."""
    with plain_errors():
        # Only plain data meets the schema anew; a composed config would carry keys added by `+` past it.
        plain = OmegaConf.to_container(config, resolve=True)
        _add_set_facts(plain)
        run = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(Run), plain))
    assert isinstance(run, Run)
    _expand_paths(run)
    return run


def _expand_paths(run: Run) -> None:
    """Put the home directory in place of the ~ that a path of the run begins with.

    Raises:
        ConfigError: it is the home of somebody who is not there.
    """
    run.results_dir = expand_home(run.results_dir)
    if run.data.root is not None:
        run.data.root = expand_home(run.data.root)
    if run.init.weights is not None:
        run.init.weights = expand_home(run.init.weights)


def _add_set_facts(plain: Any) -> None:
    """Let a configuration that lacks the facts of its data set, as those of older runs do, state them too."""
    data = plain.get("data")
    if isinstance(data, dict) and "name" in data and not set(FACTS) <= data.keys():
        facts = asdict(read_set_facts(data["name"], data.get("subset")))
        plain["data"] = {**facts, **data}


def _name_source(init: Init) -> None:
    """Fill in whose first weights are, where they are given as a folder: those of a run."""
    if init.weights is not None and init.source is None and Path(init.weights).is_dir():
        init.source = RUN_SOURCE


def _fill_in_hash(init: Init) -> None:
    """Fill in the hash of the file of first weights, so that a run is known by what they are and not where they lie.

    Raises:
        ConfigError: the file is not there, or no longer what it was when the run was written down.
    """
    if init.weights is None:
        return
    path = Path(init.weights)
    mend = "give a file of weights"
    if init.source == RUN_SOURCE:
        path = find_run_weights(path)
        mend = "give the folder of a finished run, such as init.weights=runs/<name>-<key>/seed0"
    try:
        with SlowWork(f"hashing {path}"), path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        # The name of the file that was looked for in a folder.
        where = "" if str(path) == init.weights else f"{path}: "
        raise ConfigError(
            f"init.weights={init.weights}: {where}{error.strerror}; {mend}"
        ) from error
    if init.sha256 not in (None, found):
        raise ConfigError(
            f"{path} has the SHA-256 {found} and not init.sha256={init.sha256}: give that file"
        )
    init.sha256 = found


def compose(overrides: Sequence[str] = ()) -> Run:
    """Return the run that `python -m senet_repro OVERRIDES` would train.

    Raises:
        ConfigError: as for `run_from`, or an override is malformed or no command's to give.
    """
    return run_from(compose_config(overrides))


def compose_config(overrides: Sequence[str]) -> DictConfig:
    """Return the whole configuration that a command with these overrides has; it is not checked against the schema.

    Raises:
        ConfigError: an override is malformed or no command's to give.
    """
    read = read_run_overrides(overrides)
    check_settings(read)
    GlobalHydra.instance().clear()
    with plain_errors(), hydra.initialize_config_dir(str(CONF_DIR), version_base="1.3"):
        return hydra.compose("config", overrides=read)
