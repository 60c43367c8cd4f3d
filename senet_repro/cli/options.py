"""Options that several verbs share, each declared once."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from senet_repro.core.errors import ConfigError
from senet_repro.core.home import expand_home


def parse_path(text: str) -> Path:
    """Return the path that an argument gives, with the home directory in place of its ~."""
    try:
        return Path(expand_home(text))
    except ConfigError as error:
        # argparse keeps the words of this error alone.
        raise argparse.ArgumentTypeError(str(error)) from error


def add_results_option(parser: argparse.ArgumentParser) -> None:
    """Add `--results DIR`, the folder whose runs are read; `options.results` is its path."""
    parser.add_argument(
        "--results",
        type=parse_path,
        default=Path("runs"),
        metavar="DIR",
        help="where the runs are (runs)",
    )


def add_table_option(parser: argparse.ArgumentParser) -> None:
    """Add `--table NAME`, one table of the paper; `options.table` is None for all of them."""
    parser.add_argument(
        "--table",
        metavar="NAME",
        help="a number in the paper or a name, such as 10 or reduction_ratio",
    )


def add_format_option(parser: argparse._ActionsContainer, formats: Sequence[str]) -> None:
    """Add `--format`, one of `formats`, of which the first is the default.

    The parser may be a group of options that exclude each other.
    """
    parser.add_argument("--format", choices=formats, default=formats[0])
