"""`python -m senet_repro`: Hydra's application for runs and sweeps, and a few verbs beside it."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from senet_repro import __version__
from senet_repro.cli.verbs import call_verb, describe_verbs, list_verbs, summarize_verbs
from senet_repro.cli.words import (
    HELP_FLAGS,
    asks_for_nothing,
    list_overrides,
    refuse_stray_words,
)
from senet_repro.core.errors import ConfigError, Stopped
from senet_repro.core.matplotlib_folder import set_matplotlib_folder
from senet_repro.core.signals import convert_sigterm
from senet_repro.core.wording import print_text


def main() -> None:
    """Serve the command line.

    The exit code is 0, 1 for failed runs, 2 for a command that cannot be, 130 for Ctrl-C and 143 for SIGTERM.
    """
    convert_sigterm()
    sys.exit(_run_verb(sys.argv[1:]))


def _run_verb(arguments: list[str]) -> int:
    """Run the verb that the arguments begin with, or train; returns the exit code."""
    try:
        if arguments and arguments[0] in list_verbs():
            return call_verb(arguments[0], arguments[1:])
        if set(HELP_FLAGS) & set(arguments):
            return _print_help(arguments)
        if "--version" in arguments:
            print(f"senet_repro {__version__}")
            return 0
        if asks_for_nothing(arguments):
            return _print_first_words()
        refuse_stray_words(arguments)
        from senet_repro.cli import train

        # Training imports Lightning, and that imports matplotlib.
        set_matplotlib_folder()
        return train.main()
    except BrokenPipeError:
        # The reader of our output, such as head, has seen enough. Python would complain as it flushes the rest.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except ConfigError as error:
        print_text(f"senet_repro: {error}", file=sys.stderr)
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
    """Print the help in two screens, a verb's own, or with `all` every key as the other arguments compose it."""
    verb = next((word for word in arguments if word in list_verbs()), None)
    if verb is not None:
        return call_verb(verb, ["--help"])
    from senet_repro.config.help_text import build_help, build_reference

    text = build_help(summarize_verbs())
    if "all" in arguments:
        text += f"\n\n{build_reference(list_overrides(arguments), describe_verbs())}"
    print(text)
    return 0


def _print_first_words() -> int:
    """Say what a first command would be; the exit code tells a script that nothing was trained."""
    from senet_repro.config.help_text import FIRST_WORDS

    print(FIRST_WORDS, end="", file=sys.stderr)
    return 2
