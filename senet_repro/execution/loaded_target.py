"""The network and the images of a target, as a pass over them needs them (execution floor; torch)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from senet_repro.config.evaluation import CropRule
from senet_repro.config.schema import Run
from senet_repro.core.cores import count_workers
from senet_repro.core.errors import ConfigError
from senet_repro.core.slow_work import SlowWork
from senet_repro.core.threads import cpu_threads
from senet_repro.data.order import Share
from senet_repro.data.set_cache import find_cache_folder
from senet_repro.execution.target import Target, set_devices
from senet_repro.models.layers import Classifier
from senet_repro.tasks.classification.evaluation import (
    EvalBatch,
    EvalImages,
    Preprocessing,
    check_sizes,
    choose_precision,
    iterate_batches,
    load_eval_images,
)
from senet_repro.training.bf16 import ease_bf16
from senet_repro.training.fit import build_network
from senet_repro.training.numerics import set_numerics
from senet_repro.training.reasons import explain_failure
from senet_repro.training.trained_network import load_weights

_VERIFIED = ".verified"


@dataclass(frozen=True, kw_only=True)
class LoadedTarget:
    """A network with given weights and the images it is asked about, as one of the processes sees them."""

    run: Run
    net: Classifier  # on the device, in evaluation mode
    images: EvalImages
    preprocessing: Preprocessing
    device: torch.device
    share: Share

    @property
    def is_first(self) -> bool:
        """Return whether this process is the one that writes."""
        return self.share.rank == 0

    def iterate_batches(self, rule: CropRule) -> Iterator[EvalBatch]:
        """Yield the batches of this process, of one pass over the images."""
        return iterate_batches(
            self.images,
            self.run,
            rule,
            self.preprocessing,
            device=self.device,
            share=self.share,
        )

    def count_seen(self, own: int) -> int:
        """Return about how many images all processes have seen where this one has seen `own`."""
        return min(own * self.share.world_size, len(self.images))

    def choose_precision(self) -> AbstractContextManager[object]:
        """Return the context in which the network computes as in its training."""
        return choose_precision(self.run.trainer.precision, self.device)

    @contextmanager
    def prepare_pass(self) -> Iterator[None]:
        """Give the block the threads and the arithmetic of the run, and its errors words that name the mend."""
        with ExitStack() as stack:
            stack.enter_context(cpu_threads(self.run.trainer.threads))
            stack.enter_context(set_numerics(self.run, self.device.type == "cuda"))
            stack.enter_context(explain_failure(set_devices(self.run, 1)))
            yield


def load_target(target: Target, device: torch.device, share: Share) -> LoadedTarget:
    """Return the network of a target on a device, with its images; its folder is made.

    Raises:
        ConfigError: the weights or the data are not what the target needs, or its folder cannot be written to.
    """
    check_sizes(target.run, target.rules)
    net = _load_network(target).to(device)
    images = _load_images(target)
    _make_folder(target.folder)
    preprocessing = Preprocessing(
        mean=target.run.data.mean,
        std=target.run.data.std,
        interpolation=target.interpolation,
        antialias=target.antialias,
    )
    return LoadedTarget(
        run=target.run,
        net=net,
        images=images,
        preprocessing=preprocessing,
        device=device,
        share=share,
    )


def _load_images(target: Target) -> EvalImages:
    """Return the evaluation images of a target."""
    run = target.run
    with SlowWork("looking at the evaluation images"):
        return load_eval_images(
            run.data,
            target.fingerprint,
            count_workers(run.trainer.num_workers, run.trainer.devices),
            Path(run.results_dir) / _VERIFIED,
            find_cache_folder(run.results_dir),
        )


def _make_folder(folder: Path) -> None:
    """Make the folder of what is found, before hours are spent on what could not be written there.

    Raises:
        ConfigError: this user may not write to it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ConfigError(
            f"{folder} cannot be written to: give yourself the right, or results_dir=DIR"
        )


def _load_network(target: Target) -> Classifier:
    """Return the network with its weights, in evaluation mode and laid out as the trainer asks for."""
    if target.checkpoint is None:
        return build_network(target.run).eval()
    net = load_weights(target.run, target.checkpoint)
    ease_bf16(target.run, net)
    if target.run.trainer.channels_last:
        net = net.to(memory_format=torch.channels_last)
    return net
