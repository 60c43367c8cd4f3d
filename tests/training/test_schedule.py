"""Learning rates at named points of a training, and what the recipes hand to the optimiser."""

from __future__ import annotations

import pytest
import torch

from senet_repro.config.composition import compose
from senet_repro.tasks.classification.module import Classification
from senet_repro.training.schedule import adapt_to_device, build_optimizer, build_schedule

IDENTITY_MAPPINGS = {
    0: 0.1,
    399: 0.1,
    400: 1,
    31999: 1,
    32000: 0.1,
    47999: 0.1,
    48000: 0.01,
    63999: 0.01,
}
QUARTERS = {0: 1, 450: 0.8535533906, 900: 0.5, 1350: 0.1464466094, 1800: 0}


@pytest.mark.parametrize(
    ("recipe", "unit", "expected"),
    [
        # epochs of 270 and of 100, iterations of 64k
        (
            "imagenet_ablation",
            270,
            {0: 1, 124.9: 1, 125: 0.1, 199: 0.1, 200: 0.01, 250: 0.001, 269: 0.001},
        ),
        ("imagenet", 100, {0: 1, 29: 1, 30: 0.1, 60: 0.01, 90: 0.001}),
        (
            "senet154",
            100,
            {0: 1, 29.9: 1, 30: 0.1, 59.9: 0.1, 60: 0.01, 89.9: 0.01, 90: 0.001, 99.9: 0.001},
        ),
        ("cifar_resnet", 64000, {0: 1, 31999: 1, 32000: 0.1, 47999: 0.1, 48000: 0.01}),
        ("resnet110", 64000, IDENTITY_MAPPINGS),
        ("resnet164", 64000, IDENTITY_MAPPINGS),
        (
            "wrn16_8",
            200,
            {0: 1, 59.9: 1, 60: 0.2, 119.9: 0.2, 120: 0.04, 159.9: 0.04, 160: 0.008, 199.9: 0.008},
        ),
        ("shake_shake26_2x96d", 1800, QUARTERS),
        ("shake_even29_2x4x64d", 1800, QUARTERS),
        ("demo", 1, {0: 1, 0.5: 0.5, 1: 0}),
    ],
)
def test_the_rate_falls_where_the_recipe_says(
    recipe: str, unit: int, expected: dict[float, float]
) -> None:
    factor = build_schedule(compose([f"recipe={recipe}", "data=cifar10"]).recipe.schedule)
    assert {at: factor(at / unit) for at in expected} == pytest.approx(
        expected, rel=1e-9, abs=1e-12
    )


