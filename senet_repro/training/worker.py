"""A run's own process: `python -m senet_repro.training.worker FOLDER`, once per device (training floor)."""

from __future__ import annotations

import sys
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from senet_repro.config.canonical import run_key
from senet_repro.config.composition import run_from
from senet_repro.config.schema import ConfigError
from senet_repro.results.store import write_status
from senet_repro.training.fit import fit


def main() -> None:
    """Train the run whose config.yaml lies in the folder; a failure is left in its status.json.

    The exit code is 2 for a run that cannot be, and 1 for one that failed.
    """
    folder = Path(sys.argv[1])
    config = OmegaConf.load(folder / "config.yaml")
    assert isinstance(config, DictConfig)
    run = run_from(config)
    try:
        fit(run, folder)
    except Exception as error:
        write_status(folder, run_key=run_key(run), seed=run.seed, state="failed", reason=str(error))
        if isinstance(error, ConfigError):
            sys.exit(2)
        raise


if __name__ == "__main__":
    main()
