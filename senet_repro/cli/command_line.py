"""A command line without a verb: its flags and words, and what Hydra gets to see of it (no torch, no Hydra)."""

from __future__ import annotations

import argparse
import difflib
import os
from collections.abc import Sequence
from dataclasses import dataclass

from senet_repro.cli.sentence_parser import SentenceParser
from senet_repro.cli.verbs import list_verbs
from senet_repro.core.errors import ConfigError

# Hydra's flags for configurations from elsewhere. No other command and no other process would find those again.
_FOREIGN_FLAGS = (
    ("--config-path", "-cp"),
    ("--config-name", "-cn"),
    ("--config-dir", "-cd"),
    ("--experimental-rerun",),
)
# What Hydra can tell of itself.
_INFOS = ("all", "config", "defaults", "defaults-tree", "plugins", "searchpath")


# Of a misspelt word to the verb that is proposed; 1 is the same.
LEAST_LIKENESS = 0.7


@dataclass(frozen=True)
class CommandLine:
    """A command line as it was typed, in its two parts."""

    flags: list[str]  # as Hydra is to have them
    words: list[str]  # KEY=VALUE; with --shell-completion what Hydra wants to know
    is_sweep: bool
    asks_for_help: bool = False
    asks_for_version: bool = False

    @property
    def asks_for_nothing(self) -> bool:
        """Whether the command says neither what to train nor what to show; -m says how to train, and not what."""
        return not self.words and self.flags in ([], ["--multirun"])

    @property
    def settings(self) -> list[str]:
        """The words that set something, KEY=VALUE; none where a shell asks how words are completed."""
        if "--shell-completion" in self.flags:
            return []
        return [word for word in self.words if "=" in word]


def read_command_line(arguments: Sequence[str]) -> CommandLine:
    """Return the parts of a command line; flags may stand anywhere among the words.

    Raises:
        ConfigError: a flag does not exist, cannot be given, or does not go with another; a word is neither a setting
            nor a verb that comes first.
    """
    parser = _build_parser()
    options, others = parser.split_words(arguments)
    strays = [] if options.help or options.shell_completion else _list_strays(options.words)
    _refuse_verbs(strays)
    parser.refuse_others(others)
    if strays:
        raise ConfigError(
            f"'{strays[0]}' is no setting and no verb: give KEY=VALUE, such as seed=1; --help lists the verbs"
        )
    for names in _FOREIGN_FLAGS:
        if getattr(options, _name_option(names[0])) is not None:
            raise ConfigError(
                f"{'/'.join(names)}: the grid is made of the files in conf/; add a file there, as CONTRIBUTING.md says"
            )
    # Hydra would look for what the shell puts there.
    is_question = any(word.startswith("query=") for word in options.words)
    if options.shell_completion and is_question and "COMP_LINE" not in os.environ:
        raise ConfigError(
            "--shell-completion query=SHELL is what a shell asks: give install=bash, install=fish or install=zsh"
        )
    shown = _select_shown(options)
    if shown and options.multirun:
        raise ConfigError(f"-m and {shown[0]}: give one of them; what is shown is a single run")
    if options.resolve and not options.cfg:
        raise ConfigError("--resolve goes with --cfg job: give that too")
    flags = shown or (["--multirun"] if options.multirun else [])
    return CommandLine(
        flags,
        options.words,
        is_sweep=options.multirun,
        asks_for_help=options.help,
        asks_for_version=options.version,
    )


def _build_parser() -> SentenceParser:
    parser = SentenceParser(add_help=False)
    parser.add_argument("words", nargs="*")
    parser.add_argument("-h", "--help", action="store_true")
    parser.add_argument("--version", action="store_true")
    parser.add_argument("-m", "--multirun", action="store_true")
    # Hydra's word for what a command without -m does anyway.
    parser.add_argument("-r", "--run", action="store_true")
    parser.add_argument("-c", "--cfg", choices=("job", "hydra", "all"))
    parser.add_argument("--resolve", action="store_true")
    parser.add_argument("-i", "--info", nargs="?", const="all", choices=_INFOS)
    parser.add_argument("--hydra-help", action="store_true")
    parser.add_argument("-sc", "--shell-completion", action="store_true")
    for names in _FOREIGN_FLAGS:
        parser.add_argument(*names)
    return parser


def _list_strays(words: Sequence[str]) -> list[str]:
    """Return the words that set nothing."""
    return [word for word in words if "=" not in word and word[:1] not in ("~", "+")]


def _refuse_verbs(strays: Sequence[str]) -> None:
    """Accept words that are no verbs.

    Raises:
        ConfigError: a word is a verb that does not come first, or a misspelt one.
    """
    verbs = list_verbs()
    for word in strays:
        if word in verbs:
            raise ConfigError(f"a verb comes first, as in python -m senet_repro {word}")
    for word in strays:
        near = difflib.get_close_matches(word.lower(), verbs, n=1, cutoff=LEAST_LIKENESS)
        if near:
            raise ConfigError(f"there is no verb '{word}'; did you mean {near[0]}?")


def _select_shown(options: argparse.Namespace) -> list[str]:
    """Return the flags for Hydra where a command only shows something; none where it trains."""
    flags = []
    if options.cfg:
        flags.append(f"--cfg={options.cfg}")
    if options.info:
        flags.append(f"--info={options.info}")
    if options.hydra_help:
        flags.append("--hydra-help")
    if options.shell_completion:
        flags.append("--shell-completion")
    if len(flags) > 1:
        raise ConfigError(f"{' '.join(flags)}: give one of them")
    if options.resolve:
        flags.append("--resolve")
    return flags


def _name_option(flag: str) -> str:
    return flag.removeprefix("--").replace("-", "_")
