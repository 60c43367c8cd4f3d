"""`python -m senet_repro importance`: how much channels matter that SE blocks gate, told by masking them."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from senet_repro.cli.study_words import add_words_argument, part_words
from senet_repro.core.errors import ConfigError, RunFailed
from senet_repro.core.matplotlib_folder import set_matplotlib_folder
from senet_repro.core.printing import print_text

if TYPE_CHECKING:
    from senet_repro.execution.target import Target
    from senet_repro.report.tables.importance import Finding
    from senet_repro.results.importance import Importance

DESCRIPTION = (
    "Errors without the channels that matter least. Of those that SE blocks gate, the least important 10 to 90 % are "
    "masked, and nothing is trained. They are ranked within each block: by their mean gate, the L1 norm of their "
    "filter, the scale of their batch normalisation, their mean activation, or at random. Half of the evaluation "
    "images tell how important a channel is, and the errors are those on the other half. With placement=conv3x3 "
    "channels are cut out, too, and the smaller network is set beside the whole one. Seeds of one run are brought "
    "together. Settings are KEY=VALUE, as those of evaluate. What was measured already is not measured again."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    add_words_argument(parser)
    parser.add_argument(
        "--by",
        metavar="LIST",
        help="of gate,l1,batchnorm,activation,random; all that the network has otherwise",
    )
    parser.add_argument(
        "--images", type=int, metavar="N", help="so many evaluation images at most, evenly spread"
    )
    parser.add_argument(
        "--mask-only", action="store_true", help="cut no channels out, also with placement=conv3x3"
    )


def run_verb(options: argparse.Namespace) -> int:
    """Measure each seed, print the areas and the verdicts, write CSV and figure; return 1 if a device failed.

    Raises:
        ConfigError: there are no such weights or images, the network has no SE, or a setting cannot be.
    """
    from senet_repro.execution.importance import measure_importance, require_se
    from senet_repro.report.tables.importance import group_seeds

    targets = _find_targets(options)
    for target in targets:
        require_se(target)
    # Lightning, which is imported later, imports matplotlib.
    set_matplotlib_folder()
    found: list[Importance] = []
    try:
        for target in targets:
            found.append(measure_importance(target))
    except RunFailed as failure:
        print_text(f"senet_repro: {failure}", file=sys.stderr)
        return 1
    for finding in group_seeds(found):
        _tell_finding(finding)
    return 0


def _find_targets(options: argparse.Namespace) -> list[Target]:
    """Return what the command points at, a target for each seed."""
    from senet_repro.cli.evaluation_target import find_target
    from senet_repro.config.evaluation import split_words
    from senet_repro.config.importance import MEASURES, read_measures

    measures = read_measures(options.by) if options.by else list(MEASURES)
    paths, settings = part_words(options.words)
    said, settings = split_words(settings)
    asked = {
        "by": measures,
        "is_by_name": options.by is not None,
        "images": options.images,
        "is_mask_only": options.mask_only,
    }
    targets = []
    for path in paths:
        target = find_target(path, said, settings)
        if len(target.rules) > 1:
            raise ConfigError("importance is told at one size: give sizes and crop_ratio one value")
        targets.append(replace(target, job="importance", options=asked))
    return targets


def _tell_finding(finding: Finding) -> None:
    """Print what was found of a network, and write its CSV and figure beside its first seed."""
    from senet_repro.core.files import write_bytes, write_text
    from senet_repro.report.figures.importance import draw_importance
    from senet_repro.report.tables.importance import judge_importance
    from senet_repro.report.text.importance import format_importance, format_importance_csv
    from senet_repro.results.run_folder import RunFolder

    assert finding.first.folder is not None
    folder = RunFolder(finding.first.folder).importance_folder
    drawing = draw_importance(finding)
    write_text(folder / f"{drawing.name}.csv", format_importance_csv(finding))
    write_text(folder / f"{drawing.name}.svg", drawing.svg)
    write_bytes(folder / f"{drawing.name}.png", drawing.png)
    print_text(f"{format_importance(finding, judge_importance(finding))}\n\n{folder}\n")
