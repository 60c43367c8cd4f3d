"""Refuse a composed run that cannot be trained, beyond what its types refuse (config floor; no torch)."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import Any

from senet_repro.config import schema
from senet_repro.config.conf_dir import list_files, load_file
from senet_repro.config.data_sets import FACTS, count_classes, read_set_facts, read_side
from senet_repro.config.detection import OBJECT_KINDS, check_detection
from senet_repro.config.explain import explain_foreign_option, explain_wrong_value, write_value
from senet_repro.config.keys import list_ranges
from senet_repro.config.ranges import Range
from senet_repro.config.schema import Data, Init, Run, Schedule, Trainer
from senet_repro.core.choice import require_choice
from senet_repro.core.errors import ConfigError
from senet_repro.core.wording import join_words

# The most devices that an error proposes.
MOST_DEVICES = 64
# Pictures of a set in memory are taken as they are, or reduced by averages of 2x2 or 4x4 pixels.
REDUCTIONS = (1, 2, 4)
# Settings of a set that change nothing for sets of a kind: pictures of objects are scaled as a whole.
_UNUSED_OF_OBJECTS = (
    "pad_px",
    "download",
    "px",
    "crop_area",
    "crop_aspect",
    "eval_resize_px",
    "eval_resize_sides",
)
UNUSED_SETTINGS = {
    "memory": ("crop_area", "crop_aspect", "eval_resize_px", "eval_resize_sides", "most_px"),
    "folders": ("pad_px", "download", "px", "most_px"),
    "boxes": _UNUSED_OF_OBJECTS,
    "drawn": _UNUSED_OF_OBJECTS,
}


@cache
def list_tasks() -> list[str]:
    """Return the names of the tasks in alphabetical order: the folders of senet_repro/tasks."""
    # This floor may not import a task, but it may know the names.
    folder = Path(__file__).parents[1] / "tasks"
    return sorted(path.parent.name for path in folder.glob("*/__init__.py"))


def validate_run(run: Run) -> None:
    """Accept a run that can be trained.

    Raises:
        ConfigError: a value is not legal, or the network does not offer what the axes ask of it.
    """
    check_axes(run.r, run.squeeze, run.excitation, run.placement)
    check_stages(run.stages, run.model.stages, run.model.name)
    require_choice("placement", run.placement, run.model.placements, run.model.name)
    _check_first_weights(run.init)
    _check_choices(run)
    _check_statistics(run.data)
    if run.recipe.epochs == 0:
        weights = run.init.weights or "RUN_OR_WEIGHTS"
        raise ConfigError(
            "recipe.epochs=0 would train nothing: give at least 1, or score a network as it is with "
            f"python -m senet_repro evaluate {weights}"
        )
    for key, limits in list_ranges().items():
        _check_range(key, attrgetter(key)(run), limits)
    if not run.results_dir:
        raise ConfigError("results_dir is empty: give a folder, such as results_dir=runs")
    trainer = run.trainer
    check_batch_size(run.recipe.batch_size, trainer.devices, trainer.nodes, trainer.accumulate)
    _check_schedule(run.recipe.schedule)
    check_detection(run)
    if run.recipe.nesterov and run.recipe.momentum == 0:
        raise ConfigError(
            "recipe.nesterov=true is a form of momentum, and recipe.momentum=0: give a momentum, such as 0.9"
        )
    _check_trainer(trainer)
    _check_graph(run)
    _check_data(run)
    _check_pictures(run)


def _check_first_weights(init: Init) -> None:
    if init == Init():
        return
    if init.weights is None:
        raise ConfigError("init.source or init.sha256 without weights: give init.weights=FILE")
    if init.source is None:
        sources = join_words(schema.WEIGHT_SOURCES, "or")
        raise ConfigError(
            f"init.weights={init.weights}: say whose weights they are, init.source={sources}, or give the folder of a "
            "run, such as init.weights=runs/<name>-<key>/seed0"
        )
    require_choice("init.source", init.source, schema.FIRST_WEIGHTS_SOURCES)


def _check_choices(run: Run) -> None:
    """Accept words that are among those of the schema."""
    require_choice("model.name", run.model.name, list_files("model"))
    require_choice("task", run.task, list_tasks())
    require_choice("data.kind", run.data.kind, schema.DATA_KINDS)
    require_choice("data.decode", run.data.decode, schema.DECODERS)
    require_choice("data.eval_resize_sides", run.data.eval_resize_sides, schema.RESIZED_SIDES)
    require_choice("se.fc", run.se.fc, schema.SE_FCS)
    require_choice("recipe.schedule.kind", run.recipe.schedule.kind, schema.SCHEDULES)
    shape = run.recipe.schedule.warmup_shape
    require_choice("recipe.schedule.warmup_shape", shape, schema.WARMUP_SHAPES)
    require_choice("logger.name", run.logger.name, list_files("logger"))
    require_choice("trainer.accelerator", run.trainer.accelerator, schema.ACCELERATORS)
    require_choice("trainer.precision", run.trainer.precision, schema.PRECISIONS)
    offered = load_file("model", run.model.name).get("options", {})
    for option, value in run.model.options.items():
        require_choice("model.options", option, schema.MODEL_OPTIONS)
        if option not in offered:
            raise ConfigError(explain_foreign_option(option))
        require_choice(f"model.options.{option}", value, schema.MODEL_OPTIONS[option])


def _check_data(run: Run) -> None:
    """Accept a data set as its file describes it, and a recipe and a network that it can serve."""
    data, recipe = run.data, run.recipe
    _check_set_facts(data)
    _check_used_settings(data)
    _check_decoder(data, run.trainer)
    if data.kind != "memory" and recipe.cutout_px:
        raise ConfigError(
            f"recipe.cutout_px={recipe.cutout_px}: cutout is for sets in memory, give 0 for {data.name}"
        )
    if data.kind in OBJECT_KINDS:
        return
    if data.kind == "folders":
        if data.eval_resize_px is None:
            raise ConfigError(
                f"{run.model.name} is made for images of {run.model.input_px} px, not for {data.name}'s: take another "
                "network, or give data.train_px, data.eval_px and data.eval_resize_px, such as 224, 224 and 256"
            )
        if data.crop_area is None or data.crop_aspect is None:
            raise ConfigError(
                f"{data.name} is trained on random resized crops: give data.crop_area and data.crop_aspect, such as "
                "[0.08,1.0] and [0.75,1.33]"
            )
        return
    _check_stored_form(data)
    if recipe.batch_size > data.train_images:
        raise ConfigError(
            f"recipe.batch_size={recipe.batch_size}: {data.name} has {data.train_images:,} training images; "
            "give that or less"
        )


def _check_statistics(data: Data) -> None:
    """Refuse a set whose pictures nobody has measured."""
    if data.mean and data.std:
        return
    command = shlex.join(["data-stats", f"data={data.name}", f"data.root={data.root or 'DIR'}"])
    raise ConfigError(
        f"data.mean and data.std of {data.root or data.name} are not known: give both, which "
        f"`python -m senet_repro {command}` measures"
    )


def _check_used_settings(data: Data) -> None:
    """Refuse settings that sets of this kind do not use: the same run would be trained under another key."""
    for name in UNUSED_SETTINGS[data.kind]:
        value = getattr(data, name)
        # The word that changes nothing is the default.
        if value and value != getattr(Data, name, None):
            given = f"data.{name}={write_value(value)}"
            raise ConfigError(f"{given}: {data.name} makes no use of it; leave it out")


def _check_decoder(data: Data, trainer: Trainer) -> None:
    """Refuse to decode on a GPU where there are no files to decode, or where no GPU is to be used."""
    if data.decode == "cpu":
        return
    if data.kind != "folders":
        where = "is decoded on the CPU" if data.kind == "boxes" else "lies decoded in memory"
        raise ConfigError(f"data.decode={data.decode}: {data.name} {where}; leave it out")
    if trainer.accelerator == "cpu":
        raise ConfigError(
            f"data.decode={data.decode} with trainer.accelerator=cpu: give trainer.accelerator=gpu, or "
            "data.decode=cpu, which is a run of its own"
        )


def _check_stored_form(data: Data) -> None:
    """Refuse another size of image than a set in memory has, or fewer classes, before the set is read.

    The set itself is asked once more when it is read.
    """
    stored_px, classes = read_side(data.name), count_classes(data.name)
    can_be_reduced = load_file("data", data.name).get("px") is not None
    if data.px is not None and not can_be_reduced:
        raise ConfigError(f"data.px={data.px}: pictures of {data.name} have one size; leave it out")
    sides = [stored_px]
    if can_be_reduced:
        sides = [stored_px // factor for factor in REDUCTIONS]
    if data.px is not None and data.px not in sides:
        raise ConfigError(f"data.px={data.px}: give {join_words(sides, 'or')} for {data.name}")
    side_px = data.px or stored_px
    if (data.train_px, data.eval_px) != (side_px, side_px):
        mend = f"give data.train_px={side_px} data.eval_px={side_px}"
        if can_be_reduced:
            mend = f"give data.px={join_words(sides, 'or')}, and neither data.train_px nor data.eval_px"
        raise ConfigError(f"{data.name} images are {side_px} px a side and are not resized: {mend}")
    if data.classes < classes:
        raise ConfigError(f"{data.name} has {classes} classes: give data.classes={classes}")


def _check_pictures(run: Run) -> None:
    """Refuse crops and cutouts that would leave nothing of a picture to be seen."""
    data, cutout_px = run.data, run.recipe.cutout_px
    # A crop that is moved by more than half its side shows more padding than picture.
    most_pad_px = data.train_px // 2
    if data.pad_px > most_pad_px:
        raise ConfigError(
            f"data.pad_px={data.pad_px}: images of data.train_px={data.train_px} take at most half of it, {most_pad_px}"
        )
    if cutout_px and cutout_px >= data.train_px:
        raise ConfigError(
            f"recipe.cutout_px={cutout_px} leaves nothing of images of {data.train_px} px: give less than "
            f"{data.train_px}, such as recipe.cutout_px={data.train_px // 2}, or 0 for none"
        )
    if data.eval_resize_px is not None and data.eval_resize_px < data.eval_px:
        raise ConfigError(
            f"data.eval_resize_px={data.eval_resize_px} is smaller than the crop, data.eval_px={data.eval_px}: "
            f"give at least {data.eval_px}"
        )


def _check_schedule(schedule: Schedule) -> None:
    """Accept drops and a warm-up that lie within the training."""
    if schedule.kind != "step":
        return
    drops, length = schedule.drops, schedule.length
    is_within = all(0 < drop < length for drop in drops)
    if not is_within or drops != sorted(set(drops)):
        raise ConfigError(
            f"recipe.schedule.drops={drops}: give rising whole numbers above 0 and below "
            f"recipe.schedule.length={length}"
        )
    if schedule.warmup > length:
        raise ConfigError(
            f"recipe.schedule.warmup={schedule.warmup}: give at most recipe.schedule.length={length}"
        )


def _check_trainer(trainer: Trainer) -> None:
    """Refuse settings that would change nothing, but stand in the record as if they had."""
    for name in ("compile", "graph"):
        value = getattr(trainer, name)
        # Python takes 1 for True, and the code that follows does not.
        if value != "auto" and not isinstance(value, bool):
            raise ConfigError(f"trainer.{name}={write_value(value)}: give auto, true or false")
    if trainer.sync_bn and trainer.devices * trainer.nodes == 1:
        raise ConfigError(
            "trainer.sync_bn=true joins the statistics of several devices, and this run has one: leave it out, "
            "or give trainer.devices=N"
        )
    if trainer.accelerator == "cpu":
        check_cpu_settings(trainer)


def _check_graph(run: Run) -> None:
    """Refuse what a step cannot hold that is recorded as a CUDA graph; a CPU takes the same step unrecorded."""
    if run.trainer.graph is not True:
        return
    obstacle = find_graph_obstacle(run)
    if obstacle is not None:
        raise ConfigError(f"trainer.graph=true is for {obstacle} trainer.graph=false")


def find_graph_obstacle(run: Run) -> str | None:
    """Return what a CUDA graph of a training step is for, and the run is not, with the mend; None where it can be."""
    trainer = run.trainer
    if run.task == schema.DETECTION:
        return "pictures of one size, and those of objects differ: give"
    if run.data.kind != "memory":
        return f"sets in memory, and {run.data.name} is read from files: give"
    if trainer.devices * trainer.nodes > 1:
        return "one device: give trainer.devices=1 and trainer.nodes=1, or"
    if trainer.accumulate > 1:
        return "a batch that is taken in one part: give trainer.accumulate=1, or"
    if trainer.precision == "16-mixed":
        return "steps without a loss scale: give trainer.precision=bf16-mixed, or"
    return None


def check_cpu_settings(trainer: Trainer) -> None:
    """Refuse settings that only GPUs offer, for a run that is trained on a CPU.

    Raises:
        ConfigError: one is given; the message names the mend.
    """
    if trainer.sync_bn:
        raise ConfigError(
            "trainer.sync_bn=true: torch offers it on GPUs only; leave it out on the CPU"
        )
    if trainer.precision == "16-mixed":
        raise ConfigError(
            "trainer.precision=16-mixed: torch trains in 16-bit floats on GPUs only; give bf16-mixed or 32-true "
            "on the CPU"
        )


def _check_set_facts(data: Data) -> None:
    """Refuse facts of a set that its file does not state: a part of a set would have the run key of the whole."""
    facts = read_set_facts(data.name, data.subset)
    # Of any folder of pictures the file knows no numbers and no title.
    for fact in ("kind",) if facts.is_counted else FACTS:
        stated, given = getattr(facts, fact), getattr(data, fact)
        if given != stated:
            raise ConfigError(
                f"data.{fact}={given}: {data.name} has {stated}, and no run may change it; leave it out"
            )


def check_axes(r: Any, squeeze: str, excitation: str, placement: str) -> None:
    """Accept values of the axes that no network restricts; `r` is a whole number or `none`.

    Raises:
        ConfigError: a value is not on its axis; the message names the legal ones.
    """
    is_ratio = type(r) is int and 1 <= r <= schema.MOST_R
    if r != "none" and not is_ratio:
        raise ConfigError(
            f"r={r}: give a whole number from 1 to {schema.MOST_R:,}, such as 16, or none for no SE block"
        )
    require_choice("squeeze", squeeze, schema.SQUEEZES)
    require_choice("excitation", excitation, schema.EXCITATIONS)
    require_choice("placement", placement, schema.PLACEMENTS)


def check_stages(stages: Any, available: Sequence[int], who: str) -> None:
    """Accept a value of the stages axis for the network `who`, whose stage numbers are `available`.

    Raises:
        ConfigError: it is neither a word of the axis nor distinct stage numbers of the network.
    """
    words = join_words(schema.STAGE_WORDS, "or")
    if isinstance(stages, str):
        if stages not in schema.STAGE_WORDS:
            raise ConfigError(f"stages={stages}: give {words}, or stage numbers such as [2,3]")
        return
    if (
        not isinstance(stages, list | tuple)
        or not stages
        or not all(type(stage) is int for stage in stages)
    ):
        raise ConfigError(f"stages={stages}: give stage numbers such as [2,3], or {words}")
    if not set(stages) <= set(available):
        given = ",".join(map(str, stages))
        raise ConfigError(f"stages=[{given}]: {who} offers {join_words(available, 'and')}")
    if len(set(stages)) < len(stages):
        raise ConfigError(f"stages={stages}: name each stage once")


def check_batch_size(batch_size: int, devices: int, nodes: int = 1, accumulate: int = 1) -> None:
    """Accept a global batch that divides over the devices of all nodes, and there into the parts of `accumulate`.

    Raises:
        ConfigError: it does not; the message names the nearest sizes that do, and the numbers of devices that would.
    """
    others = nodes * accumulate
    parts = devices * others
    if batch_size % parts == 0:
        return
    lower = batch_size // parts * parts
    sizes = [size for size in (lower, lower + parts) if size > 0]
    mends = [f"recipe.batch_size={join_words(sizes, 'or')}"]
    # Other devices help only if nodes and parts divide the batch already.
    if batch_size % others == 0:
        share = batch_size // others
        fitting = [count for count in range(1, min(share, MOST_DEVICES) + 1) if share % count == 0]
        mends.append(f"trainer.devices={join_words(fitting, 'or')}")
    factors = [(devices, "devices"), (nodes, "nodes"), (accumulate, "accumulate")]
    asked = " and ".join(f"trainer.{name}={count}" for count, name in factors if count > 1)
    raise ConfigError(
        f"recipe.batch_size={batch_size} does not divide over {asked}: give {', or '.join(mends)}"
    )


def _check_range(key: str, value: Any, limits: Range) -> None:
    """Accept a number, or a list of numbers, in its range; one that may be left out is not checked where it is."""
    if value is None:
        return
    is_legal = limits.holds_all(value) if isinstance(value, list) else limits.holds(value)
    if not is_legal:
        raise ConfigError(explain_wrong_value(key, value))
