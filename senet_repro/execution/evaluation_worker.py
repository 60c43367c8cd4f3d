"""One device's process of an evaluation (execution floor).

    python -m senet_repro.execution.evaluation_worker FOLDER

FOLDER holds what `execution.target.write_target` wrote, whose job is done.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from pathlib import Path

import torch

from senet_repro.core.errors import Stopped, exit_code_of
from senet_repro.core.loading import keep_for_good
from senet_repro.core.signals import convert_signals, ignore_signals
from senet_repro.core.streams import guard_streams
from senet_repro.data.order import Share
from senet_repro.execution.failure_report import report_failure
from senet_repro.execution.passes import find_job
from senet_repro.execution.target import read_target, write_keys
from senet_repro.training.devices import uses_gpu


def main() -> None:
    """Evaluate the target in the folder as the device that LOCAL_RANK names; exit codes as of `worker`."""
    keep_for_good()
    # Ctrl-C is for the process that started this one, which passes it on as SIGTERM.
    ignore_signals([signal.SIGINT])
    guard_streams()
    try:
        convert_signals()
        sys.exit(_evaluate_device(Path(sys.argv[1])))
    except Stopped as stopped:
        sys.exit(stopped.exit_code)


def _evaluate_device(work: Path) -> int:
    """Evaluate as one device, and return the exit code; a failure is reported in the folder."""
    rank, devices = int(os.environ["LOCAL_RANK"]), int(os.environ["LOCAL_WORLD_SIZE"])
    try:
        target = read_target(work)
        # Outcomes lie in the memory of the processes, on GPUs too.
        torch.distributed.init_process_group("gloo", rank=rank, world_size=devices)
        is_on_gpu = uses_gpu(target.run.trainer)
        device = torch.device("cuda", rank) if is_on_gpu else torch.device("cpu")
        if is_on_gpu:
            torch.cuda.set_device(device)
        keys = find_job(target.job)(target, device, Share(rank, devices))
        if rank == 0:
            write_keys(work, keys)
        torch.distributed.destroy_process_group()
    except Exception as error:
        report_failure(work, rank, error)
        # The message of what cannot be holds its mend; a traceback would only hide it.
        if exit_code_of(error) != 2:
            traceback.print_exc()
        return exit_code_of(error)
    return 0


if __name__ == "__main__":
    main()
