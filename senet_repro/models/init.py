"""Initial weights that two networks of one seed share wherever both have the layer (models floor)."""

from __future__ import annotations

import hashlib
import math

import torch
from torch import nn


@torch.no_grad()
def initialise(net: nn.Module, seed: int) -> None:
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
            weight = module.weight
            std = math.sqrt(2 / weight[0].numel())
            generator = torch.Generator("cpu").manual_seed(_layer_seed(seed, name))
            weight.copy_(
                torch.empty(weight.shape, device="cpu").normal_(0, std, generator=generator)
            )
            if module.bias is not None:
                module.bias.zero_()
        elif isinstance(module, nn.BatchNorm2d):
            module.reset_parameters()


def _layer_seed(seed: int, name: str) -> int:
    # Python's own hash() differs from one process to the next.
    return int.from_bytes(hashlib.sha256(f"{seed}/{name}".encode()).digest()[:7])
