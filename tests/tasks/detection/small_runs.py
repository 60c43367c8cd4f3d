"""Detection runs of seconds: a small set in COCO's layout, and a network that was trained for nothing."""

from __future__ import annotations

from pathlib import Path

from senet_repro.config.composition import compose
from senet_repro.config.schema import Run
from senet_repro.results.run_folder import RunFolder
from tests.coco_sets import make_coco
from tests.untrained_runs import make_run

MEAN, STD = "data.mean=[77.9,77.9,77.9]", "data.std=[95.9,95.9,95.9]"
"""Those of digits, which the trunk has seen."""


def list_words(folder: Path, *words: str) -> list[str]:
    """The command line of a run in `folder`, from whose trunk, of digits, the stem and stage 2 are kept."""
    root = folder / "set"
    if not root.exists():
        make_coco(root)
    trunk = folder / "trunks"
    if not trunk.exists():
        RunFolder(make_run(trunk)).record_file.touch()
    (seed_folder,) = trunk.glob("*/seed0")
    return [
        "+experiment=coco",
        "protocol=shapes",
        "data=coco",
        f"data.root={root}",
        "data.classes=3",
        "data.train_px=48",
        "data.eval_px=48",
        "data.most_px=64",
        MEAN,
        STD,
        "se.bias=false",
        f"init.weights={seed_folder}",
        "detection.freeze_at=2",
        "detection.batch_norm=frozen",
        "detection.train_proposals=20",
        "detection.eval_proposals=20",
        "recipe.batch_size=2",
        "recipe.epochs=2",
        "recipe.lr=0.005",
        "trainer=cpu",
        "trainer.precision=32-true",
        "trainer.compile=false",
        "trainer.threads=1",
        "trainer.num_workers=0",
        f"results_dir={folder / 'runs'}",
        *words,
    ]


def small_run(folder: Path, *words: str) -> Run:
    """The run of `list_words`."""
    return compose(list_words(folder, *words))
