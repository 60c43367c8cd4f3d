"""Refuse runs of detection that cannot be, and its settings in runs of another task (config floor; no torch)."""

from __future__ import annotations

from importlib.util import find_spec

from senet_repro.config import schema
from senet_repro.config.schema import DETECTION, Data, Detection, Run
from senet_repro.core.choice import require_choice
from senet_repro.core.errors import ConfigError
from senet_repro.core.wording import join_words

OBJECT_KINDS = ("boxes", "drawn")
"""The kinds of sets whose pictures come with the boxes of the objects in them."""


def check_detection(run: Run) -> None:
    """Accept a run whose task and data go together, and whose detector can be built.

    Raises:
        ConfigError: they do not; the message names the mend.
    """
    _check_set_of_task(run)
    if run.task != DETECTION:
        if run.detection != Detection():
            raise ConfigError(
                f"detection.* changes nothing for task={run.task}: leave it out, or give task={DETECTION}"
            )
        return
    require_choice("detection.batch_norm", run.detection.batch_norm, schema.BATCH_NORMS)
    _check_sides(run.data)
    _check_stages(run)
    _check_training(run)


def require_first_weights(run: Run) -> None:
    """Accept a run that has first weights where it keeps some of them: frozen layers of a drawn network see nothing.

    Raises:
        ConfigError: it has none; the message names the mend.
    """
    detection = run.detection
    is_kept = detection.freeze_at > 0 or detection.batch_norm == "frozen"
    if run.task == DETECTION and is_kept and run.init.weights is None:
        raise ConfigError(
            f"detection.freeze_at={detection.freeze_at} and detection.batch_norm={detection.batch_norm} keep layers of "
            "the first weights, and there are none: give init.weights=FILE init.source=..., or train all of it, "
            "detection.freeze_at=0 detection.batch_norm=trained"
        )


def require_ap_library() -> None:
    """Accept a surrounding that has the library which computes average precision; it is not imported.

    Raises:
        ConfigError: it has not.
    """
    if find_spec("faster_coco_eval") is None:
        raise ConfigError(
            f"task={DETECTION} measures average precision by faster-coco-eval, which is not installed: "
            "give pip install 'senet-repro[coco]'"
        )


def list_pyramid_stages(run: Run) -> list[int]:
    """Return the stages whose maps the pyramid of a run is built of, in the paper's numbers."""
    return run.detection.pyramid_stages or run.model.stages


def _check_set_of_task(run: Run) -> None:
    """Refuse boxes for a task that reads classes, and classes for one that reads boxes."""
    has_boxes = run.data.kind in OBJECT_KINDS
    if has_boxes and run.task != DETECTION:
        raise ConfigError(
            f"data={run.data.name} holds pictures with boxes: give task={DETECTION}, or another set for task={run.task}"
        )
    if run.task == DETECTION and not has_boxes:
        raise ConfigError(
            f"task={DETECTION} is trained on pictures with boxes, and {run.data.name} has classes: give data=coco or "
            "data=shapes"
        )


def _check_sides(data: Data) -> None:
    """Refuse a longer side that is shorter than the shorter one."""
    if data.most_px is None:
        raise ConfigError(
            f"data.most_px is missing for {data.name}: give the longer side's most pixels"
        )
    for name in ("train_px", "eval_px"):
        side_px = getattr(data, name)
        if side_px > data.most_px:
            raise ConfigError(
                f"data.{name}={side_px} is the shorter side, and data.most_px={data.most_px} the most of the longer "
                f"one: give data.most_px={side_px} or more"
            )


def _check_stages(run: Run) -> None:
    """Refuse frozen stages and a pyramid that the network does not have."""
    detection, offered = run.detection, run.model.stages
    if detection.freeze_at and detection.freeze_at not in offered:
        raise ConfigError(
            f"detection.freeze_at={detection.freeze_at}: {run.model.name} has the stages {join_words(offered, 'and')}; "
            "give the last one to keep, or 0 to train all"
        )
    stages = list_pyramid_stages(run)
    if not set(stages) <= set(offered) or stages != sorted(set(stages)):
        raise ConfigError(
            f"detection.pyramid_stages={stages}: give rising stages of {run.model.name}, which has "
            f"{join_words(offered, 'and')}"
        )
    if detection.anchor_px != sorted(detection.anchor_px):
        raise ConfigError(
            f"detection.anchor_px={detection.anchor_px}: give rising sides, since the first level is the finest"
        )
    levels = len(stages) + 1
    if len(detection.anchor_px) != levels:
        raise ConfigError(
            f"detection.anchor_px={detection.anchor_px}: give {levels} sides, one for each of {len(stages)} stages and "
            "one for the map above them"
        )


def _check_training(run: Run) -> None:
    """Refuse ways of training that detection does not have."""
    if run.recipe.schedule.kind == "plateau":
        raise ConfigError(
            "recipe.schedule.kind=plateau follows a loss on the evaluation images, and detection measures none there: "
            "give step or cosine"
        )
    if run.recipe.label_smoothing:
        raise ConfigError(
            f"recipe.label_smoothing={run.recipe.label_smoothing:g} is for classes of whole pictures, and changes "
            f"nothing for task={DETECTION}: leave it out"
        )
    if run.trainer.compile is True:
        raise ConfigError(
            "trainer.compile=true: pictures of objects differ in size, and code would be compiled for each; give "
            "trainer.compile=false"
        )
