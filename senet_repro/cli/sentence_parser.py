"""An argument parser that refuses in a sentence, as every other wrong setting is refused."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from typing import Any, NoReturn

from senet_repro.core.choice import find_nearest, require_choice
from senet_repro.core.errors import ConfigError
from senet_repro.core.wording import join_words

# Of a flag that does not exist to the one that is proposed; 1 is the same.
LEAST_LIKENESS = 0.6
LIKENESS_OF_SLIP = 0.8
_NOUNS = {"float": "a number", "int": "a whole number"}


class SentenceParser(argparse.ArgumentParser):
    """Parses the words after a verb with `read_words`, or those of a command without one with `split_words`."""

    def __init__(self, verb: str = "", **settings: Any) -> None:
        # A shortened flag would change its meaning with the next flag that begins like it.
        program = f"python -m senet_repro {verb}".rstrip()
        super().__init__(prog=program, allow_abbrev=False, exit_on_error=False, **settings)
        self._verb = verb

    def read_words(self, words: Sequence[str]) -> argparse.Namespace:
        """Return the options that the words give.

        Raises:
            ConfigError: a flag does not exist, or a value is missing, wrong or one too many.
            SystemExit: the words ask for the help, which is printed.
        """
        options, others = self.split_words(words)
        self.refuse_others(others)
        return options

    def split_words(self, words: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
        """Return the options that the words give, and the words that give none; raises as `read_words`."""
        # Without a verb flags may stand anywhere among the settings.
        parse = self.parse_known_intermixed_args
        try:
            options, others = parse(words)
        except argparse.ArgumentError as error:
            self._refuse(self._explain(error))
        assert options is not None
        return options, others

    def refuse_others(self, others: Sequence[str]) -> None:
        """Accept that no word was left over.

        Raises:
            ConfigError: one was; the message names the flag or the setting that was meant, where it can be known.
        """
        if others:
            self._refuse(self._explain_other(others[0]))

    def error(self, message: str) -> NoReturn:
        """Refuse words for a reason that concerns no single one of them; argparse calls this up to Python 3.12."""
        self._refuse(self._explain_missing(message))

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Accept a value that is one of an argument's choices; argparse calls this."""
        if action.choices is not None:
            if not action.option_strings:
                # A reader of the words has never seen the name of a place.
                if value not in action.choices:
                    self._refuse(f"give {_describe_argument(action)}, not {value}")
                return
            try:
                require_choice(action.option_strings[-1], value, action.choices)
            except ConfigError as error:
                self._refuse(str(error))

    def _refuse(self, reason: str) -> NoReturn:
        raise ConfigError(f"{self._verb}: {reason}" if self._verb else reason)

    def _explain(self, error: argparse.ArgumentError) -> str:
        """Return in our words what argparse found wrong with one argument."""
        message = error.message
        # From Python 3.13 on argparse raises this, too.
        if error.argument_name is None:
            return self._explain_missing(message)
        name = error.argument_name.rpartition("/")[2]
        if message.startswith("expected"):
            return f"{name} needs a value"
        if message.startswith("ignored explicit argument"):
            return f"{name} takes no value"
        other = message.partition("not allowed with argument ")[2]
        if other:
            return f"{name} and {other} exclude each other: give one of them"
        invalid = re.fullmatch(r"invalid (\w+) value: (.+)", message)
        if invalid and invalid[1] in _NOUNS:
            default = self.get_default(name.lstrip("-").replace("-", "_"))
            example = "" if default is None else f", such as {default}"
            return f"{name} is {_NOUNS[invalid[1]]}{example}, not {invalid[2]}"
        return f"{name}: {message}"

    def _explain_missing(self, message: str) -> str:
        """Return which arguments are missing, as argparse lists them; another message as it is."""
        missing = message.partition("arguments are required: ")[2].split(", ")
        # Of a word that may be given any number of times, argparse asks for one as well.
        needed = [
            action
            for action in self._actions
            if (action.metavar or action.dest) in missing and action.nargs != "*"
        ]
        if not needed:
            return message
        return f"give {join_words(map(_describe_argument, needed), 'and')} too"

    def _explain_other(self, word: str) -> str:
        """Return that a word is none of the verb's, and which flag was meant where it can be known."""
        told = [action for action in self._actions if action.help != argparse.SUPPRESS]
        flags = [flag for action in told for flag in action.option_strings]
        long_flags = [flag for flag in flags if flag.startswith("--")]
        if not word.startswith("-"):
            return f"there is no place for {word}; its flags are {join_words(long_flags, 'and')}"
        flag = word.partition("=")[0]
        key = None if self._verb else _find_key(flag)
        # Where a flag may stand for a key, it is another flag only by a slip.
        least = LIKENESS_OF_SLIP if key else LEAST_LIKENESS
        near = find_nearest(flag, long_flags, least)
        mend = f"there are {join_words(long_flags, 'and')}"
        if near:
            mend = f"did you mean {near}?"
        elif key is not None:
            mend = f"a setting has no dashes: {key}=VALUE"
        return f"there is no flag {flag}; {mend}"


def _describe_argument(action: argparse.Action) -> str:
    """Return what stands in a place of the command: one of its words, or what the help calls it."""
    if not action.choices:
        return str(action.metavar or action.dest)
    return join_words(action.choices, "or")


def _find_key(flag: str) -> str | None:
    """Return the key that a person means by a flag, as other programs have it; None where nothing comes near."""
    # Late: a verb needs no keys.
    from senet_repro.config.keys import find_key

    return find_key(flag.lstrip("-").replace("-", "_"))
