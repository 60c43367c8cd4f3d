"""Training as a list of steps: network, data, trainer, record (training floor)."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from lightning_fabric.plugins.environments import LightningEnvironment
from lightning_fabric.plugins.io.checkpoint_io import CheckpointIO
from pytorch_lightning.callbacks import Callback

from senet_repro.config.schema import Run
from senet_repro.core.checkout import read_commit
from senet_repro.core.signals import Deferral
from senet_repro.core.threads import cpu_threads
from senet_repro.models import count_run
from senet_repro.models.layers import Classifier
from senet_repro.results.record import write_record
from senet_repro.results.run_folder import RunFolder
from senet_repro.training.bf16 import ease_bf16
from senet_repro.training.callbacks import EpochLog, SafePoints
from senet_repro.training.checkpoints import Checkpoints
from senet_repro.training.compilation import CompileReport, compile_network, keep_compiled_code
from senet_repro.training.devices import uses_gpu
from senet_repro.training.first_weights import build_trunk
from senet_repro.training.graph import GraphStrategy
from senet_repro.training.numerics import set_numerics
from senet_repro.training.reasons import explain_failure
from senet_repro.training.run_record import NetworkSize, build_record
from senet_repro.training.speed import decide_compile, decide_graph, find_faster_trainer
from senet_repro.training.task import Task
from senet_repro.training.task_module import TaskModule


def fit(
    run: Run,
    task: Task,
    folder: Path,
    deferral: Deferral,
    gpus: Sequence[int] = (),
    overrides: Sequence[str] | None = None,
    plan: Mapping[str, Any] | None = None,
) -> None:
    """Train `run` in `folder`, from its last checkpoint if there is one, and leave its record there.

    With several devices this runs in each one's process; the first writes. A signal that `deferral` has noted ends the
    run at the next safe point. `task` is the one that `run.task` names, `gpus` are the visible GPUs that this process
    takes, by index, and `overrides` are those of the command that trains this run alone,
    None where no command line does. `plan` is the one that the run is trained under, as its record keeps it.

    Raises:
        DataError: the data or the checkpoint is missing, of another form, or corrupt.
        Diverged: the loss was not finite.
        OutOfMemory: the batch did not fit.
        Stopped: a signal came; training left at a safe point.
    """
    # Read now: the files of the checkout may change while this process trains.
    read_commit()
    _say_once(find_faster_trainer(run, uses_gpu(run.trainer)))
    deferral.stop_if_signalled()
    run_folder = RunFolder(folder)
    with prepare_process(run), explain_failure(run):
        net = build_network(run)
        module = build_module(run, task, net)
        size = NetworkSize(*count_run(run))
        reports = _compile_if_asked(run, net)

        data = task.build_data(run)
        # Before devices meet, since it may take longer than they wait for each other.
        deferral.begin_wait()
        data.verify(deferral.stop_if_signalled)
        deferral.end_wait()

        log = EpochLog(run, task, run_folder)
        checkpoints = Checkpoints(run, run_folder)
        safe_points = SafePoints(run_folder, deferral, run.trainer.checkpoint_s)
        callbacks = [*reports, log, safe_points]
        trainer = build_trainer(run, callbacks, checkpoints, gpus)
        report = partial(print, file=sys.stderr) if trainer.is_global_zero else _drop_line
        try:
            trainer.fit(
                module,
                datamodule=data,
                ckpt_path=checkpoints.find_newest(report),
                weights_only=True,
            )
            if trainer.is_global_zero:
                record = build_record(run, task, run_folder, overrides, size, data, trainer, plan)
                log.copy_record(record)
                write_record(folder, record)
        finally:
            log.close_mirror()
            # Lightning forgets it where a run fails.
            data.teardown("fit")


@contextmanager
def prepare_process(run: Run) -> Iterator[None]:
    """Let this process have the threads, the numerics and the compiled code of a run, and its own ones afterwards."""
    is_on_gpu = uses_gpu(run.trainer)
    with ExitStack() as settings:
        settings.enter_context(cpu_threads(run.trainer.threads))
        settings.enter_context(set_numerics(run, is_on_gpu))
        if decide_compile(run, is_on_gpu):
            settings.enter_context(keep_compiled_code(Path(run.results_dir)))
        yield


@cache
def _say_once(line: str | None) -> None:
    """Print a line on standard error, in a process that trains many runs only the first time."""
    if line is not None:
        print(line, file=sys.stderr)


def _compile_if_asked(run: Run, net: torch.nn.Module) -> list[Callback]:
    """Let the network be compiled where the trainer asks for it, and return what reports on that."""
    if not decide_compile(run, uses_gpu(run.trainer)):
        return []
    forward = compile_network(net, may_fall_back=run.trainer.compile == "auto")
    return [CompileReport(forward)]


def _drop_line(_line: str) -> None:
    """Print nothing: the process of the first device prints the line."""


def build_network(run: Run) -> Classifier:
    """Return the run's network with the first weights of its seed or file, laid out as the trainer asks for."""
    net = build_trunk(run)
    ease_bf16(run, net)
    return net


def build_module(run: Run, task: Task, net: torch.nn.Module) -> TaskModule:
    """Return the task's module for a network.

    Raises:
        ValueError: the module does not measure a metric that its task names.
    """
    module = task.build_module(run, net)
    # A detector has layers beside its network's.
    ease_bf16(run, module)
    # Found out now, and not when the first epoch has been trained.
    for metric in task.metrics:
        if metric.name not in module.measured_metrics:
            raise ValueError(
                f"the module of {task.name} does not measure {metric.name}: give TaskModule a metric of that name"
            )
    return module


def build_trainer(
    run: Run,
    callbacks: list[Callback],
    checkpoints: CheckpointIO | None = None,
    gpus: Sequence[int] = (),
) -> pl.Trainer:
    """Return Lightning's trainer for a run: quiet, without its own logger, bars, sampler changes or sanity steps.

    Raises:
        ConfigError: the devices do not offer what the run asks of them.
    """
    for library in ("pytorch_lightning", "lightning_fabric"):
        logging.getLogger(library).setLevel(logging.ERROR)
        warnings.filterwarnings("ignore", module=library)
    has_several = run.trainer.devices * run.trainer.nodes > 1
    is_on_gpu = uses_gpu(run.trainer)
    strategy: str | GraphStrategy = "ddp" if has_several else "auto"
    if decide_graph(run, is_on_gpu):
        gpu = gpus[0] if gpus else 0
        strategy = GraphStrategy(torch.device("cuda", gpu) if is_on_gpu else torch.device("cpu"))
    # Named, or Lightning would look for a cluster's environment and follow it.
    plugins: list[Any] = [LightningEnvironment()]
    if checkpoints:
        plugins.append(checkpoints)
    return pl.Trainer(
        accelerator="gpu" if is_on_gpu else "cpu",
        devices=list(gpus) or run.trainer.devices,
        num_nodes=run.trainer.nodes,
        strategy=strategy,
        sync_batchnorm=run.trainer.sync_bn,
        plugins=plugins,
        precision=run.trainer.precision,  # type: ignore[arg-type]
        accumulate_grad_batches=run.trainer.accumulate,
        max_epochs=run.recipe.epochs,
        callbacks=callbacks,
        # Everything that these would do has its own place here: EpochLog, SafePoints, Checkpoints.
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        # The data give every process its own share already.
        use_distributed_sampler=False,
    )
