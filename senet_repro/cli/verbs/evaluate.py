"""`python -m senet_repro evaluate`: given weights on the validation images, without training."""

from __future__ import annotations

import argparse
import sys

from senet_repro.cli.options import parse_path
from senet_repro.core.errors import RunFailed
from senet_repro.core.matplotlib_folder import set_matplotlib_folder
from senet_repro.core.printing import print_text

DESCRIPTION = (
    "Weights on the validation images, without training. Its settings are KEY=VALUE. sizes=[224,320] and "
    "crop_ratio=[0.875,1.0] (the crop's side as a share of the shorter side) say how images are cut, "
    "interpolation=bilinear|bicubic and antialias=true|false how they are resized. A file of weights needs model=NAME "
    "unless export wrote it, and init.source=timm|torchvision where its names do not tell. data.root=DIR, "
    "trainer.KEY=VALUE and recipe.batch_size=N are those of training. Passes that were made already are not made again."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    parser.add_argument(
        "weights",
        type=parse_path,
        metavar="RUN_OR_WEIGHTS",
        help="the folder of a run, runs/<name>-<key>/seed<k>, or a file of released or exported weights",
    )
    parser.add_argument(
        "settings", nargs="*", metavar="KEY=VALUE", help="such as sizes=[224,320] data.root=DIR"
    )


def run_verb(options: argparse.Namespace) -> int:
    """Evaluate the weights by each rule, print the table, and return 1 if a device failed.

    Raises:
        ConfigError: there are no such weights or images, or a setting cannot be.
    """
    from senet_repro.cli.evaluation_target import find_target
    from senet_repro.config.evaluation import split_words
    from senet_repro.execution.evaluation import evaluate_target
    from senet_repro.report.text.evaluations import format_evaluations
    from senet_repro.results.run_folder import RunFolder

    said, settings = split_words(options.settings)
    target = find_target(options.weights, said, settings)
    # Lightning, which is imported later, imports matplotlib.
    set_matplotlib_folder()
    try:
        evaluations = evaluate_target(target)
    except RunFailed as failure:
        print_text(f"senet_repro: {failure}", file=sys.stderr)
        return 1
    print_text(format_evaluations(evaluations))
    print(f"\n{RunFolder(target.folder).evaluations_file}")
    return 0
