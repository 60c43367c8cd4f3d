"""Read what the gates of given weights do over evaluation images, without training (section 7.2; execution floor)."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from senet_repro.config.excitation import ExcitationWords, StudiedClass
from senet_repro.config.identity import hash_identity
from senet_repro.core.checkout import read_commit
from senet_repro.core.choice import require_choice
from senet_repro.core.errors import ConfigError
from senet_repro.core.wording import count_noun
from senet_repro.execution.evaluation import list_deciding
from senet_repro.execution.evaluation_progress import AnnouncedPass, EvaluationProgress
from senet_repro.execution.pass_facts import describe_data, describe_finding, describe_trainer
from senet_repro.execution.passes import make_passes
from senet_repro.execution.target import Target
from senet_repro.results.excitation import BlockCurves, GateStudy, read_study, write_study
from senet_repro.results.run_folder import RunFolder

if TYPE_CHECKING:
    import numpy as np
    import torch

    from senet_repro.data.order import Share
    from senet_repro.execution.loaded_target import LoadedTarget
    from senet_repro.models.se import SEBlock
    from senet_repro.tasks.classification.excitation import GateReading

JOB = "excitation"
MOST_PANELS = 9
"""A figure with more panels than that could not be read."""
OPENED = 3
"""So many channels are named that a picture opens widest beyond their mean."""


def study_target(target: Target) -> GateStudy:
    """Return the study of a target's gates; one that is there already is not made again.

    Raises:
        ConfigError: the weights, the data, the devices or the blocks are not what the target needs.
        RunFailed: memory ran out, or a process died.
        OSError: the folder cannot be written to.
    """
    make_passes(target)
    study = read_study(target.folder)
    assert study is not None
    return study


def write_options(said: ExcitationWords, classes: Sequence[StudiedClass]) -> dict[str, Any]:
    """Return what a command says of a study, as the options of its target hold it."""
    return {**asdict(said), "classes": [[one.label, one.name] for one in classes]}


def read_gates(target: Target, device: torch.device, share: Share) -> list[str]:
    """Read the gates of a target as one of the processes, and return the key of the study; the first one writes.

    Raises:
        ConfigError, RunFailed, OSError: as `study_target`.
    """
    from senet_repro.execution.loaded_target import load_target
    from senet_repro.models.gates import find_se_blocks

    # Now: the files of the checkout may change meanwhile.
    read_commit()
    loaded = load_target(target, device, share)
    blocks = find_se_blocks(loaded.net)
    if not blocks:
        raise ConfigError(f"{target.name} has no SE block, and so no gates: give a run with SE")
    shown = choose_blocks(list(blocks), target.options["blocks"])
    deciding = list_deciding(target, target.rules[0], loaded.images)
    key = hash_identity({**deciding, "study": {**target.options, "blocks": shown}})
    made = read_study(target.folder)
    if made is not None and made.key == key:
        if loaded.is_first:
            file = RunFolder(target.folder).excitation_file
            print(f"read already, see {file}; delete it to read the gates anew", file=sys.stderr)
        return [key]
    with loaded.prepare_pass(), loaded.choose_precision():
        reading, held = _make_both_passes(target, loaded, blocks)
    require_finite(reading, target.name)
    if loaded.is_first:
        write_study(target.folder, _describe_study(target, loaded, key, shown, reading, held))
    return [key]


def require_finite(reading: GateReading, name: str) -> None:
    """Accept gates that are numbers, as those of a ReLU may not be any more in half precision.

    Raises:
        ConfigError: some are infinite or none; the message names the block.
    """
    import numpy as np

    for block, own in reading.sums.items():
        if not np.isfinite(own.squares).all():
            raise ConfigError(
                f"{name}: the gates of {block} are no finite numbers on these images; give trainer.precision=32-true, "
                "or a network whose training did not diverge"
            )


def choose_blocks(names: Sequence[str], wanted: Sequence[str] | None) -> list[str]:
    """Return the blocks that figures show, in the order of the network.

    Without a wish these are all of a small network. Of a larger one they are the last block of each stage and those of
    the last stage (of many the first and the last two), which in SE-ResNet-50 are the six of the paper.

    Raises:
        ConfigError: there is no such block, or there are too many.
    """
    if wanted is not None:
        for name in wanted:
            require_choice("blocks", name, names)
        if len(wanted) > MOST_PANELS:
            raise ConfigError(
                f"blocks: a figure has {MOST_PANELS} panels at most; give fewer than {len(wanted)}"
            )
        return [name for name in names if name in wanted]
    if len(names) <= MOST_PANELS:
        return list(names)
    stages: dict[str, list[str]] = {}
    for name in names:
        stages.setdefault(name.split("_")[1], []).append(name)
    *before, last = stages.values()
    ends = [row[-1] for row in before]
    return [*ends, *(last if len(last) <= 3 else [last[0], *last[-2:]])]


def _make_both_passes(
    target: Target, loaded: LoadedTarget, blocks: Mapping[str, SEBlock]
) -> tuple[GateReading, dict[str, np.ndarray]]:
    """Return what the gates are, and the images of each group that are right while those of a block are held."""
    import torch

    from senet_repro.tasks.classification.excitation import (
        GateReader,
        HeldGates,
        deal_groups,
        read_batches,
    )

    rule = target.rules[0]
    labels = loaded.images.images.labels
    kept = find_shown_images(labels.tolist(), target.options)
    # Before the passes, which may take hours.
    if not kept:
        raise ConfigError("classes: none of them has evaluation images; give others")
    reader = GateReader(blocks, labels, loaded.run.data.classes, kept)
    report, progress = _start_progress(target, loaded, len(blocks))
    progress.begin_pass()
    batches = loaded.iterate_batches(rule)
    read_batches(batches, lambda batch: reader.read_batch(loaded.net, batch), report)
    reading = reader.finish(loaded.share)
    held: dict[str, np.ndarray] = {}
    if target.options["hold"]:
        means = {
            name: torch.from_numpy(own.add_groups().mean).to(loaded.device)
            for name, own in reading.sums.items()
        }
        holder = HeldGates(blocks, means)
        groups = deal_groups(len(labels))
        progress.begin_pass()
        batches = loaded.iterate_batches(rule)
        read_batches(
            batches,
            lambda batch: holder.score_batch(loaded.net, batch, groups[batch.indices]),
            report,
        )
        held = holder.finish(loaded.share)
    if loaded.is_first:
        progress.end()
    return reading, held


def _start_progress(
    target: Target, loaded: LoadedTarget, blocks: int
) -> tuple[Callable[[int], None], EvaluationProgress]:
    """Return what is told how many images this process has seen, and the line that tells of it."""
    pixels = target.rules[0].size_px ** 2
    passes = [AnnouncedPass("gates", pixels)]
    if target.options["hold"]:
        passes.append(AnnouncedPass(f"{count_noun(blocks, 'block')} held", blocks * pixels))
    progress = EvaluationProgress(target.name, passes, len(loaded.images))

    def report(own: int) -> None:
        if loaded.is_first:
            progress.report(loaded.count_seen(own))

    return report, progress


def find_shown_images(labels: Sequence[int], options: Mapping[str, Any]) -> list[int]:
    """Return the indices of the images of which single gates are kept: the first of each class that is shown."""
    kept = []
    for label, _ in options["classes"]:
        own = [index for index, each in enumerate(labels) if each == label]
        kept += own[: options["images"]]
    return kept


def _describe_study(
    target: Target,
    loaded: LoadedTarget,
    key: str,
    shown: Sequence[str],
    reading: GateReading,
    held: Mapping[str, np.ndarray],
) -> GateStudy:
    """Return what is written down of a study."""
    images = loaded.images
    classes = _describe_classes(reading.labels, target.options)
    picture = min(reading.kept)
    rule = target.rules[0]
    return GateStudy(
        key=key,
        data={**describe_data(target, images), "proxy": target.run.data.proxy},
        size_px=rule.size_px,
        resize_px=rule.resize_px,
        trainer=describe_trainer(target),
        notes=[*target.notes, *_list_notes(target, classes)],
        images=len(images),
        top1_err_pct=100 - 100 * float(reading.hits.sum()) / len(images),
        classes=classes,
        picture=_describe_picture(picture, shown, reading, classes),
        draw_seed=target.options["draw_seed"],
        blocks=list(reading.sums),
        curves=[
            _describe_curves(block, position, target.options, classes, reading, picture)
            for position, block in enumerate(shown)
        ],
        figures=_estimate_figures(reading, held),
        **describe_finding(target, loaded.device),
    )


def _describe_classes(labels: Sequence[int], options: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the classes that are shown, with the images of each that their curves are of; none without images."""
    described = []
    for label, name in options["classes"]:
        images = min(labels.count(label), options["images"])
        if images:
            described.append({"label": label, "name": name, "images": images})
    return described


