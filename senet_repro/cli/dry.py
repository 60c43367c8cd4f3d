"""What a command would train, and what that would cost: `dry=true`."""

from __future__ import annotations

from collections.abc import Sequence

from senet_repro.config.identity import run_dir
from senet_repro.config.schema import Run
from senet_repro.report.text.markdown import align_columns
from senet_repro.results.run_folder import RunFolder

HEADER = ("run", "seed", "epochs", "images", "GMACs an image", "multiply-adds", "state")


def check_weights(run: Run) -> None:
    """Accept a run whose first weights, if they come from a file, fit its network.

    Raises:
        ConfigError: they do not.
    """
    if run.init.weights is not None:
        from senet_repro.training.fit import build_net

        build_net(run)


def print_plan(runs: Sequence[Run]) -> None:
    """Print a line per run, and what is still to be trained in all."""
    from senet_repro.training.estimate import (  # late: a dry run's settings need no torch
        PASSES,
        estimate_costs,
    )

    lines: list[tuple[str, ...]] = [HEADER]
    planned = set()
    left = images = macs = 0
    for run, cost in zip(runs, estimate_costs(runs), strict=True):
        folder = run_dir(run)
        state = _state(run)
        if folder in planned:
            state = "the same as above"
        planned.add(folder)
        if state in ("to train", "to resume"):
            left, images, macs = left + 1, images + cost.train_images, macs + cost.macs
        lines.append(
            (
                folder.parent.name,
                str(run.seed),
                str(run.recipe.epochs),
                f"{cost.train_images:,}",
                f"{cost.macs_per_image / 1e9:.4f}",
                f"{cost.macs:.2e}",
                state,
            )
        )
    print(align_columns(lines))
    print(
        f"\n{left} of {len(planned)} runs to train: {images:,} training images and about {macs:.2e} multiply-adds, a "
        f"training image counted as {PASSES} forward passes and each evaluation as one."
    )


def _state(run: Run) -> str:
    folder = run_dir(run)
    if RunFolder(folder).record_file.exists():
        return "done"
    return "to resume" if RunFolder(folder).last_checkpoint.exists() else "to train"
