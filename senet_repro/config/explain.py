"""Say in the project's words what Hydra and OmegaConf found wrong with a setting (config floor; no torch)."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from typing import Any, get_type_hints

from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf.errors import OmegaConfBaseException

from senet_repro.config.conf_dir import CONF_DIR
from senet_repro.config.schema import MODEL_OPTIONS, Run
from senet_repro.core.errors import ConfigError

_HYDRA_DETAILS = ("Config search path", "provider=", "full_key", "object_type", "reference_type")


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turn whatever Hydra and OmegaConf raise into a ConfigError with the mend in a line."""
    try:
        yield
    except ConfigError:
        raise
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        raise ConfigError(_explain_error(error)) from error


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