def _list_notes(target: Target, classes: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return whatever departs from the paper's way to look at gates."""
    notes = []
    wanted = target.options["images"]
    few = [f"{one['name']} {one['images']}" for one in classes if one["images"] < wanted]
    if few:
        notes.append(
            f"classes with fewer evaluation images than the {wanted} asked for: {', '.join(few)}"
        )
    shown = {one["name"] for one in classes}
    missing = [name for _, name in target.options["classes"] if name not in shown]
    if missing:
        notes.append(f"classes without evaluation images are left out: {', '.join(missing)}")
    if target.run.squeeze == "none":
        notes.append(
            "without a squeeze a gate has a value per position; these are averaged over the positions"
        )
    if "plane" in shown and target.run.data.kind == "folders":
        notes.append(
            "plane is ImageNet's class of that label, the carpenter's plane (index 726), and no aircraft"
        )
    return notes


def _describe_picture(
    picture: int,
    shown: Sequence[str],
    reading: GateReading,
    classes: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """Return the picture whose gates are shown: its index in the set, its class, and what it opens in each block."""
    import numpy as np

    opened = {}
    for block in shown:
        own = reading.kept[picture][block]
        beyond = own - reading.sums[block].add_groups().mean
        channels = np.argsort(-beyond, kind="stable")[:OPENED]
        opened[block] = [[int(channel), round(float(own[channel]), 4)] for channel in channels]
    name = next(one["name"] for one in classes if one["label"] == reading.labels[picture])
    return {"index": picture, "class": name, "opened": opened}


def _describe_curves(
    block: str,
    position: int,
    options: Mapping[str, Any],
    classes: Sequence[Mapping[str, Any]],
    reading: GateReading,
    picture: int,
) -> BlockCurves:
    """Return the curves of a block in channels that are drawn by seed: of all images and of each class."""
    import numpy as np

    overall = reading.sums[block].add_groups().mean
    drawn = _draw_channels(len(overall), options, position)
    means, sds = [], []
    for one in classes:
        rows = np.array(
            [
                gates[block][drawn]
                for index, gates in reading.kept.items()
                if reading.labels[index] == one["label"]
            ]
        )
        means.append(_round(rows.mean(axis=0)))
        # One image has no spread.
        sds.append(_round(rows.std(axis=0, ddof=1) if len(rows) > 1 else np.zeros(len(drawn))))
    return BlockCurves(
        block=block,
        channels=[int(channel) for channel in drawn],
        overall=_round(overall[drawn]),
        means=means,
        sds=sds,
        picture=_round(reading.kept[picture][block][drawn]),
    )


def _draw_channels(channels: int, options: Mapping[str, Any], position: int) -> np.ndarray:
    """Return the channels of a block that its curves show, in rising order: all of them, if there are no more."""
    import numpy as np

    # Blocks of one width show other channels each.
    generator = np.random.default_rng([options["draw_seed"], position])
    count = min(options["channels"], channels)
    drawn: np.ndarray = np.sort(generator.choice(channels, count, replace=False))
    return drawn


def _round(values: np.ndarray) -> list[float]:
    """Return gates with as many digits as a figure shows."""
    return [round(float(value), 5) for value in values]


def _estimate_figures(
    reading: GateReading, held: Mapping[str, np.ndarray]
) -> dict[str, dict[str, float]]:
    """Return each figure of the network with its standard error over images."""
    from senet_repro.stats.gates import estimate_figures

    counts = next(iter(reading.sums.values())).counts.sum(axis=1)
    groups = len(counts)
    # All images, and then those without each group.
    kept_groups = [[True] * groups]
    for left_out in range(groups):
        kept_groups.append([group != left_out for group in range(groups)])
    harms = []
    for kept in kept_groups:
        images = counts[kept].sum()
        whole = reading.hits[kept].sum()
        harms.append(
            {block: 100 * float(whole - hits[kept].sum()) / images for block, hits in held.items()}
        )
    estimates = estimate_figures(reading.sums, harms, groups)
    figures = {}
    for name, estimate in estimates.items():
        assert estimate.standard_error is not None
        assert estimate.degrees is not None
        if math.isfinite(estimate.standard_error):
            figures[name] = {
                "value": estimate.mean,
                "standard_error": estimate.standard_error,
                "degrees": estimate.degrees,
            }
    return figures
