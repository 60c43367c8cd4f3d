"""The weights that others know: whose networks there are, and the files to write (config floor; no torch)."""

from __future__ import annotations

from pathlib import Path

from senet_repro.core.choice import require_choice
from senet_repro.core.errors import ConfigError
from senet_repro.core.wording import join_words

SAFE = ".safetensors"
SUFFIXES = (SAFE, ".pth")

_RESNETS = ("resnet50", "resnet101", "resnet152", "resnext50")
RELEASED = {
    "timm": (*_RESNETS, "resnext101", "senet154"),
    "torchvision": (*_RESNETS, "vgg16"),
}
"""The networks whose weights each source released, by our names."""


def check_release(network: str, source: str) -> None:
    """Accept a network that the source has, too.

    Raises:
        ConfigError: there is no such source, or it does not have the network.
    """
    require_choice("source", source, RELEASED)
    if network not in RELEASED[source]:
        raise ConfigError(
            f"{source} has no {network}: it has {join_words(RELEASED[source], 'and')}"
        )


def check_weights_target(path: Path) -> None:
    """Accept a file that weights can be written to.

    Raises:
        ConfigError: another suffix, or a folder that does not exist.
    """
    if path.suffix not in SUFFIXES:
        raise ConfigError(f"{path}: give a file that ends in {join_words(SUFFIXES, 'or')}")
    if not path.parent.is_dir():
        raise ConfigError(
            f"{path.parent} is not a folder; make it, or give a path in one that exists"
        )
