"""The verbs beside training: each file of this folder is one, and its name is the word to type, with - for _.

A verb's file holds three things: DESCRIPTION, whose first sentence stands in the help of the whole command;
`add_arguments`, which declares its arguments; and `run_verb`, which does the work and returns the exit code.
A verb that may be silent for seconds has DOING too, what a person is told meanwhile.
Whatever takes long to import is imported in `run_verb`, since the help imports every verb for its arguments.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from contextlib import nullcontext
from functools import partial
from importlib import import_module
from pkgutil import iter_modules
from typing import Protocol, cast

from senet_repro.cli.sentence_parser import SentenceParser
from senet_repro.core.slow_work import SlowWork

USAGE_COLUMNS = 118
_TERMINAL_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class Verb(Protocol):
    """Describe what the file of a verb holds."""

    DESCRIPTION: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments of the verb."""

    def run_verb(self, options: argparse.Namespace) -> int:
        """Do what the verb is for, and return the exit code."""


def list_verbs() -> list[str]:
    """Return the names of the verbs in alphabetical order, without importing them."""
    return sorted(module.name.replace("_", "-") for module in iter_modules(__path__))


def call_verb(name: str, arguments: Sequence[str]) -> int:
    """Parse the arguments of a verb, run it, and return its exit code.

    Raises:
        SystemExit: the arguments ask for the verb's help.
        ConfigError: they are not the verb's, or what they ask for cannot be.
    """
    # One verb is imported alone, so that none waits for another's libraries.
    verb = _import_verb(name)
    parser = SentenceParser(name, description=verb.DESCRIPTION)
    verb.add_arguments(parser)
    options = parser.read_words(arguments)
    doing = getattr(verb, "DOING", None)
    with SlowWork(doing) if doing else nullcontext():
        return verb.run_verb(options)


def summarise_verbs() -> str:
    """Return a line for every verb: its name, and the first sentence of its description."""
    names = list_verbs()
    width = max(len(name) for name in names)
    return "\n".join(f"{name:{width}}  {_read_summary(name)}" for name in names)


def describe_verbs() -> str:
    """Return the usage of every verb, with the first sentence of its description below."""
    return "\n".join(_describe_verb(name) for name in list_verbs())


def _describe_verb(name: str) -> str:
    verb = _import_verb(name)
    # Every verb answers to -h, so its usage need not repeat it: add_help=False.
    parser = SentenceParser(
        name,
        add_help=False,
        formatter_class=partial(argparse.HelpFormatter, width=USAGE_COLUMNS),
    )
    verb.add_arguments(parser)
    # Python 3.14 colours the usage where the output is a terminal.
    usage = _TERMINAL_COLOURS.sub("", parser.format_usage())
    return f"{usage.removeprefix('usage: ').rstrip()}\n    {_read_summary(name)}"


def _read_summary(name: str) -> str:
    """Return the first sentence of a verb's description."""
    return _import_verb(name).DESCRIPTION.partition(". ")[0].rstrip(".")


def _import_verb(name: str) -> Verb:
    module = name.replace("-", "_")
    return cast(Verb, import_module(f"{__name__}.{module}"))
