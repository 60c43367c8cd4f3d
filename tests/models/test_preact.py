"""Pre-activation networks: what stands around their units (test_residual.py has the units), and ResNet-110 whole."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from senet_repro.config.schema import MODEL_OPTIONS
from senet_repro.models import count_params, create_model
from senet_repro.models.layers import Classifier
from tests.models.networks import randomise_statistics

READINGS = list(product(MODEL_OPTIONS["first_activation"], MODEL_OPTIONS["shortcut"]))


@pytest.mark.parametrize("name", ["resnet110", "resnet164", "wrn16_8"])
def test_a_bare_convolution_begins_and_bn_and_relu_end_the_network(name: str) -> None:
    with torch.device("meta"):
        net = create_model(name, 10, r=None)
    assert type(net.stem) is nn.Conv2d
    assert [type(layer) for layer in net.head.preact] == [nn.BatchNorm2d, nn.ReLU]


def test_the_classifier_sees_the_average_of_the_activated_stream() -> None:
    head = create_model("resnet110", 10, r=None, stages="none").head.eval()
    head.preact.bn.running_mean.fill_(0.3)
    x = torch.randn(2, 64, 8, 8)
    z = torch.relu((x - 0.3) / (1 + 1e-5) ** 0.5).mean((2, 3))
    torch.testing.assert_close(head(x), head.linear.fc(z))


def compute_resnet110(net: Classifier, images: Tensor, first: str, shortcut: str) -> Tensor:
    """Return the logits of ResNet-110 as He et al. 2016b describe it, in plain functions of the network's weights."""
    convs = (module.weight for module in net.modules() if isinstance(module, nn.Conv2d))
    norms = (module for module in net.modules() if isinstance(module, nn.BatchNorm2d))

    def activate(x: Tensor) -> Tensor:
        bn = next(norms)
        return F.relu(
            F.batch_norm(x, bn.running_mean, bn.running_var, bn.weight, bn.bias, eps=1e-5)
        )

    x = F.conv2d(images, next(convs), padding=1)
    for unit in range(3 * 18):
        is_halving = unit in (18, 36)
        stride = 2 if is_halving else 1
        activated = activate(x)
        branch = F.conv2d(activated, next(convs), stride=stride, padding=1)
        branch = F.conv2d(activate(branch), next(convs), padding=1)
        if unit == 0 and first == "both_paths":
            x = activated
        if is_halving and shortcut == "projected":
            x = F.conv2d(activated, next(convs), stride=2)
        if is_halving and shortcut == "padded":
            kept = x[:, :, ::2, ::2]
            x = torch.cat([kept, torch.zeros_like(kept)], dim=1)
        x = x + branch
    averaged = activate(x).mean((2, 3))
    assert next(convs, None) is None
    assert next(norms, None) is None
    return F.linear(averaged, net.head.linear.fc.weight, net.head.linear.fc.bias)


@pytest.mark.parametrize(("first", "shortcut"), READINGS)
def test_resnet110_is_its_paper_in_each_reading(first: str, shortcut: str) -> None:
    torch.manual_seed(0)
    net = create_model("resnet110", 10, r=None, first_activation=first, shortcut=shortcut).eval()
    projections = 16 * 32 + 32 * 64 if shortcut == "projected" else 0
    assert count_params(net) == 1_727_962 + projections
    randomise_statistics(net)
    images = torch.randn(2, 3, 8, 8)
    with torch.no_grad():
        torch.testing.assert_close(net(images), compute_resnet110(net, images, first, shortcut))


def test_by_default_resnet110_is_that_of_its_appendix() -> None:
    with torch.device("meta"):
        net = create_model("resnet110", 10, r=None)
    assert net.options == {"first_activation": "both_paths", "shortcut": "padded"}
    # The pair before the first unit, which both of its paths take.
    assert [name for name, _ in net.stages["2"][0].named_children()] == ["preact", "unit"]
