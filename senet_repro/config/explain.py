"""Say in the project's words what Hydra and OmegaConf found wrong with a setting (config floor; no torch)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException, ValidationError

from senet_repro.config.keys import (
    OPTIONS,
    find_nearest_key,
    is_option,
    list_keys,
    list_networks_with,
    list_ranges,
    read_defaults,
)
from senet_repro.config.schema import MODEL_OPTIONS
from senet_repro.core.errors import ConfigError
from senet_repro.core.wording import choose_form, join_words

RETIRED = {("trainer", "ddp"): "trainer.devices=2 alone trains a run on two devices"}
"""The replacements of files that earlier versions had, by group and name."""

NOT_OFFERED = {
    "fpn": "every detector reads a pyramid of features (detection.pyramid_stages), and none the C4 head of its stage 4",
}
"""Settings that a reader of the paper may look for, by their last word, and what there is in their place."""

_HYDRA_DETAILS = ("Config search path", "provider=", "full_key", "object_type", "reference_type")

# Sentences of Hydra's, and ours with what stands in quotation marks in them.
_HYDRA_SENTENCES = (
    (r"Sweeping over Hydra's configuration .*'(.+)'", "{}: a setting of Hydra's has one value"),
    (r"An item is already at '(.+?)'", "{} has a value already: give it without the +"),
    (r"force-add of config groups is not supported: '\+*(.+)'", "{}: give it without the +"),
    (r"Multiple values for (\S+?)\. ", "{} is chosen already: give it without the +"),
    (r"Override (\S+) looks like a config group", "{}: give GROUP=NAME, without a package"),
    (r"Could not override .* use (\+\S+)", "nothing is chosen there yet: use {}, with a +"),
    (r"(\S+) appears more than once in the final", "{} is chosen already: give it without the +"),
    (r"Interpolation key '(.+?)' not found", "there is no key '{}' to take a value from"),
    (
        r"Environment variable '(.+?)' not found",
        "the environment has no {0}, which ${{oc.env:{0}}} takes the value of: set it, or give the value itself",
    ),
    (r"Unsupported interpolation type (.+)", "${{{}:...}} is not known: give the value itself"),
    (
        r"raised while resolving (interpolation)",
        "a value in ${{...}} cannot be found: give it itself",
    ),
)

# OmegaConf's names for the kinds of values, in ours, each with an example.
_HYDRA_KINDS = {
    "Integer": ("a whole number", "2"),
    "Float": ("a number", "0.1"),
    "Boolean": ("true or false", "true"),
}
_EXAMPLES = {int: "1", float: "0.1", bool: "true", str: "NAME"}


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turn whatever Hydra and OmegaConf raise into a ConfigError with the mend in a line."""
    try:
        yield
    except ConfigError:
        raise
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        raise _find_own_error(error) or ConfigError(_explain_error(error)) from error


def _find_own_error(error: BaseException) -> ConfigError | None:
    """Return the error of a resolver of ours, which has the mend in its own words; None if it is none of ours."""
    return next((cause for cause in _walk_causes(error) if isinstance(cause, ConfigError)), None)


def explain_unknown_key(key: str) -> str:
    """Return that a key does not exist, with the one that was meant where it can be known."""
    option = key.rpartition(".")[2]
    if is_option(key) and option in MODEL_OPTIONS:
        return explain_foreign_option(option)
    if key.startswith("hydra.launcher."):
        return f"the launcher has no {key}; hydra/launcher=joblib has n_jobs, hydra/launcher=slurm partition and more"
    if key.startswith("hydra."):
        return f"unknown key '{key}'; --hydra-help tells of Hydra's own"
    if option in NOT_OFFERED:
        return f"{key} is not offered: {NOT_OFFERED[option]}"
    near = find_nearest_key(key)
    mend = "--help all lists the keys"
    if near:
        mend = f"did you mean '{near}'?"
    return f"unknown key '{key}'; {mend}"


def explain_foreign_option(option: str) -> str:
    """Return which networks have an option that the chosen one lacks."""
    networks = join_words(list_networks_with(option), "and")
    return f"the network has no {OPTIONS}.{option}: it is an option of {networks}"


def explain_wrong_value(key: str, value: Any) -> str:
    """Return what is legal for a key whose value is not, with an example where the schema has the key."""
    # Of a list, the value is an item.
    key = re.sub(r"\[\d+\]", "", key)
    option = key.rpartition(".")[2]
    if is_option(key) and option in MODEL_OPTIONS:
        return f"{key} is {join_words(MODEL_OPTIONS[option], 'or')}, not {write_value(value)}"
    if key not in list_keys():
        # Hydra's own, or one below a name that a table's file chose.
        return f"{key} cannot be {write_value(value)}: give a value of another kind"
    if list_keys()[key].holds_keys:
        return f"{key} has no value of its own, such as {write_value(value)}: give {_name_key_below(key)}"
    return f"{key} is {describe_type(key)}, not {write_value(value)}, such as {key}={find_example(key)}"


