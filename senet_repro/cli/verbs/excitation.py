"""`python -m senet_repro excitation`: what the gates of trained networks do (section 7.2)."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from senet_repro.cli.study_words import add_words_argument, part_words
from senet_repro.core.errors import ConfigError, RunFailed
from senet_repro.core.files import write_bytes, write_text
from senet_repro.core.matplotlib_folder import set_matplotlib_folder
from senet_repro.core.printing import print_text

if TYPE_CHECKING:
    from senet_repro.execution.target import Target
    from senet_repro.results.excitation import GateStudy

DESCRIPTION = (
    "What the gates of trained networks do, as Figures 6 and 7 show it. It reads every SE block over the evaluation "
    "images without training, and judges what section 7.2 says. Several seeds of a run give intervals over seeds. "
    "Its settings are KEY=VALUE: classes=A,B,... (names, folders or numbers), images=50 of each, channels=50 drawn by "
    "draw_seed=0, blocks=SE_2_3,..., hold=false to leave out the pass in which gates are held at their means, and "
    "those of evaluate: data.root=DIR, sizes=224, trainer.KEY=VALUE, recipe.batch_size=N, model=NAME."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    add_words_argument(parser)


def run_verb(options: argparse.Namespace) -> int:
    """Read the gates of each network, draw its figures, print what was found, and return 1 if a device failed.

    Raises:
        ConfigError: there are no such weights, images, classes or blocks, or a setting cannot be.
    """
    from senet_repro.execution.excitation import study_target
    from senet_repro.report.tables.gate_studies import group_studies
    from senet_repro.report.text.gate_studies import format_network
    from senet_repro.results.run_folder import RunFolder

    paths, settings = part_words(options.words)
    # Before the first is read, which may take hours.
    targets = [_find_study_target(path, settings) for path in paths]
    # Lightning, which is imported later, imports matplotlib.
    set_matplotlib_folder()
    studies = []
    try:
        for target in targets:
            study = study_target(target)
            _draw_figures(target.folder, study)
            studies.append(study)
    except RunFailed as failure:
        print_text(f"senet_repro: {failure}", file=sys.stderr)
        return 1
    print_text("\n\n".join(format_network(network) for network in group_studies(studies)))
    print()
    for target in targets:
        print(RunFolder(target.folder).excitation)
    return 0


def _find_study_target(path: Path, settings: Sequence[str]) -> Target:
    """Return what is to be read at a path.

    Raises:
        ConfigError: there is nothing, or the settings do not fit it.
    """
    from senet_repro.cli.evaluation_target import find_target
    from senet_repro.config.evaluation import split_words
    from senet_repro.config.excitation import choose_classes, split_study_words
    from senet_repro.execution.excitation import JOB, write_options

    said, rest = split_study_words(settings)
    evaluation, rest = split_words(rest)
    target = find_target(path, evaluation, rest)
    if target.run.r == "none" or target.run.stages == "none":
        raise ConfigError(
            f"{path}: the network has no SE block, and so no gates; give a run with SE"
        )
    if len(target.rules) > 1:
        raise ConfigError("sizes: gates are read at one size; give one, with one crop_ratio")
    classes = choose_classes(target.run.data, said.classes)
    return replace(target, job=JOB, options=write_options(said, classes))


def _draw_figures(folder: Path, study: GateStudy) -> None:
    """Write the figures of a study beside it, as SVG and PNG, unless they were drawn already."""
    from senet_repro.report.figures.gates import draw_gate_figures
    from senet_repro.results.run_folder import RunFolder

    # A study that is read anew takes the figures of the one before away.
    if RunFolder(folder).has_gate_figures():
        return
    for drawing in draw_gate_figures(study):
        svg, png = RunFolder(folder).name_gate_figure(drawing.name)
        write_text(svg, drawing.svg)
        write_bytes(png, drawing.png)
