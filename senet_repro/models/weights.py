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

from senet_repro.config.weight_files import (
    RELEASED,
    SAFE,
    SUFFIXES,
    check_release,
    check_weights_target,
)
from senet_repro.core.choice import require_choice
from senet_repro.core.errors import ConfigError
from senet_repro.core.files import write_bytes
from senet_repro.models.layers import Classifier
from senet_repro.models.registry import create_model
from senet_repro.models.released import RELEASES, Entry, Release
from senet_repro.models.se import SEBlock

WRAPPER_PREFIXES = ("module.", "_orig_mod.")
"""Words that DataParallel and torch.compile put before the name of every tensor."""


def import_weights(model: Classifier, state_dict: Mapping[str, Tensor], source: str) -> None:
    """Load released weights into a network of `create_model`, in place: all of them, or none on an error.

    `state_dict` has the keys and shapes of the source's own network:

    - timm: the authors' Caffe models, converted: `legacy_seresnet50`, `101` and `152`, `legacy_seresnext50_32x4d`
      and `101_32x4d`, `legacy_senet154`, for our networks with `bias=True` and else the default settings of
      `create_model`: the released SE blocks have biases.
    - torchvision: `resnet50`, `101` and `152` and `resnext50_32x4d`, for ours with `r=None`,
      `stride_on="conv3x3"` and `stem_pool="padded"`, and `vgg16_bn`, for ours with `r=None`.

    Keys may all begin with what a wrapper put there, `module.` or `_orig_mod.`.
    Only `num_batches_tracked`, which files of 2018 lack, may be missing; the network's own stays.

    The weights expect the input they were trained with: for all of the above RGB on the scale 0..1, less
    (0.485, 0.456, 0.406) and divided by (0.229, 0.224, 0.225). On the 0..255 scale of the configuration that is
    data.mean=[123.675,116.28,103.53] and data.std=[58.395,57.12,57.375].

    Raises:
        ConfigError: a source that does not exist or has no such network, a network built with other settings than
            the released one, or a tensor that is missing, of another shape, not the network's, or holds what is no
            number: the message names the first one's key and, if they differ, both shapes.
    """
    release, entries = _match_entries(model, source)
    title = f"{source}'s {release.name}"
    mend = f"source={source} takes the state_dict of {title}, with as many classes as the network"
    if not _is_state_dict(state_dict):
        raise ConfigError(
            f"{type(state_dict).__name__} is no dictionary of tensors by name; {mend}"
        )
    state_dict = _unwrap_keys(state_dict)
    own_tensors = model.state_dict()
    loaded = {}
    for key, entry in entries.items():
        own = own_tensors[key]
        if entry.key in state_dict:
            given = state_dict[entry.key]
            _check_tensor(given, entry, key, own, mend)
            loaded[key] = given.reshape(own.shape)
        elif key.endswith(".num_batches_tracked"):
            loaded[key] = own
        else:
            in_network = _describe_tensor(own, entry.shape)
            raise ConfigError(
                f"{entry.key} is not in the weights and {in_network} in the network; {mend}"
            )
    _refuse_left_over(state_dict, entries, mend)
    for key, entry in entries.items():
        _refuse_no_numbers(loaded[key], entry.key)
    # Only now: an import that fails leaves the network as it was.
    model.load_state_dict(loaded)


def count_outputs(
    model: Classifier, state_dict: Mapping[str, Tensor], source: str | None
) -> int | None:
    """Return for how many classes weights are that bear a source's names, or, with None, those of the network itself.

    None is returned where the bias of the classifier is not among them.

    Raises:
        ConfigError: a source that does not exist or has no such network.
    """
    # Every network that others released, and each of ours, ends with the bias of its classifier.
    *_, (key, own) = model.state_dict().items()
    if source is not None:
        check_release(model.name, source)
        key = RELEASES[source][model.name].find_entry(key, own.shape).key
        state_dict = _unwrap_keys(state_dict)
    if key not in state_dict:
        return None
    return len(state_dict[key])


