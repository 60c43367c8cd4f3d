"""Training as a list of steps: network, data, trainer, record (training floor)."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from lightning_fabric.plugins.environments import LightningEnvironment
from lightning_fabric.plugins.io.checkpoint_io import CheckpointIO
from pytorch_lightning.callbacks import Callback

from senet_repro.config.identity import (
    build_identity,
    protocol_key,
    run_key,
    run_name,
    split_identity,
)
from senet_repro.config.schema import Run
from senet_repro.core.errors import ConfigError
from senet_repro.core.signals import Deferral
from senet_repro.core.threads import cpu_threads
from senet_repro.models import count_macs, count_params, import_weights, network_of, read_weights
from senet_repro.results.epochs import read_epochs
from senet_repro.results.record import DEFAULT_TASK, Record, write_record
from senet_repro.results.run_folder import RunFolder
from senet_repro.tasks.classification.data_module import ImageData
from senet_repro.tasks.classification.module import Classification
from senet_repro.training.callbacks import EpochLog, SafePoints
from senet_repro.training.checkpoints import Checkpoints
from senet_repro.training.devices import uses_gpu
from senet_repro.training.memory import explained_memory
from senet_repro.training.surroundings import commit, hardware, trainer_settings, versions


def fit(
    run: Run,
    folder: Path,
    deferral: Deferral,
    gpus: Sequence[int] = (),
    overrides: Sequence[str] = (),
) -> None:
    """Train `run` in `folder`, from its last checkpoint if there is one, and leave its record there.

    With several devices this runs in each one's process; the first writes. A signal that `deferral` has noted ends the
    run at the next safe point. `gpus` says which of those that are visible one process takes,
    `overrides` are those of the command that trains this run alone.

    Raises:
        DataError: the data or the checkpoint is missing, of another form, or corrupt.
        Diverged: the loss was not finite.
        OutOfMemory: the batch did not fit.
        Stopped: a signal came; training left at a safe point.
    """
    commit()  # read now: the files may change while this process trains
    deferral.leave()
    with cpu_threads(run.trainer.threads), explained_memory(run):
        net = build_net(run)
        params, macs = count_params(net), count_macs(net, run.data.eval_px)
        data = ImageData(
            run.data,
            run.recipe.batch_size,
            run.seed,
            run.trainer.num_workers,
            run.recipe.cutout_px,
            Path(run.results_dir) / ".verified",
        )
        data.verify(deferral.leave)
        log = EpochLog(run, folder)
        checkpoints = Checkpoints(run, folder)
        trainer = make_trainer(run, [log, SafePoints(folder, deferral)], checkpoints, gpus)
        say = partial(print, file=sys.stderr) if trainer.is_global_zero else _unheard
        try:
            trainer.fit(
                Classification(net, run.recipe, run.seed),
                datamodule=data,
                ckpt_path=checkpoints.newest(say),
                weights_only=True,
            )
            if trainer.is_global_zero:
                record = _record(
                    run, folder, overrides, params=params, macs=macs, data=data, trainer=trainer
                )
                write_record(folder, record)
                log.mirror.copy_record(record)
        finally:
            log.mirror.close()
            data.teardown()  # Lightning forgets it where a run fails


def _unheard(_line: str) -> None:
    """Say nothing: another device's process says it."""


def build_net(run: Run) -> torch.nn.Module:
    """The run's network with the first weights of its seed or file, in the form that the trainer asks for."""
    torch.manual_seed(run.seed)
    net = network_of(run)
    if run.init.weights is not None and run.init.source is not None:
        try:
            import_weights(net, read_weights(Path(run.init.weights).expanduser()), run.init.source)
        except ConfigError as error:
            hint = "on the command line bias is se.bias, and options such as stride_on are model.options.stride_on"
            raise ConfigError(
                f"{error} ({hint})" if "create " in str(error) else str(error)
            ) from error
    if run.trainer.channels_last:
        net = net.to(memory_format=torch.channels_last)
    if run.trainer.compile:
        net.compile()  # in place: its state keeps the names of the plain network
    return net


def make_trainer(
    run: Run,
    callbacks: list[Callback],
    checkpoints: CheckpointIO | None = None,
    gpus: Sequence[int] = (),
) -> pl.Trainer:
    """Lightning's trainer for a run: quiet, without its own logger, bars, sampler changes or sanity steps.

    Raises:
        ConfigError: the devices do not offer what the run asks of them.
    """
    for library in ("pytorch_lightning", "lightning_fabric"):
        logging.getLogger(library).setLevel(logging.ERROR)
        warnings.filterwarnings("ignore", module=library)
    # Named, or Lightning would look for a cluster's environment and follow it.
    plugins: list[Any] = [LightningEnvironment(), *([checkpoints] if checkpoints else [])]
    several = run.trainer.devices * run.trainer.nodes > 1
    if several and run.trainer.sync_bn and not uses_gpu(run.trainer):
        raise ConfigError(
            "trainer.sync_bn=true: torch offers it on GPUs only; leave it out on the CPU"
        )
    return pl.Trainer(
        accelerator="gpu" if uses_gpu(run.trainer) else "cpu",
        devices=list(gpus) or run.trainer.devices,
        num_nodes=run.trainer.nodes,
        strategy="ddp" if several else "auto",
        sync_batchnorm=run.trainer.sync_bn,
        plugins=plugins,
        precision=run.trainer.precision,  # type: ignore[arg-type]
        accumulate_grad_batches=run.trainer.accumulate,
        max_epochs=run.recipe.epochs,
        callbacks=callbacks,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
        benchmark=torch.cuda.is_available(),
    )


def _record(
    run: Run,
    folder: Path,
    overrides: Sequence[str],
    *,
    params: int,
    macs: int,
    data: ImageData,
    trainer: pl.Trainer,
) -> Record:
    epochs = read_epochs(folder)
    if [epoch["epoch"] for epoch in epochs] != list(range(1, run.recipe.epochs + 1)):
        raise RuntimeError(
            f"{RunFolder(folder).epochs_file} does not hold epochs 1 to {run.recipe.epochs} once each"
        )
    axes, protocol = split_identity(build_identity(run))
    last = epochs[-1]
    best = min(epochs, key=lambda epoch: (epoch["top1_err_pct"], epoch["top5_err_pct"]))
    metrics: dict[str, Any] = {
        name: last[name] for name in last if name.endswith(("loss", "err_pct"))
    }
    train_s = sum(epoch["train_s"] for epoch in epochs)
    return Record(
        run_key=run_key(run),
        protocol_key=protocol_key(protocol, data.num_test),
        name=run_name(run),
        seed=run.seed,
        task=DEFAULT_TASK,
        axes=axes,
        protocol=protocol,
        overrides=list(overrides),
        config={**asdict(run), "table": run.table and run.table.name},
        trainer=trainer_settings(run),
        metrics={
            **metrics,
            **{f"best_{name}": best[name] for name in ("top1_err_pct", "top5_err_pct")},
        },
        eval_images=data.num_test,
        skipped=data.skipped,
        params=params,
        macs=macs,
        epochs=len(epochs),
        wall_s=round(sum(epoch["epoch_s"] for epoch in epochs), 3),
        images_per_s=round(sum(epoch["train_images"] for epoch in epochs) / train_s, 1),
        commit=commit().commit,
        dirty=commit().dirty,
        versions=versions(),
        hardware=hardware(trainer),
        finished_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
