"""The words of a command line, told apart before anything is composed (no torch, no Hydra)."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from senet_repro.cli.verbs import list_verbs
from senet_repro.core.errors import ConfigError

HELP_FLAGS = ("--help", "-h")
# Of a misspelt word to the verb that is proposed; 1 is the same.
LEAST_LIKENESS = 0.7
# They say how to train, and not what.
_BARE_FLAGS = ("-m", "--multirun", "-r", "--run")
_COMPLETION_FLAGS = ("--shell-completion", "-sc")
# Hydra's flags whose value is a word of its own; that of --info may be left out.
_FLAGS_WITH_VALUE = ("--cfg", "-c", "--package", "-p", "--info", "-i")


def asks_for_nothing(arguments: Sequence[str]) -> bool:
    """Return whether a command says neither what to train nor what to show."""
    return all(argument in _BARE_FLAGS for argument in arguments)


def list_overrides(arguments: Sequence[str]) -> list[str]:
    """Return the words that set something, KEY=VALUE, in their order; none where a shell asks how to complete words."""
    if set(_COMPLETION_FLAGS) & set(arguments):
        return []
    return [word for word in arguments if "=" in word and not word.startswith("-")]


def refuse_stray_words(arguments: Sequence[str]) -> None:
    """Accept a command that trains: it holds flags and settings, and no verb.

    Raises:
        ConfigError: a word is a verb that does not come first, or a misspelt one, or nothing at all.
    """
    strays = _list_strays(arguments)
    verbs = list_verbs()
    for word in strays:
        if word in verbs:
            raise ConfigError(f"a verb comes first, as in python -m senet_repro {word}")
    for word in strays:
        near = difflib.get_close_matches(word.lower(), verbs, n=1, cutoff=LEAST_LIKENESS)
        if near:
            raise ConfigError(f"there is no verb '{word}'; did you mean {near[0]}?")
    if strays:
        raise ConfigError(
            f"'{strays[0]}' is no setting and no verb: give KEY=VALUE, such as seed=1; --help lists the verbs"
        )


def _list_strays(arguments: Sequence[str]) -> list[str]:
    """Return the words that are no flag, no flag's value and no setting."""
    strays = []
    before = ""
    for word in arguments:
        is_value = before in _FLAGS_WITH_VALUE
        is_setting = "=" in word or word[:1] in ("-", "~", "+")
        if not is_value and not is_setting:
            strays.append(word)
        before = word
    return strays
