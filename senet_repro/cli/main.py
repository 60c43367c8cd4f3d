"""`python -m senet_repro`: Hydra's application for runs and sweeps, and a few verbs beside it."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from tempfile import TemporaryDirectory

from senet_repro.cli.verbs import call_verb, describe_verbs, list_verbs
from senet_repro.core.errors import ConfigError, Stopped


def main() -> None:
    """Serve the command line.

    The exit code is 0, 1 for failed runs, 2 for a command that cannot be, 130 for Ctrl-C and 143 for SIGTERM.
    """
    signal.signal(signal.SIGTERM, _end)
    with TemporaryDirectory(prefix="senet_repro-") as folder:
        # Lightning imports matplotlib, which would leave its settings and fonts in the home directory.
        os.environ.setdefault("MPLCONFIGDIR", folder)
        code = _answer(sys.argv[1:])
    sys.exit(code)


def _answer(arguments: list[str]) -> int:
    try:
        if arguments and arguments[0] in list_verbs():
            return call_verb(arguments[0], arguments[1:])
        if {"--help", "-h"} & set(arguments):
            return _print_help(arguments)
        from senet_repro.cli import train

        return train.main()
    except BrokenPipeError:  # the reader of our output, such as head, has seen enough
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


def _end(signum: int, _frame: object) -> None:
    raise Stopped(signum)
