"""`python -m senet_repro bench`: two ratios that this project claims, measured side by side on this machine."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from senet_repro.config.composition import compose
from senet_repro.core.matplotlib_folder import set_matplotlib_folder


def main(arguments: Sequence[str]) -> int:
    """Print the input pipeline's or the training step's cost beside its yardstick."""
    parser = argparse.ArgumentParser(
        prog="python -m senet_repro bench", description="Ratios measured side by side."
    )
    parser.add_argument(
        "what", choices=("input", "step"), help="images per second and core, or a step's overhead"
    )
    parser.add_argument(
        "overrides", nargs="*", help="step: the run to measure, such as model=resnet29"
    )
    options = parser.parse_args(arguments)
    if options.what == "input":
        from senet_repro.data.bench import measure_input

        speed = measure_input()
        print(f"per image, PIL + torchvision  {speed.per_image_per_s:>9,.0f} images/s on one core")
        print(f"in batches, in memory         {speed.batched_per_s:>9,.0f} images/s on one core")
        print(f"ratio                         {speed.speedup:>9.1f}")
    else:
        # Lightning, which is imported here, imports matplotlib.
        set_matplotlib_folder()
        from senet_repro.tasks import find_task
        from senet_repro.training.bench import measure_step

        run = compose(options.overrides)
        cost = measure_step(run, find_task(run.task))
        print(f"bare loop  {cost.bare_ms:8.2f} ms per step")
        print(f"run        {cost.run_ms:8.2f} ms per step")
        print(f"ratio      {cost.ratio:8.3f}")
    return 0
