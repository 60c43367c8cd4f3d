"""The words KEY=VALUE of a command line, made ready for Hydra (config floor; no torch).

Hydra reads a value as a number, a truth value or nothing where it can, and refuses most signs. A text of a run, such as
a folder's name, is what was typed: it is handed on in Hydra's quotes wherever Hydra would read something else.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, Quote, QuotedString
from hydra.errors import HydraException

from senet_repro.config.conf_dir import TABLE_GROUPS, list_files, load_file
from senet_repro.config.keys import list_keys, takes_text
from senet_repro.core.errors import ConfigError

_WORD = re.compile(r"(?P<sign>\+{0,2})(?P<key>[^=]+)=(?P<value>.*)", re.DOTALL)
_CHOICE = re.compile(r"\s*choice\s*\((.*)\)\s*", re.DOTALL)
# Of Hydra's settings these alone are the user's: the others decide where Hydra works, and so where records would land.
_USERS_HYDRA_KEYS = re.compile(r"hydra/launcher|hydra\.launcher\..*|hydra\.sweeper\.most_points")
# What Hydra's functions for sweeps take, in an example.
_CALLS = {
    "range": "whole numbers, such as range(0,3) for 0, 1 and 2",
    "interval": "the values of a sweep with commas between them, such as 0.1,0.2",
    "glob": "a pattern, such as glob(*)",
}
_BRACKETS = (("(", ")"), ("[", "]"), ("{", "}"))
_BRACKET_DEPTHS = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}


@dataclass(frozen=True)
class _Word:
    """A word of the command line in its parts."""

    text: str  # as it was typed
    sign: str  # empty, + or ++: what Hydra wants before a key that is not there yet
    key: str
    value: str

    @property
    def subject(self) -> str:
        """The key, of which the last word counts, or the whole word where it adds to others, as one of two tables."""
        adds_something = self.sign and not _has_field(self.key)
        if adds_something:
            return self.text
        return self.key

    @property
    def chooses_table(self) -> bool:
        """Whether it adds a table of the paper."""
        return self.sign == "+" and self.key in TABLE_GROUPS


def read_overrides(words: Sequence[str]) -> list[str]:
    """Return the overrides that Hydra is to have for these words, in which every text is what was typed.

    Of a key that is given twice the last word counts. Reading the overrides once more changes nothing.

    Raises:
        ConfigError: a word is no KEY=VALUE, cannot be read, is not the user's to set, or does not go with a table.
    """
    parts = [_split_word(word) for word in words]
    _check_tables(parts)
    counting: dict[str, str] = {}
    for part in parts:
        # Read even if a later word takes its place: what cannot be read is a slip.
        override = _write_override(part)
        # Taken out first, so that the word stands where it was given last.
        counting.pop(part.subject, None)
        counting[part.subject] = override
    return list(counting.values())


def _check_tables(parts: Sequence[_Word]) -> None:
    """Accept words that choose one table at most, and no protocol where the table brings its own.

    Raises:
        ConfigError: they choose more.
    """
    tables = {part.text: part.key for part in parts if part.chooses_table}
    if len(tables) > 1:
        raise ConfigError(
            f"{' '.join(tables)}: give one table at a time; -m sweeps several, as +ablation=squeeze,stages"
        )
    gives_protocol = any(part.key == "protocol" for part in parts)
    if gives_protocol and any(map(_names_its_parts, parts)):
        raise ConfigError(
            f"{' '.join(tables)} names network, data and recipe itself: leave protocol= out, or give model=, data="
        )


def _names_its_parts(part: _Word) -> bool:
    """Return whether a word chooses an experiment that names network, data and recipe, and not a protocol alone."""
    if not part.chooses_table or part.key != "experiment":
        return False
    # Of a sweep there are several; whether each is there is found out later.
    for name in set(part.value.split(",")) & set(list_files("experiment")):
        choices = load_file("experiment", name)["defaults"]
        if any("override /data" in choice for choice in choices):
            return True
    return False


def find_overruled(words: Sequence[str]) -> list[tuple[str, str]]:
    """Return the words that do not count, since a later word gives the same key, each with that later word."""
    parts = [_split_word(word) for word in words]
    counting = {part.subject: part.text for part in parts}
    overruled = []
    for part in parts:
        later = counting[part.subject]
        if part.text != later:
            overruled.append((part.text, later))
    return overruled


def read_run_overrides(words: Sequence[str]) -> list[str]:
    """Return the overrides of a single run, as `read_overrides` does.

    Raises:
        ConfigError: as for `read_overrides`, or a word gives several values.
    """
    overrides = read_overrides(words)
    typed = {_split_word(word).key: word for word in words}
    for override in overrides:
        if parse_override(override).is_sweep_override():
            key = _split_word(override).key
            mend = _explain_list(typed[key], key)
            raise ConfigError(f"{typed[key]}: give -m to train each of these values{mend}")
    return overrides


def _explain_list(word: str, key: str) -> str:
    """Return how several values are written as one, where a key can have such a value."""
    if takes_text(key):
        return f", or put one value that has commas in quotes: {_show_quotes(word)}"
    if key in list_keys() and list_keys()[key].type is Any:
        return ", or a list as one value, in brackets: 'stages=[2,3]'"
    return ""


def parse_override(override: str) -> Override:
    """Return an override in the parts that Hydra's grammar sees.

    Raises:
        ConfigError: Hydra's grammar has no such override.
    """
    try:
        return OverridesParser.create().parse_rule(override, "override")  # type: ignore[no-any-return]
    except HydraException as error:
        raise ConfigError(_explain_grammar(override, error)) from error


def _split_word(word: str) -> _Word:
    """Return the parts of a word that sets a key of the user's.

    Raises:
        ConfigError: it does not.
    """
    if word.startswith("~"):
        raise ConfigError(f"{word}: nothing can be taken out of a run; give the key another value")
    match = _WORD.fullmatch(word)
    if match is None:
        raise ConfigError(f"{word}: give KEY=VALUE, such as seed=1; --help lists keys and verbs")
    part = _Word(word, match["sign"], match["key"], match["value"])
    if not part.value.strip():
        raise ConfigError(f"{part.key} is empty: give {part.sign}{part.key}=VALUE, or leave it out")
    if re.match(r"hydra\b", part.key) and not _USERS_HYDRA_KEYS.fullmatch(part.key):
        raise ConfigError(
            f"{word}: of Hydra's settings, hydra/launcher and hydra.launcher.KEY can be given; "
            "results_dir=DIR says where results go, and -m sweeps"
        )
    return part


def _write_override(part: _Word) -> str:
    """Return a word as Hydra is to have it."""
    sign = part.sign
    value = part.value
    # A key of the schema is always there, so that a + before it says nothing; Hydra would refuse it.
    if _has_field(part.key):
        sign = ""
    if takes_text(part.key):
        known = list_keys().get(part.key)
        value = _write_texts(part.key, value, may_be_none=known is not None and known.may_be_none)
    override = f"{sign}{part.key}={value}"
    parse_override(override)
    return override


def _write_texts(key: str, value: str, *, may_be_none: bool) -> str:
    """Return the value of a key whose values are texts, each in quotes where Hydra needs them to take it as typed."""
    choice = _CHOICE.fullmatch(value)
    # choice(a,b) is another way to write a,b.
    texts = _split_at_commas(choice[1] if choice else value)
    return ",".join(_write_text(key, text.strip(), may_be_none=may_be_none) for text in texts)


def _write_text(key: str, text: str, *, may_be_none: bool) -> str:
    """Return one text as Hydra takes it for what was typed."""
    if not text:
        raise ConfigError(f"{key} is empty between commas: give a value there, or one comma less")
    try:
        parsed = parse_override(f"{key}={text}")
    except ConfigError:
        # A quote that is closed too early or never is a slip; every other sign is one of the text.
        if text[0] in "'\"":
            raise
        _refuse_special_text(key, text)
        return _quote(text)
    value = parsed.value()
    if isinstance(value, str):
        _refuse_special_text(key, value)
        return text
    is_none = value is None and may_be_none
    if is_none or parsed.is_sweep_override():
        return text
    return _quote(text)


def _refuse_special_text(key: str, text: str) -> None:
    """Refuse a text that Hydra takes for a missing value, or for the beginning of a reference to another key."""
    if text == "???":
        raise ConfigError(f"{key}=???: this stands for a value that is missing; give another")
    if text.count("${") > text.count("}"):
        raise ConfigError(
            f"{key}={text}: ${{ begins the value of another key, which ends with }}, as in ${{oc.env:HOME}}"
        )


def _split_at_commas(value: str) -> list[str]:
    """Return what stands between the commas of a value, but for those in quotes, in brackets or after a backslash."""
    # Brackets that have no partner are signs of a name.
    are_paired = all(value.count(opening) == value.count(closing) for opening, closing in _BRACKETS)
    texts = [""]
    quote = ""
    depth = 0
    before = ""
    for sign in value:
        is_plain = before != "\\"
        # Within a text an apostrophe is a sign like any other: only one that begins it is a quote.
        if sign in "'\"" and is_plain and (sign == quote or not (quote or texts[-1].strip())):
            quote = "" if quote else sign
        elif are_paired and not quote:
            depth += _BRACKET_DEPTHS.get(sign, 0)
        if sign == "," and is_plain and not quote and depth == 0:
            texts.append("")
        else:
            texts[-1] += sign
        before = sign
    return texts


def _quote(text: str) -> str:
    return QuotedString(text, Quote.double).with_quotes()


def _show_quotes(override: str) -> str:
    """Return an override with its value in quotes, as a person gives it to a shell."""
    key, _, value = override.partition("=")
    return shlex.quote(f"{key}={_quote(value)}")


def _explain_grammar(override: str, error: HydraException) -> str:
    """Return in a sentence why Hydra's grammar refuses an override, and the mend."""
    key, _, value = override.partition("=")
    if not re.fullmatch(r"\+{0,2}[A-Za-z_][\w./@$-]*", key, re.ASCII):
        return f"unknown key '{key}'; --help all lists the keys"
    call = re.search(r"while evaluating '(\w+)\(", str(error))
    is_launchers = key.lstrip("+").startswith("hydra.")
    if call:
        mend = _CALLS.get(call[1], "the value itself, or several with commas between them")
        return f"cannot read '{override}': give {mend}"
    if not is_launchers and not takes_text(key.lstrip("+")):
        return (
            f"cannot read '{override}': give a word, a number, or a list in brackets, such as [2,3]"
        )
    bare = value.strip("\"' ")
    return f"cannot read '{override}': put the whole value in quotes, as in {_show_quotes(f'{key}={bare}')}"


def _has_field(key: str) -> bool:
    """Return whether a key is a field of the schema with a value, and no part of it, such as `recipe`."""
    known = list_keys().get(key)
    return known is not None and not known.is_part
