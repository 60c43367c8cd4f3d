"""The network of a run with the weights that it starts from (training floor)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from senet_repro.config.run_weights import find_run_weights
from senet_repro.config.schema import DETECTION, RUN_SOURCE, Run
from senet_repro.core.errors import ConfigError
from senet_repro.models import import_weights, network_of, read_weights
from senet_repro.models.layers import Classifier
from senet_repro.models.weights import count_outputs
from senet_repro.results.first_weights import check_first_weights
from senet_repro.training.trained_network import fill_network, read_trained_weights


def build_trunk(run: Run) -> Classifier:
    """Return the run's network with the first weights of its seed or file, laid out as the trainer asks for.

    It has an output for each class of the data. In detection, whose detector has a head of its own, it has as many as
    its first weights, if there are any.

    Raises:
        ConfigError: the first weights cannot be read, or are not of this network; the message names the mend.
    """
    check_first_weights(run)
    weights = _read_first_weights(run)
    if weights is not None and run.task == DETECTION:
        run = _take_outputs(run, weights)
    torch.manual_seed(run.seed)
    net = network_of(run)
    if weights is not None:
        _give_weights(run, net, weights)
    if run.trainer.channels_last:
        net = net.to(memory_format=torch.channels_last)
    return net


def _take_outputs(run: Run, weights: Mapping[str, Tensor]) -> Run:
    """Return the run with as many classes as its first weights have outputs."""
    source = None if run.init.source == RUN_SOURCE else run.init.source
    # Without values, and without a draw.
    with torch.device("meta"), torch.random.fork_rng(devices=()):
        net = network_of(run)
    classes = count_outputs(net, weights, source)
    if classes is None:
        return run
    return replace(run, data=replace(run.data, classes=classes))


def _read_first_weights(run: Run) -> Mapping[str, Tensor] | None:
    """Return the tensors of the file that a run starts from, by their names there; None where it has none."""
    if run.init.weights is None:
        return None
    file = Path(run.init.weights)
    if run.init.source == RUN_SOURCE:
        return read_trained_weights(find_run_weights(file))
    return read_weights(file)


def _give_weights(run: Run, net: Classifier, weights: Mapping[str, Tensor]) -> None:
    """Give a network its first weights, in place."""
    if run.init.source == RUN_SOURCE:
        fill_network(net, weights, f"init.weights={run.init.weights} are not of this network")
        return
    assert run.init.source is not None
    try:
        import_weights(net, weights, run.init.source)
    except ConfigError as error:
        raise _explain_import(error) from error


def _explain_import(error: ConfigError) -> ConfigError:
    """Return the error with its mend in the words of the command line, where it is one in those of Python."""
    if "create " not in str(error):
        return ConfigError(str(error))
    return ConfigError(
        f"{error} (on the command line bias is se.bias, "
        "and options such as stride_on are model.options.stride_on)"
    )
