"""`python -m senet_repro`: Hydra's application for runs and sweeps, and a few verbs beside it."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from senet_repro.cli.verbs import call_verb, describe_verbs, list_verbs
from senet_repro.core.errors import ConfigError, Stopped
from senet_repro.core.matplotlib_folder import set_matplotlib_folder
from senet_repro.core.signals import convert_signals


def main() -> None:
    """Serve the command line.

    The exit code is 0, 1 for failed runs, 2 for a command that cannot be, 130 for Ctrl-C and 143 for SIGTERM.
    """
    convert_signals()
    sys.exit(_run_verb(sys.argv[1:]))


def _run_verb(arguments: list[str]) -> int:
    """Run the verb that the arguments begin with, or train; returns the exit code."""
    try:
        if arguments and arguments[0] in list_verbs():
            return call_verb(arguments[0], arguments[1:])
        if {"--help", "-h"} & set(arguments):
            return _print_help(arguments)
        from senet_repro.cli import train

        # Training imports Lightning, and that imports matplotlib.
        set_matplotlib_folder()
        return train.main()
    except BrokenPipeError:
        # The reader of our output, such as head, has seen enough. Python would complain as it flushes the rest.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except ConfigError as error:
        print(f"senet_repro: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(
            f"senet_repro: {error.strerror}: {error.filename}; give a results folder to write to",
            file=sys.stderr,
        )
        return 2
    except (KeyboardInterrupt, Stopped) as stop:
        print("\nsenet_repro: stopped; the same command goes on from here", file=sys.stderr)
        return stop.exit_code if isinstance(stop, Stopped) else 130


def _print_help(arguments: Sequence[str]) -> int:
    """Print the grid as the other arguments compose it, and the usage of every verb."""
    from senet_repro.config.composition import build_help

    overrides = [argument for argument in arguments if not argument.startswith("-")]
    print(build_help(overrides, describe_verbs()))
    return 0
