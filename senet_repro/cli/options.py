"""Options that several verbs share, each declared once."""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from senet_repro.core.errors import ConfigError
from senet_repro.core.files import write_text
from senet_repro.core.home import expand_home
from senet_repro.core.printing import escape_controls, print_text
from senet_repro.results.access import explain_forbidden, is_forbidden


def parse_path(text: str) -> Path:
    """Return the path that an argument gives, with the home directory in place of its ~."""
    if not text.strip():
        # Of an unset variable of a shell: the folder where the command is given would be taken instead.
        raise argparse.ArgumentTypeError("a path is empty: give a folder or a file, such as runs")
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


def require_results(results_dir: Path) -> Path:
    """Return the results folder that `--results` names, if there is one.

    Raises:
        ConfigError: there is none, it is a file, or this user may not read it.
    """
    if not results_dir.exists():
        train = shlex.join(["-m", "+ablation=reduction_ratio", f"results_dir={results_dir}"])
        raise ConfigError(
            f"--results {results_dir}: there is no folder {results_dir}; give one that runs were written to, "
            f"or train the first: python -m senet_repro {train}"
        )
    require_readable("--results ", results_dir)
    return results_dir


def require_readable(before: str, results_dir: Path) -> None:
    """Accept something that exists, if it is a folder that this user may read; messages begin with `before`.

    Raises:
        ConfigError: it is a file, or this user may not read it.
    """
    if not results_dir.is_dir():
        raise ConfigError(
            f"{before}{results_dir}: there is no folder {results_dir}, but a file; give one that runs were written to"
        )
    if is_forbidden(results_dir, os.R_OK | os.X_OK):
        raise ConfigError(f"{before}{explain_forbidden(results_dir)}")


def add_table_option(parser: argparse.ArgumentParser) -> None:
    """Add `--table NAME` for tables of the paper; `options.table` lists those asked for, none for all of them."""
    parser.add_argument(
        "--table",
        metavar="NAME",
        action="extend",
        type=_split_names,
        default=[],
        help="a number in the paper or a name, such as 10 or reduction_ratio; several: 10,11",
    )


def add_origin_option(parser: argparse.ArgumentParser) -> None:
    """Add `--ours`, which leaves out what others reported; `options.ours` says whether it is given."""
    parser.add_argument(
        "--ours",
        action="store_true",
        help="leave out the runs that others reported, see merge",
    )


def _split_names(text: str) -> list[str]:
    """Return the names in a list with commas between them."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        # argparse keeps the words of this error alone.
        raise argparse.ArgumentTypeError("give a name, such as 10 or reduction_ratio")
    return names


def add_output_file_option(parser: argparse.ArgumentParser) -> None:
    """Add `--output FILE`, which takes what would be printed; `options.output` is its path, or None."""
    parser.add_argument(
        "--output",
        type=parse_path,
        metavar="FILE",
        help="write it into a file, not to the terminal",
    )


def print_or_write(text: str, output: Path | None) -> None:
    """Print a text, or write it into the file that `--output` names, or that a link there leads to.

    Raises:
        ConfigError: the file cannot be written.
    """
    if output is None:
        print_text(text)
        return
    try:
        # A link stays one: the file that it leads to is written, as a shell does.
        write_text(Path(os.path.realpath(output)), escape_controls(text).rstrip("\n") + "\n")
    except OSError as error:
        raise ConfigError(
            f"--output {output}: {error.strerror}; give a file in a folder that you may write to, or leave out "
            "--output"
        ) from error


def add_format_option(parser: argparse._ActionsContainer, formats: Sequence[str]) -> None:
    """Add `--format`, one of `formats`, of which the first is the default; every verb offers markdown and json.

    The parser may be a group of options that exclude each other.
    """
    parser.add_argument(
        "--format",
        choices=formats,
        default=formats[0],
        help=f"how it is written ({formats[0]}); every verb with this option has markdown and json",
    )
