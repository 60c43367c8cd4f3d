"""`python -m senet_repro bench`: two ratios that this project claims, measured side by side on this machine."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from senet_repro.core.slow_work import SlowWork

DESCRIPTION = "The input pipeline and a training step, timed beside a yardstick."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    parser.add_argument(
        "what", choices=("input", "step"), help="images per second and core, or a step's overhead"
    )
    parser.add_argument(
        "overrides", nargs="*", help="step: the run to measure, such as model=resnet29"
    )


def run_verb(options: argparse.Namespace) -> int:
    """Print the input pipeline's or the training step's cost beside its yardstick."""
    if options.what == "input":
        _bench_input()
    else:
        _bench_step(options.overrides)
    return 0


def _bench_input() -> None:
    with SlowWork("loading torch"):
        from senet_repro.data.bench import measure_input
    with SlowWork("timing both pipelines"):
        speed = measure_input()
    print(f"per image, PIL + torchvision  {speed.per_image_per_s:>9,.0f} images/s on one core")
    print(f"in batches, in memory         {speed.batched_per_s:>9,.0f} images/s on one core")
    print(f"ratio                         {speed.speedup:>9.1f}")


def _bench_step(overrides: Sequence[str]) -> None:
    from senet_repro.benchmarks.options import BenchOptions
    from senet_repro.core.matplotlib_folder import set_matplotlib_folder

    # Lightning, which is imported here, imports matplotlib.
    set_matplotlib_folder()
    with SlowWork("loading torch and Lightning"):
        from senet_repro.benchmarks.step import measure_step
    with SlowWork("timing steps of the bare loop and of a run"):
        measurements = measure_step(BenchOptions(overrides=tuple(overrides)))
    for cost in measurements:
        print(f"{cost.what}; {cost.check}")
        print(f"  bare loop  {cost.theirs:8.2f} ms per step")
        print(f"  run        {cost.ours:8.2f} ms per step")
        print(f"  ratio      {cost.ratio:8.3f} ({cost.lowest:.3f} to {cost.highest:.3f})")
