"""Networks whose weights others released: how they were built, and what they call each layer (models floor).

- timm carries the authors' Caffe models, converted, as its `legacy_*` networks.
- torchvision has networks without SE, whose ResNets stride in the 3x3 and pad the stem's pooling.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from torch import Size

from senet_repro.models import vgg

Names = Mapping[str, str]
"""Parts of our keys, and what stands in theirs instead; the parts are replaced one after another."""


class Entry(NamedTuple):
    """One tensor of a released state_dict."""

    key: str
    shape: Size


@dataclass(frozen=True)
class Release:
    """A network elsewhere: its name there, the settings of `create_model` that rebuild it, its names of our layers."""

    name: str
    settings: Mapping[str, Any]
    names: Names

    def find_entry(self, key: str, shape: Size) -> Entry:
        """Return the key and the shape that the tensor of our key and shape has there."""
        for ours, theirs in self.names.items():
            key = key.replace(ours, theirs)
        # There the FCs of a block are always 1x1 convolutions; here they may be linear.
        is_linear_fc = ".se_module." in key and len(shape) == 2
        if is_linear_fc:
            shape = Size((*shape, 1, 1))
        return Entry(key, shape)


def _name_conv_bn(ours: str, conv: str, bn: str) -> Names:
    return {f"{ours}.conv.": f"{conv}.", f"{ours}.bn.": f"{bn}."}


def _name_vgg() -> Names:
    """Return the names of torchvision's vgg16_bn, which numbers its layers in one sequence."""
    # Between two linear layers stand a ReLU and a dropout.
    names = {
        "head.fc1.": "classifier.0.",
        "head.fc2.": "classifier.3.",
        "head.fc3.": "classifier.6.",
    }
    position = 0
    for stage, row in vgg.CHANNELS.items():
        for index in range(len(row)):
            ours = f"stages.{stage}.{index}.conv_bn"
            names |= _name_conv_bn(ours, f"features.{position}", f"features.{position + 1}")
            # Convolution, BN and ReLU.
            position += 3
        # The pooling at the end of the stage.
        position += 1
    return names


_UNITS = {
    "stages.2.": "layer1.",
    "stages.3.": "layer2.",
    "stages.4.": "layer3.",
    "stages.5.": "layer4.",
    **_name_conv_bn("branch.reduce", "conv1", "bn1"),
    **_name_conv_bn("branch.conv3x3", "conv2", "bn2"),
    **_name_conv_bn("branch.increase", "conv3", "bn3"),
    **_name_conv_bn("shortcut", "downsample.0", "downsample.1"),
}
_TORCHVISION = {**_UNITS, **_name_conv_bn("stem.conv7x7", "conv1", "bn1"), "head.fc.": "fc."}
_TIMM_UNITS = {**_UNITS, "standard.fc": "se_module.fc", "head.fc.": "last_linear."}
_TIMM = {**_TIMM_UNITS, **_name_conv_bn("stem.conv7x7", "layer0.conv1", "layer0.bn1")}
_TIMM_SENET = {
    **_TIMM_UNITS,
    **_name_conv_bn("stem.conv1", "layer0.conv1", "layer0.bn1"),
    **_name_conv_bn("stem.conv2", "layer0.conv2", "layer0.bn2"),
    **_name_conv_bn("stem.conv3", "layer0.conv3", "layer0.bn3"),
}

_SE = {
    "r": 16,
    "squeeze": "avg",
    "excitation": "sigmoid",
    "stages": "all",
    "placement": "standard",
    "bias": True,
}
_TIMM_RESNET = {**_SE, "stride_on": "conv1x1", "stem_pool": "unpadded"}
_TIMM_RESNEXT = {**_SE, "stride_on": "conv3x3", "stem_pool": "unpadded"}
_PLAIN = {"r": None, "stride_on": "conv3x3", "stem_pool": "padded"}

RELEASES: dict[str, dict[str, Release]] = {
    "timm": {
        "resnet50": Release("legacy_seresnet50", _TIMM_RESNET, _TIMM),
        "resnet101": Release("legacy_seresnet101", _TIMM_RESNET, _TIMM),
        "resnet152": Release("legacy_seresnet152", _TIMM_RESNET, _TIMM),
        "resnext50": Release("legacy_seresnext50_32x4d", _TIMM_RESNEXT, _TIMM),
        "resnext101": Release("legacy_seresnext101_32x4d", _TIMM_RESNEXT, _TIMM),
        "senet154": Release("legacy_senet154", _SE, _TIMM_SENET),
    },
    "torchvision": {
        "resnet50": Release("resnet50", _PLAIN, _TORCHVISION),
        "resnet101": Release("resnet101", _PLAIN, _TORCHVISION),
        "resnet152": Release("resnet152", _PLAIN, _TORCHVISION),
        "resnext50": Release("resnext50_32x4d", _PLAIN, _TORCHVISION),
        "vgg16": Release("vgg16_bn", {"r": None}, _name_vgg()),
    },
}
"""The networks of each source, by our names."""