def _check_tensor(
    given: Tensor,
    entry: Entry,
    key: str,
    own: Tensor,
    mend: str,
) -> None:
    """Refuse a tensor of another shape or kind of number than the network has at `key`."""
    same_shape = given.shape == entry.shape
    same_kind = given.is_floating_point() == own.is_floating_point()
    if not (same_shape and same_kind):
        in_weights = _describe_tensor(given, given.shape)
        in_network = _describe_tensor(own, entry.shape)
        raise ConfigError(
            f"{entry.key} is {in_weights} in the weights and {in_network} in the network ({key}); {mend}"
        )


def _unwrap_keys(state_dict: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """Return the tensors by the names that they had before the network was wrapped, however often it was."""
    unwrapped = dict(state_dict)
    while prefix := _find_shared_prefix(unwrapped):
        unwrapped = {key.removeprefix(prefix): tensor for key, tensor in unwrapped.items()}
    return unwrapped


def _find_shared_prefix(state_dict: Mapping[str, Tensor]) -> str | None:
    """Return the wrapper's prefix with which all keys begin; None where there is none, or no key."""
    for prefix in WRAPPER_PREFIXES:
        if state_dict and all(key.startswith(prefix) for key in state_dict):
            return prefix
    return None


def _refuse_no_numbers(given: Tensor, key: str) -> None:
    """Refuse a tensor that holds NaN or infinity, which would only show as a loss that is no number."""
    if not torch.isfinite(given).all():
        raise ConfigError(
            f"{key} holds NaN or infinity in the weights: the file is damaged, or its training diverged; give another"
        )


def _refuse_left_over(
    state_dict: Mapping[str, Tensor],
    entries: Mapping[str, Entry],
    mend: str,
) -> None:
    """Refuse weights that hold a tensor for which the network has no layer."""
    expected = {entry.key for entry in entries.values()}
    for key, given in state_dict.items():
        if key not in expected:
            in_weights = _describe_tensor(given, given.shape)
            raise ConfigError(
                f"{key} is {in_weights} in the weights and not in the network; {mend}"
            )


def export_weights(model: Classifier, source: str) -> dict[str, Tensor]:
    """Return a copy of the network's weights, on the CPU, as the source's own network names and shapes them.

    The inverse of `import_weights`: the source's network loads the result strictly and then gives the same logits.

    Raises:
        ConfigError: a source that does not exist or has no such network, or a network built with other settings
            than the released one.
    """
    _, entries = _match_entries(model, source)
    own = model.state_dict()
    exported = {}
    for key, entry in entries.items():
        tensor = own[key].reshape(entry.shape)
        # A copy, so that further training does not change it.
        exported[entry.key] = tensor.to(
            "cpu",
            copy=True,
            memory_format=torch.contiguous_format,
        )
    return exported


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
        data = _load_any(path)
    # The readers fail on a foreign file in any way they happen to.
    except Exception as error:
        raise ConfigError(
            f"{path} cannot be read as weights: it is cut short, of another kind or holds more than tensors; fetch it "
            f"again, or save the network's state_dict() alone, as {' or '.join(SUFFIXES)}"
        ) from error
    if not _is_state_dict(data):
        raise ConfigError(
            f"{path} does not hold a state_dict, tensors by name; save the network's state_dict() alone"
        )
    return dict(data)


def _load_any(path: Path) -> Any:
    """Return the content of a file, by the reader of its suffix; `weights_only` runs no code in it."""
    if path.suffix == SAFE:
        return load_file(path)
    return torch.load(path, map_location="cpu", weights_only=True)


def write_weights(
    path: str | os.PathLike[str],
    tensors: Mapping[str, Tensor],
    about: Mapping[str, str] | None = None,
) -> None:
    """Write tensors by name to `path`, as safetensors or in torch's format by its suffix: the whole file, or none.

    `about` are words by name that safetensors keeps beside the tensors; torch's format has no place for them.

    Raises:
        ConfigError: another suffix, or a folder that does not exist.
    """
    path = Path(path)
    check_weights_target(path)
    # A copy: safetensors takes only contiguous tensors, and torch.save writes the whole storage behind a view.
    whole = {
        key: tensor.detach().clone(memory_format=torch.contiguous_format)
        for key, tensor in tensors.items()
    }
    if path.suffix == SAFE:
        write_bytes(path, save(whole, metadata={"format": "pt", **(about or {})}))
    else:
        # Into memory first, since a file must appear whole or not at all.
        content = io.BytesIO()
        torch.save(whole, content)
        write_bytes(path, content.getbuffer())


def _match_entries(model: Classifier, source: str) -> tuple[Release, dict[str, Entry]]:
    """Return the release of the network at the source, and the released entry of each of our keys.

    Raises:
        ConfigError: the source or its network does not exist, or ours is built with other settings.
    """
    require_choice("source", source, RELEASED)
    if not isinstance(model, Classifier) or not hasattr(model, "name"):
        raise ConfigError(
            f"{type(model).__name__} is not a network of create_model; give that, not a wrapper"
        )
    check_release(model.name, source)
    release = RELEASES[source][model.name]
    _check_settings(model, release, f"{source}'s {release.name}")
    entries = {}
    for key, tensor in model.state_dict().items():
        entries[key] = release.find_entry(key, tensor.shape)
    return release, entries


def _check_settings(model: Classifier, release: Release, title: str) -> None:
    """Refuse a network that differs from the released one in a layer.

    Layers are compared, and not weights alone, since strides and an excitation have none.
    """
    built = _build_released(model, release)
    ours = _describe_layers(model)
    theirs = _describe_layers(built)
    # Theirs first: where a network has too many units, the first that differs is named and not the first left over.
    for layer in theirs | ours:
        here = ours.get(layer, "nothing")
        there = theirs.get(layer, "nothing")
        if here != there:
            raise ConfigError(
                f"{layer} is {here} here and {there} in {title}; "
                f"create {model.name} with {_describe_settings(release)}"
            )


def _describe_settings(release: Release) -> str:
    """Return the settings that rebuild a released network, as a reader would give them."""
    settings = []
    for name, value in release.settings.items():
        # The command line has no null: there r=none builds a network without SE.
        word = "none" if value is None else value
        settings.append(f"{name}={word}")
    described = ", ".join(settings)
    if release.settings.get("bias"):
        described += " (se.bias=true on the command line)"
    return described


def _build_released(model: Classifier, release: Release) -> Classifier:
    """Return the released network without values, with the classes of `model` and its way to write FCs down."""
    blocks = [module for module in model.modules() if isinstance(module, SEBlock)]
    fc = "conv" if any(isinstance(block.fc1, nn.Conv2d) for block in blocks) else "linear"
    # Every released network ends with the bias of its classifier.
    *_, last_bias = model.state_dict().values()
    with torch.device("meta"), torch.random.fork_rng(devices=()):
        return create_model(model.name, len(last_bias), fc=fc, **release.settings)


def _describe_layers(model: nn.Module) -> dict[str, str]:
    """Return each module by name: a layer with its settings, a module of several by its type alone."""
    described = {}
    for name, module in model.named_modules():
        has_parts = bool(list(module.children()))
        described[name] = type(module).__name__ if has_parts else repr(module)
    return described


def _is_state_dict(data: Any) -> bool:
    if not isinstance(data, Mapping):
        return False
    return all(isinstance(key, str) and isinstance(value, Tensor) for key, value in data.items())


def _describe_tensor(tensor: Tensor, shape: Size) -> str:
    dtype = str(tensor.dtype).removeprefix("torch.")
    return f"{tuple(shape)} {dtype}"
