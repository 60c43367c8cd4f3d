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
    parser.add_argument("--data", metavar="DIR", help="input: class folders of JPEG files")


def run_verb(options: argparse.Namespace) -> int:
    """Print the input pipeline's or the training step's cost beside its yardstick."""
    if options.what == "input":
        _bench_input(options.data)
    else:
        _bench_step(options.overrides)
    return 0


def _bench_input(data_root: str | None) -> None:
    from senet_repro.benchmarks.options import BenchOptions

    with SlowWork("loading torch"):
        from senet_repro.benchmarks.input import measure_input
    with SlowWork("timing both pipelines"):
        measurements = measure_input(BenchOptions(data_root=data_root))
    for measured in measurements:
        print(measured.what)
        print(f"  ours   {measured.ours:>9,.0f} images/s on one core")
        print(f"  beside {measured.theirs:>9,.0f} images/s: {measured.yardstick}")
        print(f"  ratio  {measured.ratio:>9.2f} ({measured.lowest:.2f} to {measured.highest:.2f})")


def _bench_step(overrides: Sequence[str]) -> None:
    from senet_repro.config.composition import compose
    from senet_repro.core.matplotlib_folder import set_matplotlib_folder
    from senet_repro.tasks import find_task

    # Lightning, which is imported here, imports matplotlib.
    set_matplotlib_folder()
    run = compose(overrides)
    with SlowWork("loading torch and Lightning"):
        from senet_repro.training.bench import measure_step
    with SlowWork("timing steps of the bare loop and of a run"):
        cost = measure_step(run, find_task(run.task))
    print(f"bare loop  {cost.bare_ms:8.2f} ms per step")
    print(f"run        {cost.run_ms:8.2f} ms per step")
    print(f"ratio      {cost.ratio:8.3f}")
