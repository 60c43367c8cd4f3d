"""A run's training step beside a bare loop over the same network and batches (benchmarks floor)."""

from __future__ import annotations

from senet_repro.benchmarks.measurement import Measurement
from senet_repro.benchmarks.options import BenchOptions
from senet_repro.config.composition import compose
from senet_repro.tasks import find_task
from senet_repro.training import bench


def measure_step(options: BenchOptions) -> list[Measurement]:
    """Train the run that the overrides name, as a run and bare, in turn."""
    run = compose(options.overrides)
    task = find_task(run.task)
    rounds, epochs = (1, 2) if options.is_quick else (5, 4)
    cost = bench.measure_step(run, task, rounds, epochs)
    return [
        Measurement(
            what=f"training step, {run.model.name}, batch {run.recipe.batch_size}",
            yardstick="a bare loop over the same network and batches",
            unit="ms",
            ours=cost.run_ms,
            theirs=cost.bare_ms,
            ratio=cost.ratio,
            # The rounds are not told apart there.
            lowest=cost.ratio,
            highest=cost.ratio,
            rounds=1,
            goal=1.05,
        )
    ]
