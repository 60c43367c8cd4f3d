"""Weights from elsewhere and for elsewhere, and the files that hold them (models floor)."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save
from torch import Size, Tensor, nn

from senet_repro.core.choice import require_choice
from senet_repro.core.errors import ConfigError
from senet_repro.core.files import write_bytes
from senet_repro.models.layers import Classifier
from senet_repro.models.registry import create_model
from senet_repro.models.released import RELEASES, Release
from senet_repro.models.se import SEBlock

SAFE = ".safetensors"
SUFFIXES = (SAFE, ".pth")


def import_weights(model: Classifier, state_dict: Mapping[str, Tensor], source: str) -> None:
    """Load released weights into a network of `create_model`, in place: all of them, or none on an error.

    `state_dict` has the keys and shapes of the source's own network:

    - timm: the authors' Caffe models, converted: `legacy_seresnet50`, `101` and `152`, `legacy_seresnext50_32x4d`
      and `101_32x4d`, `legacy_senet154`, for our networks with the default settings of `create_model`.
    - torchvision: `resnet50`, `101` and `152` and `resnext50_32x4d`, for ours with `r=None`,
      `stride_on="conv3x3"` and `stem_pool="padded"`, and `vgg16_bn`, for ours with `r=None`.

    Only `num_batches_tracked`, which files of 2018 lack, may be missing; the network's own stays.

    The weights expect the input they were trained with: for all of the above RGB on the scale 0..1, less
    (0.485, 0.456, 0.406) and divided by (0.229, 0.224, 0.225). On the 0..255 scale of the configuration that is
    data.mean=[123.675,116.28,103.53] and data.std=[58.395,57.12,57.375].

    Raises:
        ConfigError: a source that does not exist or has no such network, a network built with other settings than
            the released one, or a tensor that is missing, of another shape or without a place: the message names
            the first one's key and both shapes.
    """
    release, entries = _entries(model, source)
    mend = f"source={source} takes the state_dict of {source}'s {release.name}, with as many classes as the network"
    if not _is_state_dict(state_dict):
        raise ConfigError(
            f"{type(state_dict).__name__} is no dictionary of tensors by name; {mend}"
        )
    own = model.state_dict()
    loaded = {}
    for key, (theirs, shape) in entries.items():
        if theirs in state_dict:
            given = state_dict[theirs]
            if (given.shape, given.is_floating_point()) != (shape, own[key].is_floating_point()):
                here, there = _form(own[key], shape), _form(given, given.shape)
                raise ConfigError(
                    f"{theirs} is {there} in the weights and {here} in the network ({key}); {mend}"
                )
            loaded[key] = given.reshape(own[key].shape)
        elif key.endswith(".num_batches_tracked"):
            loaded[key] = own[key]
        else:
            raise ConfigError(
                f"{theirs} is not in the weights and {_form(own[key], shape)} in the network; {mend}"
            )
    places = {theirs for theirs, _ in entries.values()}
    for theirs, given in state_dict.items():
        if theirs not in places:
            raise ConfigError(
                f"{theirs} is {_form(given, given.shape)} in the weights and not in the network; {mend}"
            )
    model.load_state_dict(loaded)


def export_weights(model: Classifier, source: str) -> dict[str, Tensor]:
    """Return a copy of the network's weights, on the CPU, as the source's own network names and shapes them.

    The inverse of `import_weights`: the source's network loads the result strictly and then gives the same logits.

    Raises:
        ConfigError: a source that does not exist or has no such network, or a network built with other settings
            than the released one.
    """
    _, entries = _entries(model, source)
    own = model.state_dict()
    return {
        theirs: own[key].reshape(shape).to("cpu", copy=True, memory_format=torch.contiguous_format)
        for key, (theirs, shape) in entries.items()
    }


def read_weights(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """Return the tensors of a file by name, on the CPU: safetensors if its suffix says so, or else torch's format.

    No code in the file is run.

    Raises:
        ConfigError: a file that is missing, damaged or of another kind, or holds more than a state_dict.
    """
    path = Path(path)
    if not path.is_file():
        raise ConfigError(f"{path} is not a file; give one of weights ({' or '.join(SUFFIXES)})")
    try:
        data = (
            load_file(path)
            if path.suffix == SAFE
            else torch.load(path, map_location="cpu", weights_only=True)
        )
    except Exception as error:  # the readers fail on a foreign file in any way they happen to
        raise ConfigError(
            f"{path} cannot be read as weights: it is cut short, of another kind or holds more than tensors; fetch it "
            f"again, or save the network's state_dict() alone, as {' or '.join(SUFFIXES)}"
        ) from error
    if not _is_state_dict(data):
        raise ConfigError(
            f"{path} does not hold a state_dict, tensors by name; save the network's state_dict() alone"
        )
    return dict(data)


def write_weights(path: str | os.PathLike[str], tensors: Mapping[str, Tensor]) -> None:
    """Put tensors by name at `path`, as safetensors or in torch's format by its suffix: the whole file, or none.

    Raises:
        ConfigError: another suffix, or a folder that does not exist.
    """
    path = Path(path)
    require_choice("suffix", path.suffix, SUFFIXES)
    if not path.parent.is_dir():
        raise ConfigError(
            f"{path.parent} is not a folder; make it, or give a path in one that exists"
        )
    # A copy: safetensors takes only contiguous tensors, and torch.save writes the whole storage behind a view.
    whole = {
        key: tensor.detach().clone(memory_format=torch.contiguous_format)
        for key, tensor in tensors.items()
    }
    if path.suffix == SAFE:
        write_bytes(path, save(whole, metadata={"format": "pt"}))
    else:
        content = io.BytesIO()
        torch.save(whole, content)
        write_bytes(path, content.getbuffer())


def _entries(model: Classifier, source: str) -> tuple[Release, dict[str, tuple[str, Size]]]:
    """Return the release of the network at the source, and key and shape there by our key."""
    require_choice("source", source, RELEASES)
    if not isinstance(model, Classifier) or not hasattr(model, "name"):
        raise ConfigError(
            f"{type(model).__name__} is not a network of create_model; give that, not a wrapper"
        )
    require_choice("network", model.name, RELEASES[source], f"source={source}")
    release = RELEASES[source][model.name]
    _check_settings(model, release, f"{source}'s {release.name}")
    return release, {
        key: release.entry(key, tensor.shape) for key, tensor in model.state_dict().items()
    }


def _check_settings(model: Classifier, release: Release, title: str) -> None:
    """Refuse a network that differs from the released one in a layer: strides or an excitation have no weights."""
    conv = any(
        isinstance(module.fc1, nn.Conv2d)
        for module in model.modules()
        if isinstance(module, SEBlock)
    )
    *_, last_bias = model.state_dict().values()
    with torch.device("meta"), torch.random.fork_rng(devices=()):
        built = create_model(
            model.name, len(last_bias), fc="conv" if conv else "linear", **release.settings
        )
    ours, theirs = _layers(model), _layers(built)
    for layer in theirs | ours:
        here, there = ours.get(layer, "nothing"), theirs.get(layer, "nothing")
        if here != there:
            settings = ", ".join(
                f"{k}={'none' if v is None else v}" for k, v in release.settings.items()
            )
            raise ConfigError(
                f"{layer} is {here} here and {there} in {title}; create {model.name} with {settings}"
            )


def _layers(model: nn.Module) -> dict[str, str]:
    """Return what each module is, by name."""
    return {
        name: type(module).__name__ if any(module.children()) else repr(module)
        for name, module in model.named_modules()
    }


def _is_state_dict(data: Any) -> bool:
    return isinstance(data, Mapping) and all(
        isinstance(k, str) and isinstance(v, Tensor) for k, v in data.items()
    )


def _form(tensor: Tensor, shape: Size) -> str:
    return f"{tuple(shape)} {str(tensor.dtype).removeprefix('torch.')}"
