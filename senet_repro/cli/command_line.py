"""The flags of a training command, and what Hydra gets to see of it (no torch, no Hydra)."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

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


@dataclass(frozen=True)
class CommandLine:
    """A training command as it was typed, in its two parts."""

    flags: list[str]  # as Hydra is to have them
    words: list[str]  # KEY=VALUE; with --shell-completion what Hydra wants to know
    is_sweep: bool


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are those of every other wrong setting."""

    def error(self, message: str) -> NoReturn:
        """Refuse the command line for the reason that argparse found."""
        raise ConfigError(f"{message}; --help shows what can be given")


def read_command_line(arguments: Sequence[str]) -> CommandLine:
    """Return the parts of a command line; flags may stand anywhere among the words.

    Raises:
        ConfigError: a flag does not exist, cannot be given, or does not go with another.
    """
    options = _build_parser().parse_intermixed_args(list(arguments))
    for names in _FOREIGN_FLAGS:
        if getattr(options, _name_option(names[0])) is not None:
            raise ConfigError(
                f"{'/'.join(names)}: the grid is made of the files in conf/; add a file there, as CONTRIBUTING.md says"
            )
    shown = _select_shown(options)
    if shown and options.multirun:
        raise ConfigError(f"-m and {shown[0]}: give one of them; what is shown is a single run")
    if options.resolve and not options.cfg:
        raise ConfigError("--resolve goes with --cfg job: give that too")
    flags = shown or (["--multirun"] if options.multirun else [])
    return CommandLine(flags, options.words, is_sweep=options.multirun)


def _build_parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="senet_repro", add_help=False, allow_abbrev=False)
    parser.add_argument("words", nargs="*")
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
