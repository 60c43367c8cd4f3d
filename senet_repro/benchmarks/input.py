"""Images per second and core: ours against the usual pipeline of one image at a time (benchmarks floor)."""

from __future__ import annotations

from senet_repro.benchmarks.measurement import Measurement
from senet_repro.benchmarks.options import BenchOptions
from senet_repro.data import bench

QUICK_IMAGES = 1_000


def measure_input(options: BenchOptions) -> list[Measurement]:
    """Time both pipelines on random images of CIFAR's shape, in turn."""
    if options.is_quick:
        images = bench.random_images(QUICK_IMAGES)
        speed = bench.measure_input(images, rounds=1, per_image_steps=2)
    else:
        speed = bench.measure_input()
    return [
        Measurement(
            what="input, CIFAR size, in batches, in memory",
            yardstick="PIL and torchvision, one image at a time",
            unit="images/s",
            ours=speed.batched_per_s,
            theirs=speed.per_image_per_s,
            ratio=speed.speedup,
            # The rounds are not told apart there.
            lowest=speed.speedup,
            highest=speed.speedup,
            rounds=1,
            goal=10,
            is_more_better=True,
        )
    ]
