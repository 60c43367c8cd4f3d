"""Channels cut out of a network: those that SE blocks gate within a branch, with all that makes and reads them.

At placement=conv3x3 a block gates channels that one convolution makes and one reads. With a channel go its filter, its
BN, its column of fc1 and row of fc2, and its place in the next convolution. At other placements channels are tied to
those of other units by the sum, and can only be masked (masking.py). (models floor)
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from senet_repro.core.errors import ConfigError
from senet_repro.models.gates import find_se_blocks
from senet_repro.models.layers import Classifier
from senet_repro.models.residual import ResidualUnit
from senet_repro.models.se import SEBlock

# Layers through which a channel passes alone.
_CHANNELWISE = (nn.BatchNorm2d, nn.ReLU, nn.Identity)


@dataclass(frozen=True)
class Maker:
    """The layers that make the channels of a block: a convolution, and BN if any follows it."""

    conv: nn.Conv2d
    bn: nn.BatchNorm2d | None


def find_makers(net: Classifier) -> dict[str, Maker | None]:
    """Return by name of the block what makes its channels; None where that is more than one convolution."""
    return {name: _find_maker(_list_before(net, block)) for name, block in _list_blocks(net)}


def check_cuttable(net: Classifier) -> None:
    """Accept a network whose gated channels can be cut.

    Raises:
        ConfigError: they are tied to others; the message says by what.
    """
    for name, block in _list_blocks(net):
        _find_group(net, name, block)


def cut_channels(net: Classifier, dropped: Mapping[str, Tensor]) -> Classifier:
    """Return a copy of a network without channels: `dropped` holds by block a boolean (C,), true for those that go.

    It gives the logits of the network in which they are masked. At least one channel of each block has to stay.

    Raises:
        ConfigError: as `check_cuttable`.
    """
    smaller = copy.deepcopy(net)
    for name, block in find_se_blocks(smaller).items():
        if name not in dropped:
            continue
        kept = (~dropped[name]).nonzero()[:, 0]
        maker, reader = _find_group(smaller, name, block)
        _keep_outputs(maker.conv, kept)
        if maker.bn is not None:
            _keep_statistics(maker.bn, kept)
        _keep_inputs(block.fc1, kept)
        _keep_outputs(block.fc2, kept)
        _keep_inputs(reader, kept)
    return smaller


def _list_blocks(net: Classifier) -> list[tuple[str, SEBlock]]:
    return list(find_se_blocks(net).items())


def _find_parent(net: nn.Module, block: SEBlock) -> nn.Module:
    return next(module for module in net.modules() if block in module.children())


def _list_before(net: nn.Module, block: SEBlock) -> list[nn.Module]:
    """Return the layers whose output a block gates, in their order; none where it gates a sum or an input."""
    parent = _find_parent(net, block)
    if isinstance(parent, ResidualUnit):
        if block is parent.standard:
            return list(_flatten(parent.branch))
        return list(_flatten(parent.shortcut)) if block is parent.identity else []
    layers = list(_flatten(parent))
    return layers[: layers.index(block)] if block in layers else []


def _flatten(module: nn.Module) -> Iterator[nn.Module]:
    """Yield the layers of nested sequences; any other module is one layer."""
    if not isinstance(module, nn.Sequential):
        yield module
        return
    for child in module:
        yield from _flatten(child)


def _find_maker(layers: list[nn.Module]) -> Maker | None:
    bn = None
    for layer in reversed(layers):
        if isinstance(layer, nn.Conv2d):
            return Maker(layer, bn)
        if not isinstance(layer, _CHANNELWISE):
            return None
        if isinstance(layer, nn.BatchNorm2d):
            bn = layer
    return None


def _find_group(net: nn.Module, name: str, block: SEBlock) -> tuple[Maker, nn.Conv2d]:
    """Return what makes the channels of a block, and the one convolution that reads them."""
    maker = _find_maker(_list_before(net, block))
    parent = _find_parent(net, block)
    layers = [layer for layer in _flatten(parent) if not isinstance(layer, nn.Identity)]
    after = layers[layers.index(block) + 1 :] if block in layers else []
    reader = after[0] if after else None
    if maker is None or not isinstance(reader, nn.Conv2d):
        raise ConfigError(_explain_ties(name, "are not those of one convolution read by another"))
    if maker.conv.groups > 1 or reader.groups > 1:
        raise ConfigError(_explain_ties(name, "belong to the groups of a grouped convolution"))
    return maker, reader


def _explain_ties(name: str, why: str) -> str:
    return f"the channels of {name} {why}, and cannot be cut one by one: give --mask-only"


def _keep_outputs(layer: nn.Module, kept: Tensor) -> None:
    """Leave a convolution or linear layer those outputs alone."""
    layer.weight = _take(layer.weight, kept)
    if layer.bias is not None:
        layer.bias = _take(layer.bias, kept)
    _set_width(layer, "out", len(kept))


def _keep_inputs(layer: nn.Module, kept: Tensor) -> None:
    """Leave a convolution or linear layer those inputs alone."""
    assert isinstance(layer.weight, Tensor)
    layer.weight = nn.Parameter(layer.weight.detach()[:, kept].clone())
    _set_width(layer, "in", len(kept))


def _set_width(layer: nn.Module, side: str, width: int) -> None:
    noun = "channels" if isinstance(layer, nn.Conv2d) else "features"
    setattr(layer, f"{side}_{noun}", width)


def _keep_statistics(bn: nn.BatchNorm2d, kept: Tensor) -> None:
    """Leave batch normalisation those channels alone."""
    bn.weight = _take(bn.weight, kept)
    bn.bias = _take(bn.bias, kept)
    assert bn.running_mean is not None
    assert bn.running_var is not None
    bn.running_mean = bn.running_mean[kept]
    bn.running_var = bn.running_var[kept]
    bn.num_features = len(kept)


def _take(values: object, kept: Tensor) -> nn.Parameter:
    """Return the kept rows of a parameter."""
    assert isinstance(values, Tensor)
    return nn.Parameter(values.detach()[kept].clone())