def describe_type(key: str) -> str:
    """Return what a key of the schema takes, such as `a number above 0 and at most 10`."""
    known = list_keys()[key]
    if known.item_type is bool:
        words = "true or false"
    elif known.item_type is str:
        words = "a list of words" if known.is_list else "a text"
    else:
        noun = "whole number" if known.item_type is int else "number"
        subject = f"a list of {noun}s" if known.is_list else f"a {noun}"
        limits = list_ranges().get(key)
        words = limits.describe(noun) if limits else subject
    if known.may_be_none:
        return f"{words}, or null"
    return words


def find_example(key: str) -> str:
    """Return a legal value of a key, as a command line writes it: its default, or one of its type."""
    default = OmegaConf.select(read_defaults(), key)
    if default is not None and not OmegaConf.is_dict(default):
        return write_value(default).replace("'", "")
    known = list_keys()[key]
    item = _EXAMPLES[known.item_type]
    if not known.is_list:
        return item
    limits = list_ranges().get(key)
    count = 2
    if limits and limits.count:
        count = limits.count
    return f"[{','.join([item] * count)}]"


def write_value(value: Any) -> str:
    """Return a value as a command line writes it; a text in quotation marks."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if OmegaConf.is_list(value) or isinstance(value, list):
        return f"[{','.join(write_value(item) for item in value)}]"
    if isinstance(value, str):
        return repr(value)
    return str(value)


def _explain_error(error: BaseException) -> str:
    """Return in a line what is wrong and, where it can be known, how to mend it."""
    if isinstance(error, OverrideParseException):
        return f"cannot read '{error.override}': {str(error).splitlines()[0]}"
    if isinstance(error, MissingConfigException) and error.options:
        group, _, name = str(error.missing_cfg_file).rpartition("/")
        if (group, name) in RETIRED:
            return f"there is no {group} '{name}': {RETIRED[group, name]}"
        return _explain_missing_choice(group, name, error.options)
    about = _find_cause_of_key(error)
    if about is not None:
        key = str(about.full_key)
        if isinstance(about, ValidationError):
            if key.startswith("hydra."):
                return _explain_hydra_value(key, about)
            return explain_wrong_value(key, about.value)
        if isinstance(about, MissingMandatoryValue) and key in list_keys():
            return f"{key} has no value: give one, such as {key}={find_example(key)}"
        if _is_unknown_key(about):
            return explain_unknown_key(key)
    text = _first_words(f"{error}\n{error.__cause__ or ''}")
    for pattern, sentence in _HYDRA_SENTENCES:
        found = re.search(pattern, text)
        if found:
            return sentence.format(found[1])
    return text


def _explain_missing_choice(group: str, name: str, choices: Sequence[str]) -> str:
    """Return that a group has no such file, with those that it has."""
    verb = choose_form(len(choices), "is only", "are")
    explanation = f"there is no {group} '{name}'; there {verb} {', '.join(choices)}"
    # An experiment takes the recipe by the name of the network, so that its key is nowhere in the command.
    if group == "recipe":
        explanation += f"; choose one, recipe={choices[0]}"
    return explanation


def _explain_hydra_value(key: str, error: ValidationError) -> str:
    """Return what kind of value a setting of Hydra's takes, which only the words of OmegaConf's error tell."""
    found = re.search(r"could not be converted to (\w+)", str(error))
    kind = found[1] if found else ""
    words, example = _HYDRA_KINDS.get(kind, ("of another kind", ""))
    such_as = ""
    if example:
        such_as = f", such as {key}={example}"
    return f"{key} is {words}, not {write_value(error.value)}{such_as}"


def _find_cause_of_key(error: BaseException) -> OmegaConfBaseException | None:
    """Return the error, or the one of its causes, that names a key; None where none does."""
    for cause in _walk_causes(error):
        if isinstance(cause, OmegaConfBaseException) and cause.full_key:
            return cause
    return None


def _walk_causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error, then the one that it was raised for, and so on."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _is_unknown_key(error: OmegaConfBaseException) -> bool:
    # OmegaConf has no class of its own for it: an unknown key is ConfigKeyError or ConfigAttributeError, as other
    # errors are, and only its words differ: "Key 'x' not in 'Run'", "Key 'x' is not in struct".
    return "not in" in str(error)


def _first_words(text: str) -> str:
    """Return a message in one line, without the lines about Hydra's inside."""
    lines = [line.strip() for line in text.splitlines()]
    return " ".join(line for line in lines if line and not line.startswith(_HYDRA_DETAILS))


def _name_key_below(key: str) -> str:
    """Return a setting of a key below one that has no value of its own."""
    if key == OPTIONS:
        option, values = next(iter(MODEL_OPTIONS.items()))
        return f"{OPTIONS}.{option}={values[0]}"
    below = next(name for name in list_keys() if name.rpartition(".")[0] == key)
    return f"{below}={find_example(below)}"
