"""Given weights on the validation images, without training, on one device or several (execution floor).

Each pass over the images is written as it ends: a command that was stopped finds it there when it is given again.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from senet_repro.config.evaluation import CropRule
from senet_repro.config.identity import CODE_VERSION, build_identity, hash_identity
from senet_repro.core.checkout import read_commit
from senet_repro.execution.evaluation_progress import AnnouncedPass, EvaluationProgress
from senet_repro.execution.pass_facts import describe_data, describe_finding, describe_trainer
from senet_repro.execution.passes import make_passes
from senet_repro.execution.target import Target
from senet_repro.results.evaluation import (
    Evaluation,
    find_finished,
    read_evaluations,
    write_evaluation,
)
from senet_repro.results.run_folder import RunFolder
from senet_repro.stats.proportions import INTERVAL_NAME, find_wilson_interval
from senet_repro.tasks import find_task
from senet_repro.training.devices import uses_gpu

if TYPE_CHECKING:
    import torch

    from senet_repro.data.order import Share
    from senet_repro.results.outcomes import Outcomes
    from senet_repro.tasks.classification.evaluation import EvalImages


def evaluate_target(target: Target) -> list[Evaluation]:
    """Return an evaluation of each rule of a target, in their order; those that are there already are not made again.

    Raises:
        ConfigError: the weights, the data or the devices are not what the target needs.
        RunFailed: memory ran out, or a process died.
        OSError: the folder cannot be written to.
    """
    keys = make_passes(target)
    made = {one.key: one for one in read_evaluations(target.folder)}
    return [made[key] for key in keys]


def drop_devices(trainer: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that decide numbers: how many devices share the batches does not."""
    return {name: value for name, value in trainer.items() if name != "devices"}


def evaluate_passes(target: Target, device: torch.device, share: Share) -> list[str]:
    """Evaluate every rule that is not evaluated yet, as one of the processes; the first one writes.

    The key of each rule's pass is returned, in their order, also of those that were made before.

    Raises:
        ConfigError, RunFailed, OSError: as `evaluate_target`.
    """
    # Late: a command that is refused, and one that starts processes, needs no torch.
    from senet_repro.execution.loaded_target import load_target
    from senet_repro.tasks.classification.evaluation import evaluate_network

    # Now: the files of the checkout may change meanwhile.
    read_commit()
    run = target.run
    loaded = load_target(target, device, share)
    images = loaded.images
    keys = {rule: hash_identity(list_deciding(target, rule, images)) for rule in target.rules}
    pending = [rule for rule, key in keys.items() if find_finished(target.folder, key) is None]
    if loaded.is_first:
        _report_finished(target, pending)
    passes = [AnnouncedPass(f"{rule.size_px} px", rule.size_px**2) for rule in pending]
    progress = EvaluationProgress(target.name, passes, len(images))
    report: Callable[[int], None] = progress.report if loaded.is_first else drop_count
    for rule in pending:
        progress.begin_pass()
        with loaded.prepare_pass():
            outcomes = evaluate_network(
                loaded.net,
                images,
                run,
                rule,
                loaded.preprocessing,
                device=device,
                share=share,
                report=report,
            )
        if loaded.is_first:
            evaluation = _describe_pass(target, rule, keys[rule], images, outcomes, device)
            write_evaluation(target.folder, evaluation, outcomes)
    if loaded.is_first:
        progress.end()
    return list(keys.values())


def drop_count(_done: int) -> None:
    """Report nothing: the first process does."""


def _report_finished(target: Target, pending: list[CropRule]) -> None:
    for rule in target.rules:
        if rule not in pending:
            file = RunFolder(target.folder).evaluations_file
            print(
                f"{rule.describe()}: evaluated already, see {file}; delete it to evaluate anew",
                file=sys.stderr,
            )


def describe_preprocessing(target: Target) -> dict[str, Any]:
    """Return how pictures become what the network sees, beside their crop."""
    # The usual sides are left out: passes that were made before there was a choice keep their keys.
    sides = target.rules[0].sides
    resized = {} if sides == "short" else {"sides": sides}
    return {
        **resized,
        "mean": [*target.run.data.mean],
        "std": [*target.run.data.std],
        "interpolation": target.interpolation,
        "antialias": target.antialias,
        "published_by": target.published_by,
    }


def list_deciding(target: Target, rule: CropRule, images: EvalImages) -> dict[str, Any]:
    """Return all that decides the numbers of a pass; of devices their kind does, and their number does not."""
    identity = build_identity(target.run)
    # The usual decoder is left out: passes that were made before there was another keep their keys.
    decoder = {"decode": "gpu"} if target.run.data.decode == "gpu" else {}
    return {
        **decoder,
        "code_version": CODE_VERSION,
        "weights": target.weights["sha256"],
        "model": identity["model"],
        "se": identity["se"],
        "images": images.fingerprint,
        "skipped": sorted(images.images.skipped),
        # Its sides stand in the preprocessing, where they are not the usual ones.
        "rule": {"size_px": rule.size_px, "resize_px": rule.resize_px},
        "preprocessing": describe_preprocessing(target),
        "trainer": drop_devices(describe_trainer(target)),
        "on_gpu": uses_gpu(target.run.trainer),
    }


def _describe_pass(
    target: Target,
    rule: CropRule,
    key: str,
    images: EvalImages,
    outcomes: Outcomes,
    device: torch.device,
) -> Evaluation:
    """Return what is written down of a pass."""
    run = target.run
    metrics, intervals = _measure_errors(run.task, outcomes)
    return Evaluation(
        key=key,
        kind=target.kind,
        options={**run.model.options},
        task=run.task,
        data=describe_data(target, images),
        trained_px=target.trained_px,
        size_px=rule.size_px,
        resize_px=rule.resize_px,
        preprocessing=describe_preprocessing(target),
        notes=target.notes,
        trainer=describe_trainer(target),
        metrics=metrics,
        intervals=intervals,
        interval=f"{INTERVAL_NAME}, 95 %, over images",
        images=len(outcomes.labels),
        outcomes=outcomes.summarise(),
        folder=target.folder,
        **describe_finding(target, device),
    )


def _measure_errors(
    task: str, outcomes: Outcomes
) -> tuple[dict[str, float], dict[str, list[float]]]:
    """Return each error in percent over the images, and its interval."""
    total = len(outcomes.labels)
    metrics = {}
    intervals = {}
    for metric in find_task(task).metrics:
        if metric.rank is None:
            continue
        misses = total - int(outcomes.list_hits(metric.rank).sum())
        metrics[metric.name] = 100 * misses / total
        intervals[metric.name] = [100 * share for share in find_wilson_interval(misses, total)]
    return metrics, intervals
