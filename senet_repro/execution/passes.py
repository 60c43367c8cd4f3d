"""Start the passes over evaluation images that a target asks for, on one device or several (execution floor)."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from senet_repro.core.choice import require_choice
from senet_repro.core.errors import RunFailed
from senet_repro.core.loading import loading_for_good
from senet_repro.core.signals import Deferral
from senet_repro.execution.nodes import Meeting, find_free_port
from senet_repro.execution.processes import train_in_processes
from senet_repro.execution.target import Target, read_keys, write_target
from senet_repro.training.devices import list_visible_gpus, reserve_gpus

if TYPE_CHECKING:
    import torch

    from senet_repro.data.order import Share

    MakePasses = Callable[[Target, torch.device, Share], list[str]]

WORKER = "senet_repro.execution.evaluation_worker"

JOBS = {
    "evaluation": ("senet_repro.execution.evaluation", "evaluate_passes"),
    "excitation": ("senet_repro.execution.excitation", "read_gates"),
    "importance": ("senet_repro.execution.importance", "score_masks"),
}
"""The jobs on given weights: the module and the function that does it, as one of the processes."""


def find_job(name: str) -> MakePasses:
    """Return the function that does a job: it makes its passes as one of the processes, and returns their keys.

    Raises:
        ConfigError: there is no such job.
    """
    require_choice("job", name, JOBS)
    module, function = JOBS[name]
    make_passes: MakePasses = getattr(import_module(module), function)
    return make_passes


def make_passes(target: Target) -> list[str]:
    """Do the job of a target, on as many devices as its run has, and return the keys of its passes.

    Raises:
        ConfigError: the weights, the data or the devices are not what the target needs.
        RunFailed: memory ran out, or a process died.
        OSError: the folder cannot be written to.
    """
    is_alone = target.run.trainer.devices == 1
    return _pass_here(target) if is_alone else _pass_in_processes(target)


def _pass_here(target: Target) -> list[str]:
    with loading_for_good("torch and Lightning"):
        import torch

        from senet_repro.data.order import Share

        import_module("senet_repro.training.fit")
    with reserve_gpus(target.run.trainer) as gpus:
        index = list_visible_gpus().index(gpus[0]) if gpus else 0
        device = torch.device("cpu")
        if gpus:
            device = torch.device("cuda", index)
            # Or the threads that pin batches would take memory of the first GPU, which may be another job's.
            torch.cuda.set_device(device)
        return find_job(target.job)(target, device, Share())


def _pass_in_processes(target: Target) -> list[str]:
    """Make the passes with one process per device; their logs stay where one of them fails."""
    work = Path(tempfile.mkdtemp(prefix="senet_repro-evaluate-"))
    write_target(work, target)
    deferral = Deferral()
    has_failed = False
    try:
        with deferral:
            meeting = Meeting(port=find_free_port())
            train_in_processes(target.run, work, meeting, None, None, deferral, WORKER)
        return read_keys(work)
    except RunFailed:
        has_failed = True
        raise
    finally:
        if not has_failed:
            shutil.rmtree(work, ignore_errors=True)
        deferral.deliver_signal()
