"""Every network at every placement it offers: gates, gradients, outputs; and every refusal."""

from __future__ import annotations

import re

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from senet_repro.config.schema import EXCITATIONS, SQUEEZES
from senet_repro.models import create_model, list_models, registry
from senet_repro.models.layers import Classifier, LinearHead
from senet_repro.models.registry import model_info, register
from senet_repro.models.residual import ResidualUnit
from senet_repro.models.se import SEBlock, SEPlan

pytestmark = pytest.mark.usefixtures("one_thread")

EVERY_PLACEMENT = [(name, site) for name in list_models() for site in model_info(name).placements]
DEEP = ("resnet101", "resnet152")  # more of resnet50's units: built without weights only


def build(name: str, **axes: object) -> Classifier:
    torch.manual_seed(0)
    return create_model(name, 10, **axes)


def skeleton(name: str, **axes: object) -> Classifier:
    with torch.device("meta"):
        return build(name, **axes)


def batch(n: int = 4) -> Tensor:
    return torch.randn(n, 3, 16, 16, generator=torch.Generator().manual_seed(1))


def count(net: nn.Module, kind: type[nn.Module]) -> int:
    return sum(isinstance(module, kind) for module in net.modules())


def open_hidden_units(net: nn.Module) -> None:
    """Make the first FC of every block positive, so that only a fault of wiring leaves a gradient zero.

    As initialised, all hidden units of a block may be shut for a whole batch (r=16 leaves 16 channels a single
    one). With positive weights they cannot: behind a ReLU every z is positive, behind a BN z averages to zero.
    """
    for module in net.modules():
        if isinstance(module, SEBlock):
            module.fc1.weight.data.abs_()


def test_networks() -> None:
    assert list_models() == [
        "resnet101",
        "resnet11",
        "resnet152",
        "resnet20",
        "resnet29",
        "resnet50",
        "resnet56",
    ]


@pytest.mark.parametrize(("name", "placement"), EVERY_PLACEMENT)
def test_one_block_per_unit(name: str, placement: str) -> None:
    net = skeleton(name, placement=placement)
    assert count(net, SEBlock) == count(net, ResidualUnit)
    assert tuple(net.stages) == tuple(map(str, model_info(name).stages))


@pytest.mark.parametrize(("name", "placement"), [point for point in EVERY_PLACEMENT if point[0] not in DEEP])
def test_every_parameter_learns_and_every_block_tells(name: str, placement: str) -> None:
    net = build(name, placement=placement)
    open_hidden_units(net)
    net(batch()).square().sum().backward()
    assert [key for key, p in net.named_parameters() if p.grad is None or not p.grad.any()] == []

    plain, logits = build(name, r=None).eval()(batch()), net.eval()(batch())
    assert logits.shape == (4, 10)
    assert not torch.allclose(logits, plain, rtol=1e-2)
    torch.testing.assert_close(net(batch()[:1]), logits[:1], rtol=1e-3, atol=1e-3 * logits.abs().max().item())


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
    ],
)
def test_stages_gate_exactly_those(name: str, stages: object, gated: dict[int, int]) -> None:
    net = skeleton(name, stages=stages)
    assert {int(key): n for key, stage in net.stages.items() if (n := count(stage, SEBlock))} == gated


@pytest.mark.parametrize("r", [None, "none"])
def test_no_r_means_no_se(r: object) -> None:
    assert count(skeleton("resnet20", r=r), SEBlock) == 0


def test_units_per_depth() -> None:
    units = {name: count(skeleton(name, r=None), ResidualUnit) for name in list_models()}
    assert units == {
        "resnet11": 3,
        "resnet20": 9,
        "resnet29": 9,
        "resnet50": 16,
        "resnet56": 27,
        "resnet101": 33,
        "resnet152": 50,
    }


def test_same_seed_same_network() -> None:
    one, other = build("resnet11").state_dict(), build("resnet11").state_dict()
    assert all(one[key].equal(other[key]) for key in one)


@pytest.mark.parametrize(
    ("name", "wrong", "message"),
    [
        (
            "resnet_50",
            {},
            "network 'resnet_50' does not exist; did you mean resnet50? Known: resnet101, resnet11,",
        ),
        ("swin", {}, "network 'swin' does not exist; Known: resnet101"),
        (
            "resnet50",
            {"groups": 32},
            "option=groups: resnet50 offers stride_on, stem_pool, r, squeeze, excitation, stages,",
        ),
        ("resnet20", {"stride_on": "conv1x1"}, "option=stride_on: resnet20 offers r, squeeze"),
        ("resnet50", {"stride_on": "conv5x5"}, "stride_on=conv5x5: give conv1x1 or conv3x3"),
        ("resnet50", {"squeeze": "mean"}, "squeeze=mean: give avg, max or none"),
        ("resnet50", {"excitation": "gelu"}, "excitation=gelu: give sigmoid, tanh or relu"),
        ("resnet50", {"fc": "dense"}, "fc=dense: give linear or conv"),
        ("resnet50", {"r": "many"}, "r=many: give a whole number of at least 1, such as 16, or none"),
        ("resnet50", {"r": -4}, "r=-4: give a whole number"),
        ("resnet20", {"stages": [2, 5]}, "stage=5: resnet20 offers 2, 3 and 4"),
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
    ],
)
def test_refusals_name_the_mend(name: str, wrong: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        create_model(name, **wrong)


def plain_net(plan: SEPlan, num_classes: int) -> Classifier:
    stages = nn.ModuleDict({"2": plan.gate("standard", 2, 3), "3": nn.ReLU()})
    return Classifier(nn.Identity(), stages, LinearHead(3, num_classes))


@pytest.fixture
def only_standard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_MODELS", {})
    register(stages=(2, 3), placements=("standard",))(plain_net)


@pytest.mark.usefixtures("only_standard")
def test_placement_that_a_network_does_not_offer() -> None:
    with pytest.raises(ValueError, match="placement=pre: plain_net offers standard"):
        create_model("plain_net", placement="pre")


@pytest.mark.usefixtures("only_standard")
def test_network_that_forgets_a_gate_is_refused() -> None:
    assert count(create_model("plain_net", stages=[2]), SEBlock) == 1
    with pytest.raises(RuntimeError, match="plain_net built no SE block at 'standard' in stage 3"):
        create_model("plain_net")
