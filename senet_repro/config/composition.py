"""Compose a validated Run from overrides and YAML (config floor; no torch)."""

from __future__ import annotations

import difflib
import hashlib
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from string import Template
from typing import Any, get_type_hints

import hydra
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from senet_repro.config.conf_dir import CONF_DIR
from senet_repro.config.data_sets import FACTS, read_set_facts
from senet_repro.config.overrides import read_run_overrides
from senet_repro.config.schema import MODEL_OPTIONS, Init, Run, Trainer
from senet_repro.config.validation import validate_run
from senet_repro.core.errors import ConfigError
from senet_repro.core.home import expand_home

_HYDRA_DETAILS = ("Config search path", "provider=", "full_key", "object_type", "reference_type")

ConfigStore.instance().store(name="schema", node=Run)


def _gpus_per_node(trainer: Trainer) -> int | None:
    return None if trainer.accelerator == "cpu" else trainer.devices


def _cpus_per_task(trainer: Trainer) -> int:
    return trainer.devices * (trainer.num_workers + (trainer.threads or 1))


# What a job asks of a cluster follows from its trainer: conf/hydra/launcher/slurm.yaml.
OmegaConf.register_new_resolver("gpus_per_node", _gpus_per_node)
OmegaConf.register_new_resolver("cpus_per_task", _cpus_per_task)
# Hydra makes its own folder in the results folder before any run is read: conf/config.yaml.
OmegaConf.register_new_resolver("expand_home", expand_home)


def run_from(config: DictConfig) -> Run:
    """Return the validated run that a composed configuration describes.

    Raises:
        ConfigError: a key does not exist (also one that came by `+key=` or `++key=`), or a value is not legal.
    """
    with plain_errors():
        # Only plain data meets the schema anew; a composed config would carry keys added by `+` past it.
        plain = OmegaConf.to_container(config, resolve=True)
        _add_set_facts(plain)
        run = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(Run), plain))
    assert isinstance(run, Run)
    _expand_paths(run)
    validate_run(run)
    _fill_in_hash(run.init)
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
        facts = asdict(read_set_facts(data["name"]))
        plain["data"] = {**facts, **data}


def _fill_in_hash(init: Init) -> None:
    """Fill in the hash of the file of first weights, so that a run is known by what they are and not where they lie.

    Raises:
        ConfigError: the file is not there, or no longer what it was when the run was written down.
    """
    if init.weights is None:
        return
    try:
        with Path(init.weights).open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ConfigError(
            f"init.weights={init.weights}: {error.strerror}; give a file of weights"
        ) from error
    if init.sha256 not in (None, found):
        raise ConfigError(
            f"{init.weights} has the SHA-256 {found} and not init.sha256={init.sha256}: give that file"
        )
    init.sha256 = found


def compose(overrides: Sequence[str] = ()) -> Run:
    """Return the run that `python -m senet_repro OVERRIDES` would train.

    Raises:
        ConfigError: as for `run_from`, or an override is malformed.
    """
    read = read_run_overrides(overrides)
    GlobalHydra.instance().clear()
    with plain_errors(), hydra.initialize_config_dir(str(CONF_DIR), version_base="1.3"):
        config = hydra.compose("config", overrides=read)
    return check_overrides(read, run_from(config))


def build_help(overrides: Sequence[str], verbs: str) -> str:
    """Return the help: the template in conf/hydra/help, filled in, with the usage of the `verbs`.

    Raises:
        ConfigError: as for `compose`.
    """
    # Hydra would fill it in as well, but composes for each of some eighty groups, most of them its own.
    GlobalHydra.instance().clear()
    with plain_errors(), hydra.initialize_config_dir(str(CONF_DIR), version_base="1.3"):
        config = hydra.compose("config", overrides=list(overrides), return_hydra_config=True)
        template = Template(config.hydra.help.template)
        ours = OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])
    return template.substitute(
        APP_CONFIG_GROUPS="\n".join(_describe_groups()),
        CONFIG=OmegaConf.to_yaml(ours, sort_keys=False),
        VERBS=textwrap.indent(verbs, "  ").lstrip(),
    )


def _describe_groups() -> Iterator[str]:
    """Yield a line for each folder of YAML files: the group and the names of its files."""
    for folder in sorted(path for path in CONF_DIR.rglob("*") if path.is_dir()):
        names = sorted(path.stem for path in folder.glob("*.yaml"))
        if names:
            yield f"{folder.relative_to(CONF_DIR)}: {', '.join(names)}"


