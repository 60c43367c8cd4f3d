"""Every network at every placement it offers: gates, gradients, outputs; and every refusal."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from senet_repro.config import conf_dir
from senet_repro.config.schema import EXCITATIONS, SQUEEZES
from senet_repro.models import create_model, list_models, registry
from senet_repro.models.layers import Classifier, LinearHead
from senet_repro.models.registry import model_info, register_network
from senet_repro.models.se import SEBlock, SEPlan
from tests.models.expected_sizes import units_of

pytestmark = pytest.mark.usefixtures("one_thread")

OPTIONS = [
    ("inception_resnet_v2", {"stem": "slim"}),
    ("resnet50", {"stride_on": "conv3x3"}),
    ("resnet50", {"stem_pool": "padded"}),
    ("resnet110", {"first_activation": "branch_only", "shortcut": "projected"}),
    ("resnext50", {"stride_on": "conv1x1"}),
    ("shake_even29_2x4x64d", {"se_on": "mix"}),
    ("shake_shake26_2x96d", {"se_on": "mix"}),
]
Point = tuple[str, str, dict[str, str]]
POINTS: list[Point] = [
    (name, site, {}) for name in list_models() for site in model_info(name).placements
]
POINTS += [(name, "standard", options) for name, options in OPTIONS]
# The least that a network works on, or costs little on; 16 pixels where nothing is given.
INPUT_PX = {"bn_inception": 32, "inception_resnet_v2": 80, "vgg16": 32}
INPUT_PX |= dict.fromkeys(
    ("resnet110", "resnet164", "shake_even29_2x4x64d", "shake_shake26_2x96d", "wrn16_8"), 8
)
# More of the units of another depth, whose gradients are looked at there.
DEEP = ("resnet101", "resnet152", "resnext101")
# Seconds a step: with values at the standard placement alone.
HEAVY = ("inception_resnet_v2", "senet154", "shake_even29_2x4x64d", "shake_shake26_2x96d", "vgg16")


def has_values(name: str, placement: str, options: dict[str, str]) -> bool:
    """Return whether a network is trained with real values rather than on the meta device, if at all."""
    is_standard = placement == "standard" and not options
    return name not in DEEP and (name not in HEAVY or is_standard)


REAL = [
    pytest.param(*point, marks=[pytest.mark.slow] * (point[0] in HEAVY))
    for point in POINTS
    if has_values(*point)
]
UNREAL = [point for point in POINTS if point[0] in HEAVY and not has_values(*point)]
SHIFTS = {  # how many shifts a later BN takes away again: their gradients are rounding noise
    "vgg16": (r"conv_bn\.conv\.bias$", 13),
    "shufflenet": (r"depthwise\.bn\.bias$", 16),
    "inception_resnet_v2": (r"stages\.5\.10\.branch\.increase\.bias$", 1),
}


def build(name: str, **axes: object) -> Classifier:
    torch.manual_seed(0)
    return create_model(name, 10, **{"bias": True, **axes})


def skeleton(name: str, **axes: object) -> Classifier:
    with torch.device("meta"):
        return build(name, **axes)


def input_px(name: str) -> int:
    return INPUT_PX.get(name, 16)


def batch(px: int = 16) -> Tensor:
    return torch.randn(4, 3, px, px, generator=torch.Generator().manual_seed(1))


def trained_logits(net: nn.Module, images: Tensor) -> Tensor:
    """Training mode, with the same dropout and the same shares of Shake-Shake for every network of a name."""
    torch.manual_seed(1)
    return net.train()(images)


@lru_cache(maxsize=1)
def plain(name: str, **options: str) -> tuple[dict[str, Tensor], Tensor]:
    """Return first weights and logits of the network without SE."""
    net = build(name, r=None, **options)
    with torch.no_grad():
        return dict(net.named_parameters()), trained_logits(net, batch(input_px(name)))


def count(net: nn.Module, kind: type[nn.Module]) -> int:
    return sum(isinstance(module, kind) for module in net.modules())


def open_hidden_units(net: nn.Module) -> None:
    """Let every hidden unit of a block through, so that only a fault of wiring leaves a gradient zero.

    As initialised, all hidden units of a block may be shut for a whole batch (r=16 leaves 16 channels a single one).
    """
    for module in net.modules():
        if isinstance(module, SEBlock):
            module.relu = nn.LeakyReLU(0.1)


@pytest.mark.parametrize(("name", "placement", "options"), POINTS, ids=str)
def test_blocks_per_network(name: str, placement: str, options: dict[str, str]) -> None:
    net = skeleton(name, placement=placement, **options)
    # A Shake-Shake network gates both of its branches there.
    both = name.startswith("shake") and (
        placement == "conv3x3" or (placement == "standard" and not options)
    )
    assert count(net, SEBlock) == units_of(name) * (2 if both else 1)
    assert tuple(net.stages) == tuple(map(str, model_info(name).stages))


@pytest.mark.parametrize(("name", "placement", "options"), REAL, ids=str)
def test_every_parameter_learns_and_every_block_tells(
    name: str, placement: str, options: dict[str, str]
) -> None:
    net, images = build(name, placement=placement, **options), batch(input_px(name))
    first, plain_logits = plain(name, **options)
    parameters = dict(net.named_parameters())
    assert all(parameters[key].equal(p) for key, p in first.items())

    open_hidden_units(net)
    logits = trained_logits(net, images)
    logits.square().sum().backward()
    pattern, shifts = SHIFTS.get(name, ("$^", 0))
    learning = [key for key in parameters if not re.search(pattern, key)]
    assert len(learning) == len(parameters) - shifts
    assert [
        key
        for key in learning
        if parameters[key].grad is None or parameters[key].grad.abs().max() < 1e-5
    ] == []
    assert logits.shape == (4, 10)
    assert not torch.allclose(logits, plain_logits, rtol=1e-2)

    with torch.no_grad():
        together, alone = net.eval()(images), net(images[:1])
    torch.testing.assert_close(
        alone, together[:1], rtol=1e-2, atol=1e-2 * together.abs().max().item()
    )


@pytest.mark.parametrize(("name", "placement", "options"), UNREAL, ids=str)
def test_every_parameter_is_reached_where_values_would_cost_too_much(
    name: str, placement: str, options: dict[str, str]
) -> None:
    net = skeleton(name, placement=placement, **options).train()
    logits = net(torch.empty(4, 3, input_px(name), input_px(name), device="meta"))
    assert logits.shape == (4, 10)
    logits.sum().backward()
    assert [key for key, p in net.named_parameters() if p.grad is None] == []


@pytest.mark.parametrize(
    ("name", "hidden"),
    [
        ("bn_inception", [16, 20, 36, 36, 36, 38, 38, 66, 64, 64]),
        ("inception_resnet_v2", [20] * 10 + [68] * 20 + [130] * 10),
        ("mobilenet", [4, 8, 8, 16, 16, *[32] * 6, 64, 64]),
        ("resnet110", [1] * 18 + [2] * 18 + [4] * 18),
        ("shufflenet", [216 // 16] + [15] * 4 + [30] * 8 + [60] * 3),
        ("vgg16", [4, 4, 8, 8, 16, 16, 16, *[32] * 6]),
        ("wrn16_8", [8, 8, 16, 16, 32, 32]),
    ],
)
def test_hidden_widths(name: str, hidden: list[int]) -> None:
    assert [
        module.fc1.out_features
        for module in skeleton(name).modules()
        if isinstance(module, SEBlock)
    ] == hidden


IMAGENET_MAPS = [56, 28, 14, 7]


@pytest.mark.parametrize(
    ("name", "options", "input_px", "maps"),
    [
        *[
            (name, {}, 224, IMAGENET_MAPS)
            for name in ("resnet50", "resnet152", "resnext50", "senet154")
        ],
        ("resnet50", {"stride_on": "conv3x3", "stem_pool": "padded"}, 224, IMAGENET_MAPS),
        ("vgg16", {}, 224, [112, *IMAGENET_MAPS]),
        ("mobilenet", {}, 224, [112, *IMAGENET_MAPS]),
        ("bn_inception", {}, 224, [14, 7, 7]),  # 3c and 4e halve at the ends of their stages
        ("shufflenet", {}, 224, [28, 14, 7]),
        ("inception_resnet_v2", {}, 299, [34, 16, 7]),
        ("inception_resnet_v2", {"stem": "slim"}, 299, [35, 17, 8]),
        *[
            (name, {}, 32, [32, 16, 8])
            for name in ("resnet110", "resnet164", "wrn16_8", "resnet110_post", "resnet29")
        ],
        *[(name, {}, 32, [32, 16, 8]) for name in ("shake_shake26_2x96d", "shake_even29_2x4x64d")],
    ],
    ids=str,
)
def test_maps_that_leave_each_stage(
    name: str, options: dict[str, str], input_px: int, maps: list[int]
) -> None:
    net = skeleton(name, **options).eval()
    x = net.stem(torch.empty(1, 3, input_px, input_px, device="meta"))
    sides = []
    for stage in net.stages.values():
        x = stage(x)
        sides.append(x.shape[2:])
    assert sides == [(side, side) for side in maps]


def test_dropout_of_each_network() -> None:
    dropouts = {
        name: [m.p for m in skeleton(name).modules() if isinstance(m, nn.Dropout)]
        for name in list_models()
    }
    assert {name: p for name, p in dropouts.items() if p != [0.0]} == {
        "senet154": [0.2],
        "vgg16": [0.5],
    }


@pytest.mark.parametrize("name", ["resnet20", "resnet29"])  # one of each kind of unit
@pytest.mark.parametrize("squeeze", SQUEEZES)
@pytest.mark.parametrize("excitation", EXCITATIONS)
def test_every_operator_trains_a_step(name: str, squeeze: str, excitation: str) -> None:
    net = build(name, squeeze=squeeze, excitation=excitation)
    optimiser = torch.optim.SGD(net.parameters(), lr=0.01)
    before = [p.detach().clone() for p in net.parameters()]
    loss = F.cross_entropy(net(batch()), torch.arange(4))
    loss.backward()
    optimiser.step()
    assert loss.isfinite()
    assert all(p.isfinite().all() for p in net.parameters())
    assert any(not p.equal(b) for p, b in zip(net.parameters(), before, strict=True))


@pytest.mark.parametrize(
    ("name", "stages", "gated"),
    [
        ("resnet50", "all", {2: 3, 3: 4, 4: 6, 5: 3}),
        ("resnet50", "all_but_last", {2: 3, 3: 4, 4: 6}),
        ("resnet50", "none", {}),
        ("resnet50", [3], {3: 4}),
        ("resnet50", (5, 2), {2: 3, 5: 3}),
        ("resnet152", [4], {4: 36}),
        ("resnet56", [2, 4], {2: 9, 4: 9}),
        ("resnet29", "all_but_last", {2: 3, 3: 3}),
        ("senet154", [3, 5], {3: 8, 5: 3}),
        ("vgg16", "all", {1: 2, 2: 2, 3: 3, 4: 3, 5: 3}),
        ("bn_inception", "all", {3: 3, 4: 5, 5: 2}),
        ("inception_resnet_v2", "all", {3: 10, 4: 20, 5: 10}),
        ("mobilenet", "all", {1: 1, 2: 2, 3: 2, 4: 6, 5: 2}),
        ("shufflenet", "all_but_last", {2: 4, 3: 8}),
        ("resnet164", [3], {3: 18}),
        ("wrn16_8", "all", {2: 2, 3: 2, 4: 2}),
        ("shake_shake26_2x96d", [4], {4: 8}),
        ("shake_even29_2x4x64d", "all_but_last", {2: 6, 3: 6}),
    ],
)
def test_stages_gate_exactly_those(name: str, stages: object, gated: dict[int, int]) -> None:
    net = skeleton(name, stages=stages)
    assert {
        int(key): n for key, stage in net.stages.items() if (n := count(stage, SEBlock))
    } == gated


@pytest.mark.parametrize("r", [None, "none"])
def test_no_r_means_no_se(r: object) -> None:
    assert count(skeleton("resnet20", r=r), SEBlock) == 0


def test_same_seed_same_network() -> None:
    one, other = build("resnet11").state_dict(), build("resnet11").state_dict()
    assert all(one[key].equal(other[key]) for key in one)


@pytest.mark.parametrize(
    ("name", "wrong", "message"),
    [
        (
            "resnet_50",
            {},
            "network 'resnet_50' does not exist; did you mean resnet50? Known: bn_inception, inception_",
        ),
        ("swin", {}, "network 'swin' does not exist; Known: bn_inception"),
        (
            "resnet50",
            {"groups": 32},
            "option=groups: resnet50 offers stride_on, stem_pool, r, squeeze, excitation, stages,",
        ),
        ("resnet20", {"stride_on": "conv1x1"}, "option=stride_on: resnet20 offers r, squeeze"),
        ("resnet50", {"stem": "slim"}, "option=stem: resnet50 offers stride_on, stem_pool, r"),
        ("senet154", {"stride_on": "conv1x1"}, "option=stride_on: senet154 offers r, squeeze"),
        ("resnet110_post", {"se_on": "mix"}, "option=se_on: resnet110_post offers r, squeeze"),
        ("resnet50", {"stride_on": "conv5x5"}, "stride_on=conv5x5: give conv1x1 or conv3x3"),
        ("resnext50", {"stem_pool": "none"}, "stem_pool=none: give unpadded or padded"),
        ("inception_resnet_v2", {"stem": "v4"}, "stem=v4: give unpadded or slim"),
        ("shake_shake26_2x96d", {"se_on": "sum"}, "se_on=sum: give branch or mix"),
        ("resnet50", {"squeeze": "mean"}, "squeeze=mean: give avg, max or none"),
        ("resnet50", {"excitation": "gelu"}, "excitation=gelu: give sigmoid, tanh or relu"),
        ("resnet50", {"fc": "dense"}, "fc=dense: give linear or conv"),
        (
            "resnet50",
            {"r": "many"},
            "r=many: give a whole number from 1 to 2,048, such as 16, or none",
        ),
        ("resnet50", {"r": -4}, "r=-4: give a whole number"),
        ("resnet20", {"stages": [2, 5]}, "stages=[2,5]: resnet20 offers 2, 3 and 4"),
        ("resnet50", {"stages": []}, "stages=[]: give stage numbers such as [2,3]"),
        ("resnet50", {"stages": (2, 2)}, "name each stage once"),
        ("resnet50", {"stages": 3}, "stages=3: give stage numbers"),
        (
            "resnet20",
            {"stages": "last"},
            "stages=last: give all, all_but_last or none",
        ),
        (
            "resnet50",
            {"placement": "middle"},
            "placement=middle: resnet50 offers standard, pre, post, identity and conv3x3",
        ),
        ("vgg16", {"placement": "pre"}, "placement=pre: vgg16 offers standard"),
        ("bn_inception", {"placement": "post"}, "placement=post: bn_inception offers standard"),
        ("mobilenet", {"placement": "conv3x3"}, "placement=conv3x3: mobilenet offers standard"),
        ("vgg16", {"stages": [6]}, "stages=[6]: vgg16 offers 1, 2, 3, 4 and 5"),
        (
            "inception_resnet_v2",
            {"stages": [2]},
            "stages=[2]: inception_resnet_v2 offers 3, 4 and 5",
        ),
    ],
)
def test_refusals_name_the_mend(name: str, wrong: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        create_model(name, **wrong)


def plain_net(plan: SEPlan, num_classes: int, *, stem_pool: str) -> Classifier:
    stages = nn.ModuleDict({"2": plan.gate("standard", 2, 3), "3": nn.ReLU()})
    return Classifier(nn.Identity(), stages, LinearHead(3, num_classes))


PLAIN_NET = """
name: plain_net
stages: [2, 3]
placements: [standard]
input_px: 32
options:
  stem_pool: padded
"""


def test_a_network_is_a_builder_and_a_file_and_one_that_forgets_a_gate_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "plain_net.yaml").write_text(PLAIN_NET)
    monkeypatch.setattr(conf_dir, "CONF_DIR", tmp_path)
    monkeypatch.setattr(registry, "_BUILDERS", {})
    register_network(plain_net)
    net = create_model("plain_net", stages=[2])
    assert count(net, SEBlock) == 1
    assert net.options == {"stem_pool": "padded"}
    with pytest.raises(RuntimeError, match="plain_net built no SE block at 'standard' in stage 3"):
        create_model("plain_net")