@pytest.mark.parametrize(("epochs", "steps_in_an_epoch"), [(164, 390), (2, 320)])
def test_a_warm_up_takes_its_share_of_the_steps(epochs: int, steps_in_an_epoch: int) -> None:
    factor, steps = (
        build_schedule(compose(["recipe=resnet110"]).recipe.schedule),
        epochs * steps_in_an_epoch,
    )
    low = [step for step in range(steps // 2) if factor(step / steps) == 0.1]
    assert low == list(range(round(400 / 64000 * steps)))  # 400 of CIFAR's 63,960, 4 of 640


def test_detectrons_warm_up_rises_from_a_third_in_500_steps_and_its_drops_follow() -> None:
    factor = build_schedule(compose(["+experiment=coco"]).recipe.schedule)
    at = {0: 0.333, 250: 0.6665, 500: 1, 119_999: 1, 120_000: 0.1, 159_999: 0.1, 160_000: 0.01}
    for step, expected in at.items():
        assert factor(step / 180_000) == pytest.approx(expected), step


def test_without_a_warm_up_its_factor_is_idle() -> None:
    factor = build_schedule(
        compose(["recipe=cifar_resnet", "recipe.schedule.warmup_factor=0.5"]).recipe.schedule
    )
    assert factor(0.0) == 1


def test_a_plateau_drops_the_rate_once_the_loss_stays() -> None:
    module = Classification(torch.nn.Linear(1, 1), compose(["recipe=mobile"]).recipe, seed=0)
    optimizer = module.configure_optimizers()
    assert isinstance(optimizer, torch.optim.SGD)
    assert module.plateau
    rates = []
    for loss in [3.0, 2.0, *[2.0] * 11, 1.0, *[1.0] * 11]:
        module.plateau.step(loss)
        rates.append(optimizer.param_groups[0]["lr"])
    assert rates == pytest.approx([0.1] * 12 + [0.01] * 12 + [0.001])


@pytest.mark.parametrize(
    ("name", "batch_size", "epochs", "lr", "weight_decay", "nesterov"),
    [
        ("resnet110", 128, 164, 0.1, 1e-4, False),
        ("resnet164", 128, 164, 0.1, 1e-4, False),
        ("wrn16_8", 128, 200, 0.1, 5e-4, True),
        ("shake_shake26_2x96d", 128, 1800, 0.2, 1e-4, True),
        ("shake_even29_2x4x64d", 32, 1800, 0.025, 5e-4, True),
        ("mobile", 256, 400, 0.1, 4e-5, False),
        ("senet154", 2048, 100, 1.0, 1e-4, False),
    ],
)
def test_the_optimiser_gets_what_the_sources_state(
    name: str, batch_size: int, epochs: int, lr: float, weight_decay: float, nesterov: bool
) -> None:
    recipe = compose([f"recipe={name}", "data=cifar10"]).recipe
    assert (recipe.batch_size, recipe.epochs) == (batch_size, epochs)
    expected = {
        "lr": lr,
        "momentum": 0.9,
        "dampening": 0,
        "weight_decay": weight_decay,
        "nesterov": nesterov,
    }
    assert (
        expected.items()
        <= build_optimizer([torch.nn.Parameter(torch.zeros(1))], recipe).defaults.items()
    )


def test_only_shake_recipes_cut_out_and_only_senet154_smooths() -> None:
    names = [
        "resnet110",
        "resnet164",
        "wrn16_8",
        "shake_shake26_2x96d",
        "shake_even29_2x4x64d",
        "mobile",
        "senet154",
    ]
    recipes = [compose([f"recipe={name}", "data=cifar10"]).recipe for name in names]
    assert [recipe.cutout_px for recipe in recipes] == [0, 0, 0, 16, 8, 0, 0]
    assert [recipe.label_smoothing for recipe in recipes] == [0, 0, 0, 0, 0, 0, 0.1]


def test_a_momentum_of_another_layout_gives_the_same_step() -> None:
    recipe = compose(["recipe=demo", "data=digits"]).recipe
    stepped = []
    for is_matched in (False, True):
        values = torch.arange(24.0).view(2, 3, 2, 2)
        weight = torch.nn.Parameter(values.to(memory_format=torch.channels_last))
        bias = torch.nn.Parameter(torch.ones(2))
        optimizer = build_optimizer([weight, bias], recipe)
        optimizer.state[weight]["momentum_buffer"] = values.clone()
        if is_matched:
            adapt_to_device(optimizer)
            momentum = optimizer.state[weight]["momentum_buffer"]
            assert momentum.stride() == weight.stride()
            assert torch.equal(momentum, values)
        weight.grad, bias.grad = torch.ones_like(weight), torch.ones_like(bias)
        optimizer.step()
        stepped.append(weight.detach())
    assert torch.equal(*stepped)


def test_a_checkpoint_of_another_device_does_not_choose_how_this_one_updates() -> None:
    recipe = compose(["recipe=demo", "data=digits"]).recipe
    optimizer = build_optimizer([torch.nn.Parameter(torch.ones(2))], recipe)
    of_a_gpu = optimizer.state_dict()
    of_a_gpu["param_groups"][0]["fused"] = True
    optimizer.load_state_dict(of_a_gpu)
    adapt_to_device(optimizer)
    assert optimizer.param_groups[0]["fused"] is None
