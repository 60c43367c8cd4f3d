"""The network that a run left behind (training floor)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from senet_repro.config.schema import Run
from senet_repro.config.weight_files import SAFE
from senet_repro.core.errors import ConfigError, DataError
from senet_repro.models import network_of, read_weights
from senet_repro.models.layers import Classifier
from senet_repro.results.run_folder import RunFolder
from senet_repro.training.checkpoints import read_checkpoint

# The Lightning module keeps the network under this name.
_NET_PREFIX = "net."


def load_trained_network(folder: Path) -> Classifier:
    """Return the network of a run's last finished epoch, on the CPU and in evaluation mode; `folder` ends in seed<k>.

    Raises:
        ConfigError: there is no run in the folder, or its checkpoint is not whole.
    """
    run_folder = RunFolder(folder)
    run_folder.require_trained()
    run = run_folder.read_settings(without_first_weights=True)
    return load_checkpoint(run, run_folder.last_checkpoint)


def load_weights(run: Run, path: Path) -> Classifier:
    """Return the network of a run with the weights of a file: a checkpoint, or what a collected campaign kept of one.

    It lies on the CPU, in evaluation mode. Weights that were kept in float16 are float32 again.

    Raises:
        ConfigError: the file is not whole, or of another run.
    """
    if path.suffix != SAFE:
        return load_checkpoint(run, path)
    net = network_of(run)
    fill_network(net, read_trained_weights(path), f"{path} holds no weights of the run")
    return net.eval()


def load_checkpoint(run: Run, path: Path) -> Classifier:
    """Return the network of a run with the weights of one of its checkpoints, on the CPU and in evaluation mode.

    Raises:
        ConfigError: the checkpoint is not whole, or of another run.
    """
    net = network_of(run)
    fill_network(
        net, read_trained_weights(path), f"{path} is not a checkpoint of the run beside it"
    )
    return net.eval()


def read_trained_weights(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a run's network by name: of a checkpoint, or of what a collected campaign kept of one.

    Raises:
        ConfigError: the file is not whole.
    """
    if path.suffix == SAFE:
        return read_weights(path)
    try:
        state = read_checkpoint(path)["state_dict"]
    except DataError as error:
        raise ConfigError(f"{error}: train the run anew, or put back its own file") from error
    return {key.removeprefix(_NET_PREFIX): tensor for key, tensor in state.items()}


def fill_network(net: Classifier, weights: Mapping[str, Tensor], trouble: str) -> None:
    """Give a network its weights by name.

    Raises:
        ConfigError: they are another network's; the message begins with `trouble`.
    """
    try:
        net.load_state_dict(weights)
    except RuntimeError as error:
        raise ConfigError(f"{trouble}: train the run anew") from error
