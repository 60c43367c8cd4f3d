"""One device's process of a run: `python -m senet_repro.execution.worker FOLDER` (training floor)."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from senet_repro.config.composition import run_from
from senet_repro.core.errors import Stopped, exit_code_of
from senet_repro.core.signals import Deferral
from senet_repro.execution.failure_report import report_failure
from senet_repro.results.run_folder import RunFolder
from senet_repro.tasks import find_task
from senet_repro.training.fit import fit


def main() -> None:
    """Train the run whose config.yaml lies in the folder, as the device that LOCAL_RANK and NODE_RANK say.

    The exit code is 2 for a run that cannot be, 1 for one that failed, and 128 + signal for one that was stopped.
    """
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C is for the process that started this one, which passes it on
    signal.signal(signal.SIGTERM, lambda signum, _: sys.exit(128 + signum))
    folder = Path(sys.argv[1])
    config = OmegaConf.load(RunFolder(folder).settings_file)
    assert isinstance(config, DictConfig)
    device = int(os.environ["NODE_RANK"]) * config.trainer.devices + int(os.environ["LOCAL_RANK"])
    try:
        with Deferral() as deferral:
            run = run_from(config)
            fit(run, find_task(run.task), folder, deferral)
    except Stopped as stopped:
        sys.exit(stopped.exit_code)
    except Exception as error:
        report_failure(folder, device, error)
        if exit_code_of(error) != 2:  # what cannot be has its mend in a line
            traceback.print_exc()
        sys.exit(exit_code_of(error))


if __name__ == "__main__":
    main()
