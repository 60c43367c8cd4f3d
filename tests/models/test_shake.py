"""Shake-Shake: the random mix forward and backward, and the shortcut of two paths (test_residual.py has the units)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from senet_repro.models import create_model, shake
from senet_repro.models.se import SEPlan
from senet_repro.models.shake import ShakeMix, Shifted

IMAGES = 500
GATE = SEPlan(r=None, bias=True, stages=()).at_stage(2)


class Constant(nn.Module):
    """Returns `value` for every pixel and keeps what it returned, to be asked for its gradient."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = value

    def forward(self, x: Tensor) -> Tensor:
        self.out = torch.full_like(x, self.value, requires_grad=True)
        return self.out


def mixed(one: float, two: float, *, even: bool = False) -> tuple[Tensor, Tensor, Tensor]:
    """Return the mix of two constants, and the gradients that reach them of a 1 at every pixel of it."""
    torch.manual_seed(0)
    branches = Constant(one), Constant(two)
    out = ShakeMix(*branches, even=even)(torch.empty(IMAGES, 3, 2, 2))
    out.sum().backward()
    return out.detach(), *(branch.out.grad for branch in branches)


def per_image(x: Tensor) -> Tensor:
    """Return the one value of each image."""
    assert (x == x[:, :1, :1, :1]).all()
    return x[:, 0, 0, 0]


@pytest.mark.parametrize("even", [False, True])
def test_forward_shares_are_drawn_per_image_and_sum_to_one(even: bool) -> None:
    alpha = per_image(mixed(1, 0, even=even)[0])
    assert ((alpha >= 0) & (alpha < 1)).all()
    assert len(alpha.unique()) == IMAGES
    assert alpha.mean().item() == pytest.approx(0.5, abs=0.05)
    assert alpha.std().item() == pytest.approx(12**-0.5, abs=0.02)
    torch.testing.assert_close(per_image(mixed(0, 1, even=even)[0]), 1 - alpha)
    torch.testing.assert_close(per_image(mixed(2, -3, even=even)[0]), 2 * alpha - 3 * (1 - alpha))


def test_backward_shares_of_shake_shake_are_drawn_anew() -> None:
    out, to_one, to_two = mixed(1, 0)
    alpha, beta = per_image(out), per_image(to_one)
    assert ((beta >= 0) & (beta < 1)).all()
    assert len(beta.unique()) == IMAGES
    assert beta.std().item() == pytest.approx(12**-0.5, abs=0.02)
    assert torch.corrcoef(torch.stack([alpha, beta]))[0, 1].abs() < 0.1
    torch.testing.assert_close(to_one + to_two, torch.ones_like(to_one))


def test_backward_shares_of_shake_even_are_one_half() -> None:
    _, to_one, to_two = mixed(1, 0, even=True)
    assert (to_one == 0.5).all()
    assert (to_two == 0.5).all()


@pytest.mark.parametrize("even", [False, True])
def test_evaluation_is_the_mean_of_both_branches(even: bool) -> None:
    torch.manual_seed(0)
    branches = [nn.Conv2d(3, 4, 1), nn.Conv2d(3, 4, 1)]
    mix = ShakeMix(*branches, even=even).eval()
    x = torch.randn(2, 3, 4, 4)
    torch.testing.assert_close(mix(x), (branches[0](x) + branches[1](x)) / 2)
    assert mix(x).equal(mix(x))


@pytest.mark.parametrize(
    ("name", "even"), [("shake_shake26_2x96d", False), ("shake_even29_2x4x64d", True)]
)
def test_which_network_mixes_its_gradients_evenly(name: str, even: bool) -> None:
    with torch.device("meta"):
        mixes = [module for module in create_model(name).modules() if isinstance(module, ShakeMix)]
    assert len(mixes) == (9 if even else 12)
    assert {mix.even for mix in mixes} == {even}


@pytest.mark.parametrize("unit", [shake.basic_unit, shake.bottleneck_unit])
def test_a_seed_decides_a_training_step(unit: Callable[..., nn.Module]) -> None:
    net = unit(GATE, 8, 16, 2, se_on="branch")
    x = torch.randn(4, 8, 6, 6)

    def step(seed: int) -> list[Tensor]:
        torch.manual_seed(seed)
        net.zero_grad()
        out = net(x)
        out.square().sum().backward()
        return [out.detach(), *(p.grad.clone() for p in net.parameters())]

    first, again, other = step(0), step(0), step(1)
    assert all(a.equal(b) for a, b in zip(first, again, strict=True))
    assert not any(a.equal(b) for a, b in zip(first, other, strict=True))


def test_shifted_takes_every_second_pixel_twice_the_second_time_moved() -> None:
    shortcut = Shifted(1, 2, stride=2)
    nn.init.ones_(shortcut.path1.weight)
    nn.init.constant_(shortcut.path2.weight, 10)
    x = torch.arange(1.0, 17).view(1, 1, 4, 4)
    assert shortcut(x)[0].tolist() == [[[1, 3], [9, 11]], [[0, 0], [0, 60]]]
    shortcut.stride = 1
    moved = [[0, 0, 0, 0], [0, 10, 20, 30], [0, 50, 60, 70], [0, 90, 100, 110]]
    assert shortcut(x)[0].tolist() == [x[0, 0].tolist(), moved]


@pytest.mark.parametrize("stride", [1, 2])
def test_a_shake_shake_unit_that_changes_shape_sees_its_input_behind_a_relu(stride: int) -> None:
    unit = shake.basic_unit(GATE, 8, 16, stride, se_on="branch").eval()
    x = torch.randn(2, 8, 6, 6)
    assert unit(x).equal(unit(x.relu()))
    assert (unit(x) < 0).any()


def test_a_shake_even_unit_sees_its_input_as_it_is_and_ends_with_a_relu() -> None:
    unit = shake.bottleneck_unit(GATE, 8, 16, 2, se_on="branch").eval()
    x = torch.randn(2, 8, 6, 6)
    assert not torch.allclose(unit(x), unit(x.relu()))
    assert (unit(x) >= 0).all()


def test_units_begin_with_a_relu_of_their_own_so_the_stem_has_none() -> None:
    with torch.device("meta"):
        stem = create_model("shake_shake26_2x96d", 10).stem
    assert not any(isinstance(module, nn.ReLU) for module in stem.modules())
