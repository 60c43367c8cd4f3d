"""The networks that others released: their names there, how they are built here, and the images they expect.

Preprocessing belongs to weights: a network that was trained on images made one way errs more on images made another
way. The facts are those of timm's `pretrained_cfg` and torchvision's `Weights.transforms()`; a test compares them with
the libraries (config floor; no torch).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from senet_repro.config.weight_files import RELEASED, check_release
from senet_repro.core.errors import ConfigError
from senet_repro.core.wording import join_words

INTERPOLATIONS = ("bilinear", "bicubic")
IMAGENET_MEAN = (123.675, 116.28, 103.53)
IMAGENET_STD = (58.395, 57.12, 57.375)
"""ImageNet's RGB on the scale 0..255: (0.485, 0.456, 0.406) and (0.229, 0.224, 0.225) on the scale 0..1."""

# How torchvision's networks are built; section 5 strides elsewhere and does not pad.
_PLAIN_RESNET = ("r=none", "model.options.stride_on=conv3x3", "model.options.stem_pool=padded")
_SE = ("r=16", "stages=all", "se.bias=true")


@dataclass(frozen=True, kw_only=True)
class ReleasedNetwork:
    """A network of another library: its name there, the settings that rebuild it, and the images it was trained on."""

    name: str
    settings: tuple[str, ...]  # of a command line
    # Per RGB channel, on the 0..255 scale.
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD
    interpolation: str = "bilinear"
    # The crop that it was trained on, and the shorter side that an image has before its centre crop of that size.
    size_px: int = 224
    resize_px: int = 256
    # Files of later weights that are published with another shorter side, by the beginning of their SHA-256.
    other_resize_px: dict[str, int] = field(default_factory=dict)

    def find_resize_px(self, sha256: str) -> int:
        """Return the shorter side that a file of weights is published with."""
        for beginning, resize_px in self.other_resize_px.items():
            if sha256.startswith(beginning):
                return resize_px
        return self.resize_px


# torchvision's second weights of a network; the names of its files hold the beginning of their hash.
_SECOND_WEIGHTS = {
    "resnet50": {"11ad3fa6": 232},
    "resnet101": {"cd907fc2": 232},
    "resnet152": {"f82ba261": 232},
    "resnext50": {"1a0047aa": 232},
}

RELEASES: dict[str, dict[str, ReleasedNetwork]] = {
    "timm": {
        "resnet50": ReleasedNetwork(name="legacy_seresnet50", settings=_SE),
        "resnet101": ReleasedNetwork(name="legacy_seresnet101", settings=_SE),
        "resnet152": ReleasedNetwork(name="legacy_seresnet152", settings=_SE),
        "resnext50": ReleasedNetwork(name="legacy_seresnext50_32x4d", settings=_SE),
        "resnext101": ReleasedNetwork(name="legacy_seresnext101_32x4d", settings=_SE),
        "senet154": ReleasedNetwork(name="legacy_senet154", settings=_SE),
    },
    "torchvision": {
        "resnet50": ReleasedNetwork(
            name="resnet50",
            settings=_PLAIN_RESNET,
            other_resize_px=_SECOND_WEIGHTS["resnet50"],
        ),
        "resnet101": ReleasedNetwork(
            name="resnet101",
            settings=_PLAIN_RESNET,
            other_resize_px=_SECOND_WEIGHTS["resnet101"],
        ),
        "resnet152": ReleasedNetwork(
            name="resnet152",
            settings=_PLAIN_RESNET,
            other_resize_px=_SECOND_WEIGHTS["resnet152"],
        ),
        "resnext50": ReleasedNetwork(
            name="resnext50_32x4d",
            settings=_PLAIN_RESNET,
            other_resize_px=_SECOND_WEIGHTS["resnext50"],
        ),
        "vgg16": ReleasedNetwork(name="vgg16_bn", settings=("r=none",)),
    },
}
"""The released networks of each source, by our names."""


def find_release(network: str, source: str) -> ReleasedNetwork:
    """Return the released network of a source that one of ours rebuilds.

    Raises:
        ConfigError: there is no such source, or it has no such network.
    """
    check_release(network, source)
    return RELEASES[source][network]


def guess_source(network: str, names: Collection[str]) -> str:
    """Return whose names the tensors of a file bear.

    Raises:
        ConfigError: they are nobody's who released this network.
    """
    # The classifier's name differs from source to source; a wrapper may have put words before it.
    last_words = [name.rpartition(".")[0].rpartition(".")[2] for name in names]
    if "last_linear" in last_words:
        return "timm"
    if "fc" in last_words or any("classifier.6." in name for name in names):
        return "torchvision"
    having = [source for source, networks in RELEASED.items() if network in networks]
    mend = "nobody released it"
    if having:
        mend = f"give init.source={join_words(having, 'or')}"
    raise ConfigError(
        f"the names of the tensors are none that a source gives {network}; {mend}, or the folder of a run"
    )
