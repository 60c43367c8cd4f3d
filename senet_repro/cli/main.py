"""`python -m senet_repro`: Hydra's application for runs and sweeps, and a few verbs beside it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from functools import partial

from senet_repro.cli.verbs import call_verb, describe_verbs, list_verbs
from senet_repro.core.errors import ConfigError, Stopped, reason_of
from senet_repro.core.matplotlib_folder import set_matplotlib_folder
from senet_repro.core.signals import convert_signals, end_at_signals
from senet_repro.core.streams import guard_stderr, guard_streams, open_missing_streams


def main() -> None:
    """Serve the command line.

    The exit code is 0, 1 for failed runs, 2 for a command that cannot be, 130 for Ctrl-C, 143 for SIGTERM and 129 for
    the end of its terminal.
    """
    end_at_signals()
    open_missing_streams()
    guard_stderr()
    sys.exit(_run_verb(sys.argv[1:]))


def _run_verb(arguments: list[str]) -> int:
    """Run the verb that the arguments begin with, or train; returns the exit code."""
    try:
        if arguments and arguments[0] in list_verbs():
            convert_signals()
            return _print_to_reader(partial(call_verb, arguments[0], arguments[1:]))
        if {"--help", "-h"} & set(arguments):
            return _print_to_reader(partial(_print_help, arguments))
        # A verb's output is what it is for, and it ends where nobody reads it; a run goes on.
        guard_streams()
        from senet_repro.cli import train

        # Not before: an exception of a signal may be lost while libraries are imported.
        convert_signals()
        # Training imports Lightning, and that imports matplotlib.
        set_matplotlib_folder()
        return train.main()
    except ConfigError as error:
        print(f"senet_repro: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        mend = "; give a results folder to write to" if error.filename else ""
        print(f"senet_repro: {reason_of(error)}{mend}", file=sys.stderr)
        return 2
    except (KeyboardInterrupt, Stopped) as stop:
        print("\nsenet_repro: stopped; the same command goes on from here", file=sys.stderr)
        return stop.exit_code if isinstance(stop, Stopped) else 130


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


def _print_help(arguments: Sequence[str]) -> int:
    """Print the grid as the other arguments compose it, and the usage of every verb."""
    from senet_repro.config.composition import build_help

    overrides = [argument for argument in arguments if not argument.startswith("-")]
    print(build_help(overrides, describe_verbs()))
    return 0
