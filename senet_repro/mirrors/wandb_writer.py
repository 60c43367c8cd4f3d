"""Write runs with the library of W&B: `python -m senet_repro.mirrors.wandb_writer < runs.pickle` (mirrors floor).

Only this file and `wandb_account` import wandb, each in a process of its own.
"""

from __future__ import annotations

import io
import os
import pickle
import shutil
import sys
from pathlib import Path
from typing import Any

from senet_repro.core.files import write_text
from senet_repro.mirrors.wandb_data import WandbRun
from senet_repro.mirrors.wandb_files import FINGERPRINT_FILE

_FOLDER_VARIABLES = (
    "WANDB_CACHE_DIR",
    "WANDB_DATA_DIR",
    "WANDB_CONFIG_DIR",
    "WANDB_ARTIFACT_DIR",
)
_FILES_OF_A_RUN = ("*run-*", "wandb/logs/*", "artifacts/staging/*")


def main() -> None:
    """Write the runs that come through standard input."""
    for run in pickle.load(sys.stdin.buffer):
        replace_files(run)


def replace_files(run: WandbRun) -> None:
    """Write the files of a run, then remove those of the time before.

    In this order one whole copy is there at any moment. The fingerprint comes last: without it the next command writes
    the run anew, and removes what a killed process left.
    """
    home = run.folder / "wandb"
    home.mkdir(parents=True, exist_ok=True)
    earlier = [path for pattern in _FILES_OF_A_RUN for path in home.glob(pattern)]
    write_files(run, home)
    for path in earlier:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    write_text(home / FINGERPRINT_FILE, run.fingerprint)


def write_files(run: WandbRun, home: Path) -> None:
    """Write the files of a run with wandb.init, log and finish."""
    # Otherwise W&B fills the home directory; it reads these variables each time.
    for variable in _FOLDER_VARIABLES:
        os.environ[variable] = str(home.resolve())
    import wandb

    copy = wandb.init(
        mode="offline",
        dir=run.folder,
        project=run.project,
        id=run.run_id,
        name=run.name,
        group=run.group,
        job_type=run.job_type,
        notes=run.notes,
        config=run.config,
        settings=wandb.Settings(
            console="off",
            silent=True,
            disable_git=True,
            # This process is not the one that trained: its load and its packages say nothing.
            x_disable_stats=True,
            x_save_requirements=False,
        ),
    )
    exit_code = 1
    try:
        log_content(copy, run)
        exit_code = 0 if run.is_finished else 1
    finally:
        copy.finish(exit_code=exit_code)


def log_content(copy: Any, run: WandbRun) -> None:
    """Log the epochs, tables, charts and summary of a run."""
    # W&B's own step begins anew in each copy; the epoch is the same in all of them.
    copy.define_metric("*", step_metric="epoch")
    for epoch in run.history:
        # Where an evaluation overflowed a chart has no point.
        copy.log({name: value for name, value in epoch.items() if value is not None})
    media = build_media(run)
    if media:
        copy.log(media)
    copy.summary.update(run.summary)


def build_media(run: WandbRun) -> dict[str, Any]:
    """Return the tables, the bar chart and the images of a run as W&B's own objects."""
    import wandb
    from PIL import Image

    media = {name: build_table(rows) for name, rows in run.tables.items()}
    if run.bars:
        label, value = run.bars[0]
        media["bars"] = wandb.plot.bar(build_table(run.bars), label, value, title=run.name)
    for name, image in run.images.items():
        picture = Image.open(io.BytesIO(image.png))
        media[name] = wandb.Image(picture, caption=image.caption)
    return media


def build_table(rows: list[dict[str, Any]]) -> Any:
    """Return rows, which have equal columns, as a table of W&B."""
    import wandb

    return wandb.Table(columns=list(rows[0]), data=[list(row.values()) for row in rows])


if __name__ == "__main__":
    main()
