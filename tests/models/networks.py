"""What the tests of several networks do to one."""

from __future__ import annotations

import torch
from torch import nn


@torch.no_grad()
def randomise_statistics(net: nn.Module) -> None:
    """Give every BN a mean, variance, scale and shift of its own, so that none can be left out unseen."""
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.uniform_(-0.2, 0.2)
            module.running_var.uniform_(0.5, 1.5)
            module.weight.uniform_(0.5, 1.5)
            module.bias.uniform_(-0.2, 0.2)
