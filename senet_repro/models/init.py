"""Initial weights that two networks of one seed share wherever both have the layer (models floor)."""

from __future__ import annotations

import hashlib
import math

import torch
from torch import Tensor, nn


@torch.no_grad()
def initialise_weights(net: nn.Module, seed: int) -> None:
    """Set the weights of every convolution and linear layer as in He et al. 2015 (section 5.1), in place.

    Weights are normal with variance 2 / fan-in; biases are 0; batch normalisation has scale 1 and shift 0.
    A layer's values depend on the seed, its name and its shape alone. So networks with and without SE agree
    in all layers they share, which pairs their comparison by seed, and all devices start from equal values.
    A network on the meta device has no values to set.
    """
    if any(p.is_meta for p in net.parameters()):
        return
    for name, module in net.named_modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            _draw_weight(module.weight, _layer_seed(seed, name))
            if module.bias is not None:
                module.bias.zero_()
        elif isinstance(module, nn.BatchNorm2d):
            module.reset_parameters()


def _draw_weight(weight: Tensor, seed: int) -> None:
    """Draw on the CPU, whatever device the network is on: its generator gives the same numbers everywhere."""
    # The inputs of one output: channels of its group times kernel positions.
    fan_in = weight[0].numel()
    std = math.sqrt(2 / fan_in)
    generator = torch.Generator("cpu").manual_seed(seed)
    drawn = torch.empty(weight.shape, device="cpu")
    drawn.normal_(0, std, generator=generator)
    weight.copy_(drawn)


def _layer_seed(seed: int, name: str) -> int:
    # Python's own hash() differs from one process to the next.
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    # Seven bytes fit the signed 64 bits of a generator's seed.
    return int.from_bytes(digest[:7])
