"""`python -m senet_repro`: Hydra's application for runs and sweeps, and a few verbs beside it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial

from senet_repro import __version__
from senet_repro.cli.command_line import CommandLine, read_command_line
from senet_repro.cli.verbs import call_verb, describe_verbs, list_verbs, summarise_verbs
from senet_repro.core.errors import ConfigError, Stopped, reason_of
from senet_repro.core.matplotlib_folder import set_matplotlib_folder
from senet_repro.core.printing import print_text
from senet_repro.core.signals import convert_signals
from senet_repro.core.streams import guard_stderr, guard_streams, open_missing_streams


def main() -> None:
    """Serve the command line.

    The exit code is 0, 1 for failed runs, 2 for a command that cannot be or asks for nothing, 130 for Ctrl-C, 143 for
    SIGTERM and 129 for the end of its terminal.
    """
    open_missing_streams()
    guard_stderr()
    sys.exit(_serve_command(sys.argv[1:]))


def _serve_command(arguments: list[str]) -> int:
    """Run the verb that the arguments begin with, print help, or train; returns the exit code."""
    is_verb = bool(arguments) and arguments[0] in list_verbs()
    try:
        if is_verb:
            convert_signals()
            return _print_to_reader(partial(call_verb, arguments[0], arguments[1:]))
        line = read_command_line(arguments)
        if line.asks_for_help:
            return _print_to_reader(partial(_print_help, line))
        if line.asks_for_version:
            print(f"senet_repro {__version__}")
            return 0
        if line.asks_for_nothing:
            return _print_first_words()
        # A verb's output is what it is for, and it ends where nobody reads it; a run goes on.
        guard_streams()
        from senet_repro.cli import train

        # Not before: an exception of a signal may be lost while libraries are imported.
        convert_signals()
        # Training imports Lightning, and that imports matplotlib.
        set_matplotlib_folder()
        return train.main(line)
    except ConfigError as error:
        print_text(f"senet_repro: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        mend = ""
        if error.filename:
            mend = "; give a results folder to write to"
        print_text(f"senet_repro: {reason_of(error)}{mend}", file=sys.stderr)
        return 2
    except (KeyboardInterrupt, Stopped) as stop:
        # Runs have checkpoints; what a verb had done by then, it does again.
        further = "" if is_verb else "; the same command goes on from here"
        print(f"\nsenet_repro: stopped{further}", file=sys.stderr)
        if isinstance(stop, Stopped):
            return stop.exit_code
        return 130


def _print_to_reader(print_all: Callable[[], int]) -> int:
    """Print, and return the exit code; 0 where the reader of the output, such as `head`, has seen enough."""
    try:
        exit_code = print_all()
        # Now, since nothing answers an error while Python ends.
        sys.stdout.flush()
    except BrokenPipeError:
        # Python would complain as it flushes the rest.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return exit_code


def _print_help(line: CommandLine) -> int:
    """Print the help in two screens, a verb's own, or with `all` every key as the other words compose it."""
    verb = next((word for word in line.words if word in list_verbs()), None)
    if verb is not None:
        return call_verb(verb, ["--help"])
    from senet_repro.config.help_text import build_help, build_reference

    text = build_help(summarise_verbs())
    if "all" in line.words:
        text += f"\n\n{build_reference(line.settings, describe_verbs())}"
    print(text)
    return 0


def _print_first_words() -> int:
    """Say what a first command would be; the exit code tells a script that nothing was trained."""
    from senet_repro.config.help_text import FIRST_WORDS

    print(FIRST_WORDS, end="", file=sys.stderr)
    return 2
