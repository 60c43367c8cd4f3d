"""The SE block against plain tensor code, and the plan that places it."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import senet_repro
from senet_repro.config.schema import EXCITATIONS, PLACEMENTS, SQUEEZES
from senet_repro.models.cost import count_params
from senet_repro.models.se import EXCITATION, FC, SQUEEZE, SEBlock, SEPlan

every_squeeze = pytest.mark.parametrize("squeeze", SQUEEZES)
every_excitation = pytest.mark.parametrize("excitation", EXCITATIONS)
every_fc = pytest.mark.parametrize("fc", FC)
with_and_without_bias = pytest.mark.parametrize("bias", [True, False])


def by_hand(block: SEBlock, u: Tensor, squeeze: str, excitation: str) -> Tensor:
    if squeeze == "avg":
        z = u.mean((2, 3), keepdim=True)
    elif squeeze == "max":
        z = u.amax((2, 3), keepdim=True)
    else:
        z = u
    w1, w2 = (fc.weight.flatten(1) for fc in (block.fc1, block.fc2))
    b1, b2 = (0 if fc.bias is None else fc.bias[:, None, None] for fc in (block.fc1, block.fc2))
    hidden = (torch.einsum("oi,nihw->nohw", w1, z) + b1).clamp(min=0)
    logit = torch.einsum("oi,nihw->nohw", w2, hidden) + b2
    s = {
        "sigmoid": 1 / (1 + torch.exp(-logit)),
        "tanh": torch.tanh(logit),
        "relu": logit.clamp(min=0),
    }[excitation]
    return u * s


@every_squeeze
@every_excitation
@every_fc
@with_and_without_bias
def test_block_is_its_formula_in_either_memory_layout(
    squeeze: str, excitation: str, fc: str, bias: bool
) -> None:
    torch.manual_seed(0)
    block = SEBlock(12, 4, squeeze, excitation, fc, bias)
    u = torch.randn(3, 12, 5, 4)
    torch.testing.assert_close(block(u), by_hand(block, u, squeeze, excitation))

    channels_last = block(u.to(memory_format=torch.channels_last))
    torch.testing.assert_close(channels_last, block(u))
    assert channels_last.is_contiguous(memory_format=torch.channels_last)
    assert block(u).is_contiguous()


@every_squeeze
@every_excitation
@with_and_without_bias
def test_linear_layers_equal_convolutions(squeeze: str, excitation: str, bias: bool) -> None:
    torch.manual_seed(0)
    linear, conv = (SEBlock(12, 4, squeeze, excitation, fc, bias) for fc in ("linear", "conv"))
    weights = linear.state_dict()
    conv.load_state_dict({k: v.reshape(conv.state_dict()[k].shape) for k, v in weights.items()})
    u = torch.randn(3, 12, 5, 4)
    torch.testing.assert_close(linear(u), conv(u))


@every_fc
def test_parameters_of_a_block(fc: str) -> None:
    assert count_params(SEBlock(256, 16, "avg", "sigmoid", fc, bias=True)) == 8464
    assert count_params(SEBlock(256, 16, "avg", "sigmoid", fc, bias=False)) == 2 * 256 * 16


@pytest.mark.parametrize(
    ("channels", "r", "hidden"),
    [
        (256, 16, 16),
        (216, 16, 13),
        (576, 16, 36),
        (1056, 16, 66),
        (16, 16, 1),
        (8, 16, 1),
        (3, 1, 3),
    ],
)
def test_hidden_width_is_never_rounded_and_never_zero(channels: int, r: int, hidden: int) -> None:
    block = SEBlock(channels, r, "avg", "sigmoid", "conv", bias=False)
    assert block.fc1.weight.shape == (hidden, channels, 1, 1)
    assert block.fc2.weight.shape == (channels, hidden, 1, 1)


def test_the_vocabulary_is_that_of_the_configuration() -> None:
    assert tuple(SQUEEZE) == SQUEEZES
    assert list(EXCITATION) == list(EXCITATIONS)


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_plan_gates_its_own_site_in_its_own_stages(placement: str) -> None:
    plan = SEPlan(r=16, bias=True, stages=(2, 4), placement=placement)
    for site, stage in product(PLACEMENTS, (2, 3, 4, 5)):
        expected = SEBlock if site == placement and stage in (2, 4) else nn.Identity
        assert type(plan.gate(site, stage, 32)) is expected


def test_plan_without_r_gates_nothing() -> None:
    assert type(SEPlan(r=None, bias=True, stages=(2,)).gate("standard", 2, 32)) is nn.Identity


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"squeeze": "mean"}, "squeeze=mean: give avg, max or none"),
        ({"excitation": "swish"}, "excitation=swish: give sigmoid, tanh or relu"),
        (
            {"placement": "inner"},
            "placement=inner: give standard, pre, post, identity or conv3x3",
        ),
        ({"fc": "dense"}, "fc=dense: give linear or conv"),
        ({"r": 0}, "r=0: give a whole number from 1 to 2,048, such as 16, or none for no SE block"),
        ({"r": 1.5}, "r=1.5: give a whole number"),
        ({"r": True}, "r=True: give a whole number"),
    ],
)
def test_plan_refuses_what_does_not_exist(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        SEPlan(**({"r": 16, "bias": True, "stages": (2,)} | wrong))


def test_the_block_is_constructed_in_one_line_of_the_package() -> None:
    package = Path(senet_repro.__file__).parent
    lines = [line for file in package.rglob("*.py") for line in file.read_text().splitlines()]
    assert len([line for line in lines if re.search(r"(?<!class )\bSEBlock\(", line)]) == 1
