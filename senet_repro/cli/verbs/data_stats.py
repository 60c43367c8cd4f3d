"""`python -m senet_repro data-stats`: the mean and standard deviation of a set's training pictures, to paste."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence

from senet_repro.core.cores import count_workers
from senet_repro.core.loading import loading_for_good
from senet_repro.core.slow_work import SlowWork

DESCRIPTION = "Mean and standard deviation of a set's training pictures."
OWN_KEYS = ("data=", "data.", "protocol=")
"""The beginnings of settings that say which set it is, and are worth repeating."""
# A set of which they are not known yet is composed with these.
NEUTRAL = ("data.mean=[0,0,0]", "data.std=[1,1,1]")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    parser.add_argument(
        "overrides",
        nargs="+",
        metavar="KEY=VALUE",
        help="the set, such as data=folder data.root=DIR; trainer.num_workers=8: so many processes decode",
    )


def run_verb(options: argparse.Namespace) -> int:
    """Print the statistics of the training part and the settings that give them to a run.

    Raises:
        ConfigError: the set is not there, or a picture of it cannot be read.
    """
    from senet_repro.config.composition import compose

    run = compose([*_choose_network(options.overrides), *options.overrides, *NEUTRAL])
    # No device trains meanwhile, and all cores are free to decode.
    workers = count_workers(run.trainer.num_workers, devices=1)
    with loading_for_good("torch"):
        from senet_repro.data.pixel_stats import sum_training_pixels
    with SlowWork(f"decoding the training pictures of {run.data.title}") as work:
        sums = sum_training_pixels(run.data, workers, work.count)
    mean, std = _format_numbers(sums.mean), _format_numbers(sums.std)
    print(f"{run.data.title}: {sums.images:,} training pictures, {sums.pixels:,} pixels")
    print(f"mean {mean} of red, green and blue, on the scale 0..255")
    print(f"std  {std} over all pixels\n")
    own = [text for text in options.overrides if text.startswith(OWN_KEYS)]
    print(shlex.join([*own, f"data.mean={mean}", f"data.std={std}"]))
    return 0


def _choose_network(overrides: Sequence[str]) -> list[str]:
    """Return the choice of a network for pictures of any size, where the person made none."""
    is_chosen = any(override.startswith(("model=", "protocol=")) for override in overrides)
    return [] if is_chosen else ["model=resnet50"]


def _format_numbers(numbers: Sequence[float]) -> str:
    return f"[{','.join(f'{number:.2f}' for number in numbers)}]"
