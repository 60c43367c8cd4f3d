"""The words of a command that studies trained networks: runs or weights, and settings among them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from senet_repro.cli.options import parse_path
from senet_repro.core.errors import ConfigError
from senet_repro.core.printing import print_text


def add_words_argument(parser: argparse.ArgumentParser) -> None:
    """Declare the words of a study."""
    parser.add_argument(
        "words",
        type=_read_word,
        nargs="+",
        metavar="RUN_OR_KEY=VALUE",
        help="the folder of a run, runs/<name>-<key> or its seed<k>, a file of weights, or a setting: data.root=DIR",
    )


def part_words(words: Sequence[str | Path]) -> tuple[list[Path], list[str]]:
    """Return the paths among the words, each seed of a run by itself, and the settings.

    Raises:
        ConfigError: there is no path, or no weights of a run.
    """
    paths = [word for word in words if isinstance(word, Path)]
    if not paths:
        raise ConfigError("which run? give its folder, such as runs/<name>-<key>/seed0")
    return _list_seeds(paths), [word for word in words if isinstance(word, str)]


def _read_word(word: str) -> str | Path:
    """Return a setting as it is, and anything else as a path; one with = in its name has a slash before it."""
    key, sign, _ = word.partition("=")
    is_setting = bool(sign) and "/" not in key
    return word if is_setting else parse_path(word)


def _list_seeds(paths: Sequence[Path]) -> list[Path]:
    """Return the paths, with the seeds that have weights in place of the folder of a run."""
    from senet_repro.results.kept_weights import find_weights
    from senet_repro.results.run_folder import RunFolder

    seeds: list[Path] = []
    for path in paths:
        inside = sorted(seed for seed in path.glob("seed*") if seed.is_dir())
        if not inside or RunFolder(path).settings_file.exists():
            seeds.append(path)
            continue
        before = len(seeds)
        for seed in inside:
            try:
                find_weights(RunFolder(seed))
            except ConfigError as error:
                print_text(f"left out: {error}", file=sys.stderr)
            else:
                seeds.append(seed)
        if len(seeds) == before:
            raise ConfigError(f"{path}: no seed has its weights; train one with a checkpoint")
    # A seed that is named twice is no second one.
    return list({seed.resolve(): seed for seed in seeds}.values())
