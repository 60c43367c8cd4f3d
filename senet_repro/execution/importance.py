"""Find how much channels matter that SE blocks gate: errors without the least important ones (execution floor).

The evaluation images alone are read. Every other one of them tells how important channels are, and the errors are those
on the others, so that no image serves for both. Nothing is trained.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from senet_repro.config.identity import build_identity, hash_identity
from senet_repro.config.importance import (
    ALL_STAGES,
    BATCHNORM,
    CUT_SHARE_PCT,
    DRAWS,
    GATE,
    L1,
    RANDOM,
    SHARES_PCT,
)
from senet_repro.core.checkout import read_commit
from senet_repro.core.errors import ConfigError
from senet_repro.core.slow_work import SlowWork
from senet_repro.execution.evaluation import list_deciding
from senet_repro.execution.evaluation_progress import AnnouncedPass, EvaluationProgress
from senet_repro.execution.pass_facts import describe_data, describe_finding
from senet_repro.execution.passes import make_passes
from senet_repro.execution.target import Target
from senet_repro.results.importance import (
    Errors,
    Importance,
    find_importance,
    read_importance,
    write_importance,
)
from senet_repro.results.run_folder import RunFolder

if TYPE_CHECKING:
    import torch

    from senet_repro.data.order import Share
    from senet_repro.execution.channel_importance import Halves, Mask
    from senet_repro.execution.loaded_target import LoadedTarget
    from senet_repro.models.layers import Classifier

CUT_PLACEMENT = "conv3x3"
"""Where a block gates channels of the branch alone, which can be cut."""


def measure_importance(target: Target) -> Importance:
    """Return what masks do to the weights of a target; a finding that is there already is not made again.

    Raises:
        ConfigError: the network has no SE, or the weights, the data or the devices are not what the target needs.
        RunFailed: memory ran out, or a process died.
        OSError: the folder cannot be written to.
    """
    require_se(target)
    (key,) = make_passes(target)
    return next(one for one in read_importance(target.folder) if one.key == key)


def require_se(target: Target) -> None:
    """Accept the weights of a network with SE, before anything is loaded.

    Raises:
        ConfigError: it has none.
    """
    if build_identity(target.run)["se"] is None:
        raise ConfigError(
            f"{target.name} has no SE blocks, whose channels would be masked: give a run with r=16, say"
        )


def score_masks(target: Target, device: torch.device, share: Share) -> list[str]:
    """Measure, mask and score as one of the processes, and return the key of the finding; the first one writes.

    Raises:
        ConfigError, RunFailed, OSError: as `measure_importance`.
    """
    # Late: a command that is refused, and one that starts processes, needs no torch.
    from senet_repro.execution.channel_importance import Halves
    from senet_repro.execution.loaded_target import load_target

    # Now: the files of the checkout may change meanwhile.
    read_commit()
    loaded = load_target(target, device, share)
    measures = _choose_measures(target, loaded.net)
    is_cut = _check_cut(target, loaded)
    halves = Halves(len(loaded.images), _count_used(target, len(loaded.images)))
    key = _build_key(target, loaded, measures, halves, is_cut)
    if find_importance(target.folder, key) is not None:
        if loaded.is_first:
            file = RunFolder(target.folder).importance_file
            print(f"measured already, see {file}; delete it to measure anew", file=sys.stderr)
        return [key]
    found = _find_errors(target, loaded, measures, halves, is_cut)
    if loaded.is_first:
        write_importance(target.folder, _describe(target, loaded, key, halves, found))
    return [key]


def _count_used(target: Target, total: int) -> int:
    most: int | None = target.options["images"]
    used = total if most is None else min(most, total)
    if used < 2:
        raise ConfigError(f"--images {used}: one half is measured and one scored; give at least 2")
    return used


def _choose_measures(target: Target, net: Classifier) -> list[str]:
    """Return the measures that the network has; those that were not asked for by name may be missing.

    Raises:
        ConfigError: one that was asked for is missing.
    """
    from senet_repro.models.cutting import find_makers

    makers = find_makers(net).values()
    has = {
        L1: all(maker is not None for maker in makers),
        BATCHNORM: all(maker is not None and maker.bn is not None for maker in makers),
    }
    missing = [measure for measure in target.options["by"] if not has.get(measure, True)]
    chosen = [measure for measure in target.options["by"] if measure not in missing]
    if missing and target.options["is_by_name"]:
        others = ",".join(chosen) or f"{GATE},activation,random"
        raise ConfigError(
            f"--by {','.join(missing)}: the blocks of {target.name} do not each gate the output of one convolution "
            f"with BN, of which that is read; give --by {others}"
        )
    return chosen


def _check_cut(target: Target, loaded: LoadedTarget) -> bool:
    """Return whether channels are cut out too.

    Raises:
        ConfigError: they cannot be; the message names the mend.
    """
    from senet_repro.models.cutting import check_cuttable

    if target.options["is_mask_only"] or target.run.placement != CUT_PLACEMENT:
        return False
    check_cuttable(loaded.net)
    return True


def _build_key(
    target: Target, loaded: LoadedTarget, measures: Sequence[str], halves: Halves, is_cut: bool
) -> str:
    deciding = list_deciding(target, target.rules[0], loaded.images)
    masks = {"measures": [*measures], "shares_pct": [*SHARES_PCT], "draws": DRAWS}
    return hash_identity({**deciding, **masks, "images_used": halves.used, "is_cut": is_cut})


def _find_errors(
    target: Target,
    loaded: LoadedTarget,
    measures: Sequence[str],
    halves: Halves,
    is_cut: bool,
) -> dict[str, Any]:
    """Return the fields of a finding that are measured."""
    from senet_repro.execution.channel_importance import (
        count_misses,
        list_masks,
        list_scopes,
        rank_channels,
    )

    rule = target.rules[0]
    net = loaded.net
    rankings = len(measures) + (DRAWS - 1 if RANDOM in measures else 0)
    count = len(list_scopes(net)) * rankings * len(SHARES_PCT)
    pixels = rule.size_px**2
    passes = [AnnouncedPass("importance", pixels), AnnouncedPass(f"{count} masks", pixels * count)]
    progress = EvaluationProgress(target.name, passes, len(loaded.images))

    def report(own: int) -> None:
        if loaded.is_first:
            progress.report(loaded.count_seen(own))

    with loaded.prepare_pass():
        progress.begin_pass()
        ranked = rank_channels(loaded, rule, halves, measures, report)
        masks = list_masks(net, ranked)
        progress.begin_pass()
        misses = count_misses(loaded, rule, halves, masks, report).tolist()
        if loaded.is_first:
            progress.end()
        cut = _compare(loaded, target, masks) if is_cut and loaded.is_first else None
    scored = halves.count_images(1)
    errors_pct = [100 * count / scored for count in misses]
    return {
        "unmasked_err_pct": errors_pct[0],
        "errors_pct": _sort_errors(masks, errors_pct[1:]),
        "cut": cut,
    }


def _sort_errors(masks: Sequence[Mask], errors_pct: Sequence[float]) -> Errors:
    """Return errors by scope, measure, ranking and share; the masks come in the order of all of these."""
    found: Errors = {}
    for mask, error_pct in zip(masks, errors_pct, strict=True):
        rankings = found.setdefault(mask.scope, {}).setdefault(mask.measure, [])
        if len(rankings) == mask.ranking:
            rankings.append([])
        rankings[mask.ranking].append(error_pct)
    return found


def _compare(loaded: LoadedTarget, target: Target, masks: Sequence[Mask]) -> dict[str, Any]:
    """Return the network without the channels that the first measure finds least important, beside the whole one."""
    from senet_repro.execution.cut_network import compare_cut

    mask = next(
        mask for mask in masks if (mask.scope, mask.share_pct) == (ALL_STAGES, CUT_SHARE_PCT)
    )
    with SlowWork("setting the cut network beside the whole one"):
        compared = compare_cut(loaded, target.rules[0], mask.dropped)
    return {"measure": mask.measure, "share_pct": mask.share_pct, **compared}


def _describe(
    target: Target, loaded: LoadedTarget, key: str, halves: Halves, found: dict[str, Any]
) -> Importance:
    """Return what is written down."""
    deciding = list_deciding(target, target.rules[0], loaded.images)
    return Importance(
        key=key,
        data=describe_data(target, loaded.images),
        measured_images=halves.count_images(0),
        scored_images=halves.count_images(1),
        shares_pct=[*SHARES_PCT],
        notes=target.notes,
        trainer=deciding["trainer"],
        folder=target.folder,
        **describe_finding(target, loaded.device),
        **found,
    )
