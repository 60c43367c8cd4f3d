"""How much memory a training will take on its device, estimated before it begins (training floor).

A forward pass of two images on the CPU tells what autograd keeps of each image until its gradient is there. What torch
and its libraries take beside that, such as workspaces of convolutions, is a share and a constant on top. Both are
chosen so that estimates are 1.0 to 1.25 of what was measured on the CPU, for ResNet-29 with and without SE in batches
of 128 and ResNet-50 in batches of 8, each in float32 and bf16. On a GPU nothing was measured.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from senet_repro.config.schema import DETECTION, Data, Run
from senet_repro.data.batches import choose_eval_batch
from senet_repro.models import count_params, network_key, network_of
from senet_repro.training.devices import uses_gpu
from senet_repro.training.speed import decide_graph

# Batch normalisation refuses a single image at a map of one pixel.
PROBE_IMAGES = 2
FLOAT_BYTES = 4
# Of a weight's copy in 16 bits, which mixed precision keeps within a step.
CAST_BYTES = 2
# Weights, their gradients, their momenta, and a copy that the optimizer makes of the gradients.
COPIES_OF_WEIGHTS = 4
# Without gradients: the input of a unit, the output of its branch, that output scaled by its gate, and their sum.
LIVE_MAPS = 4
# On top of the largest maps that are kept, while gradients flow back: those of an output and of an input.
GRADIENT_MAPS = 2
SPARE_SHARE = 1.15
WORKSPACE_BYTES = 150_000_000


@dataclass(frozen=True)
class NetworkMemory:
    """The bytes that a network keeps, by itself and of each image that it is trained with."""

    weights: int  # all copies of them that a step needs
    activations: int  # of an image, kept for its gradient
    largest_map: int  # of an image


def estimate_memory(run: Run) -> int | None:
    """Return the bytes that a training takes on its device at most; None if its network takes no such images.

    None is returned for detection, too, whose pictures differ in size and whose largest ones take minutes to measure.
    """
    if run.task == DETECTION:
        return None
    network = _measure_network(_Network(_identify_network(run), run))
    if network is None:
        return None
    images = _count_images_at_a_time(run)
    per_image = network.activations + GRADIENT_MAPS * network.largest_map
    training = images * per_image
    is_on_gpu = uses_gpu(run.trainer)
    evaluation = _count_eval_images(run, is_on_gpu) * LIVE_MAPS * network.largest_map
    batches = _count_batch_bytes(run.data, images)
    passes = max(training, evaluation)
    if decide_graph(run, is_on_gpu):
        # A graph keeps its memory to itself, also while a network is evaluated.
        passes = training + evaluation
    computed = network.weights + passes + batches
    return int(SPARE_SHARE * computed) + WORKSPACE_BYTES + _count_set_bytes(run.data)


def _count_images_at_a_time(run: Run) -> int:
    """Return how many images a device takes through the network at a time in training."""
    parts = run.trainer.devices * run.trainer.nodes * run.trainer.accumulate
    return -(-run.recipe.batch_size // parts)


def _count_eval_images(run: Run, is_on_gpu: bool) -> int:
    """Return how many images a device takes through the network at a time in evaluation."""
    data, trainer = run.data, run.trainer
    if data.kind != "memory":
        return run.recipe.batch_size // (trainer.devices * trainer.nodes)
    device = torch.device("cuda" if is_on_gpu else "cpu")
    most = choose_eval_batch(data.eval_px, device, trainer.accumulate)
    return min(most, data.eval_images)


def _count_batch_bytes(data: Data, images: int) -> int:
    """Return the bytes of a batch as bytes and as floats, of which the next one is fetched meanwhile."""
    pixels = images * 3 * data.train_px**2
    return 2 * pixels * (1 + FLOAT_BYTES)


def _count_set_bytes(data: Data) -> int:
    """Return the bytes of a set that is kept in memory: its pictures, the canvas of crops, the normalised test set."""
    if data.kind != "memory":
        return 0
    pictures = 3 * data.train_px**2 * (data.train_images + data.eval_images)
    copies = 2 if data.flip else 1
    canvas = copies * 3 * (data.train_px + data.pad_px) ** 2 * data.train_images
    test_set = FLOAT_BYTES * 3 * data.eval_px**2 * data.eval_images
    return pictures + canvas + test_set


def _identify_network(run: Run) -> tuple[str, int, str]:
    """Return what runs share whose networks keep the same of an image."""
    return network_key(run), run.data.train_px, run.trainer.precision


@dataclass(frozen=True)
class _Network:
    """The network of a run, equal to the others of its key."""

    key: tuple[str, int, str]
    run: Run = field(compare=False)


@lru_cache(maxsize=64)
def _measure_network(network: _Network) -> NetworkMemory | None:
    """Return what a network keeps, measured once in a process; None if it takes no images of their size."""
    run = network.run
    net = network_of(run).train()
    kept = _KeptTensors(net)
    images = torch.zeros(PROBE_IMAGES, 3, run.data.train_px, run.data.train_px)
    labels = torch.zeros(PROBE_IMAGES, dtype=torch.int64)
    is_mixed = run.trainer.precision != "32-true"
    try:
        with (
            torch.autocast("cpu", dtype=torch.bfloat16, enabled=is_mixed),
            torch.autograd.graph.saved_tensors_hooks(kept.keep_tensor, lambda kept: kept),
        ):
            F.cross_entropy(net(images), labels)
    except RuntimeError:
        return None
    bytes_per_weight = COPIES_OF_WEIGHTS * FLOAT_BYTES
    if is_mixed:
        bytes_per_weight += CAST_BYTES
    return NetworkMemory(
        weights=count_params(net) * bytes_per_weight,
        activations=kept.total_bytes // PROBE_IMAGES,
        largest_map=kept.largest_bytes // PROBE_IMAGES,
    )


class _KeptTensors:
    """Counts the tensors that autograd keeps, each block of memory once, and no weights or casts of them."""

    def __init__(self, net: nn.Module) -> None:
        self._weight_shapes = {parameter.shape for parameter in net.parameters()}
        self._blocks: dict[int, Tensor] = {}

    def keep_tensor(self, tensor: Tensor) -> Tensor:
        """Note a tensor that autograd keeps, and return it."""
        if tensor.shape not in self._weight_shapes:
            # The tensor is held, so that no other one is given its address.
            self._blocks[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    @property
    def total_bytes(self) -> int:
        """Return the bytes of all blocks."""
        return sum(self._sizes)

    @property
    def largest_bytes(self) -> int:
        """Return the bytes of the largest block."""
        return max(self._sizes, default=0)

    @property
    def _sizes(self) -> list[int]:
        return [tensor.untyped_storage().nbytes() for tensor in self._blocks.values()]