def check_overrides(overrides: Sequence[str], run: Run) -> Run:
    """Return the run that the overrides gave, if they ask for no more than one table.

    Raises:
        ConfigError: they ask for two tables, or for a protocol where a table brings its own.
    """
    given = [override.lstrip("+").partition("=") for override in overrides]
    groups = [group for group, _, _ in given]
    tables = [f"+{group}={name}" for group, _, name in given if group in ("ablation", "experiment")]
    if len(tables) > 1 or any("," in table for table in tables):
        raise ConfigError(f"{' '.join(tables)}: give one table at a time")
    names_its_protocol = bool(tables) and tables[0].startswith("+experiment")
    if names_its_protocol and "protocol" in groups:
        raise ConfigError(
            f"{tables[0]} names network, data and recipe itself: leave protocol= out, or give model=, data="
        )
    return run


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turn whatever Hydra and OmegaConf raise into a ConfigError with the mend in a line."""
    try:
        yield
    except ConfigError:
        raise
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        raise _find_own_error(error) or ConfigError(_explain_error(error)) from error


def _find_own_error(error: BaseException | None) -> ConfigError | None:
    """Return the error of a resolver of ours, which has the mend in its own words; None if it is none of ours."""
    while error is not None and not isinstance(error, ConfigError):
        error = error.__cause__ or error.__context__
    return error


def _explain_error(error: BaseException) -> str:
    """Return in a line what is wrong and, where it can be known, how to mend it."""
    key = _find_unknown_key(error)
    if key is not None:
        near = _find_nearest_key(key)
        mend = f"did you mean '{near}'?" if near else "--help lists the keys"
        return f"unknown key '{key}'; {mend}"
    if isinstance(error, OverrideParseException):
        return f"cannot read '{error.override}': {str(error).splitlines()[0]}"
    if isinstance(error, MissingConfigException) and error.options:
        group, _, name = str(error.missing_cfg_file).rpartition("/")
        return f"there is no {group} '{name}'; there are {', '.join(error.options)}"
    return _first_words(f"{error}\n{error.__cause__ or ''}")


def _first_words(text: str) -> str:
    """Return a message in one line, without the lines about Hydra's inside."""
    lines = [line.strip() for line in text.splitlines()]
    return " ".join(line for line in lines if line and not line.startswith(_HYDRA_DETAILS))


def _find_unknown_key(error: BaseException | None) -> str | None:
    """Return the key that does not exist, if that is what an error or one of its causes is about."""
    while error is not None:
        if isinstance(error, OmegaConfBaseException) and error.full_key and _is_of_key(error):
            return str(error.full_key)
        error = error.__cause__ or error.__context__
    return None


def _is_of_key(error: OmegaConfBaseException) -> bool:
    # OmegaConf has no class of its own for it: an unknown key is ConfigKeyError or ConfigAttributeError, as other
    # errors are, and only its words differ: "Key 'x' not in 'Run'", "Key 'x' is not in struct".
    return "not in" in str(error)


def _find_nearest_key(key: str) -> str | None:
    """Return the known key that a misspelled one comes closest to, as a whole or by its last word."""
    options = [f"model.options.{option}" for option in MODEL_OPTIONS]
    groups = [path.name for path in CONF_DIR.iterdir() if path.is_dir()]
    known = [*_list_keys(Run), *options, *groups]
    by_whole = {name: name for name in known}
    # Of two keys that end in the same word the first of the schema counts, so it is entered last.
    by_last_word = {name.rpartition(".")[2]: name for name in reversed(known)}
    last_word = key.rpartition(".")[2]
    for word, names in ((key, by_whole), (last_word, by_last_word)):
        found = difflib.get_close_matches(word, names, n=1)
        if found:
            return names[found[0]]
    return None


def _list_keys(node: Any, prefix: str = "") -> Iterator[str]:
    """Yield the keys of a dataclass of the schema and of those within it, joined by dots."""
    hints = get_type_hints(node)
    for entry in fields(node):
        yield prefix + entry.name
        if is_dataclass(hints[entry.name]):
            yield from _list_keys(hints[entry.name], f"{prefix}{entry.name}.")
