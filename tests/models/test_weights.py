"""Weights from elsewhere: equal outputs, the way back, and what is refused."""

from __future__ import annotations

import errno
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
import torchvision
from torch import Tensor, nn

from senet_repro import create_model, export_weights, import_weights
from senet_repro.config.schema import WEIGHT_SOURCES
from senet_repro.config.weight_files import RELEASED
from senet_repro.core.errors import ConfigError
from senet_repro.models.released import RELEASES
from senet_repro.models.weights import read_weights, write_weights

PLAIN = {"r": None, "stride_on": "conv3x3", "stem_pool": "padded"}
# Whose names are those of the others, at several seconds each: with the tests that take long.
DEEP = (pytest.mark.slow, pytest.mark.faults)
NETWORKS = [  # source, its network, ours, how ours is created
    ("timm", "legacy_seresnet50", "resnet50", {}),
    ("timm", "legacy_seresnext50_32x4d", "resnext50", {}),
    pytest.param("timm", "legacy_seresnet101", "resnet101", {}, marks=DEEP),
    pytest.param("timm", "legacy_seresnet152", "resnet152", {}, marks=DEEP),
    pytest.param("timm", "legacy_seresnext101_32x4d", "resnext101", {}, marks=DEEP),
    pytest.param("timm", "legacy_senet154", "senet154", {}, marks=DEEP),
    ("torchvision", "resnet50", "resnet50", PLAIN),
    ("torchvision", "resnext50_32x4d", "resnext50", {"r": None, "stem_pool": "padded"}),
    pytest.param("torchvision", "resnet101", "resnet101", PLAIN, marks=DEEP),
    pytest.param("torchvision", "resnet152", "resnet152", PLAIN, marks=DEEP),
    pytest.param("torchvision", "vgg16_bn", "vgg16", {"r": None}, marks=DEEP),
]

State = dict[str, Tensor]


def foreign(source: str, name: str, **options: Any) -> Any:
    """A network of the source for evaluation, without values."""
    create = timm.create_model if source == "timm" else torchvision.models.get_model
    with torch.device("meta"):
        return create(name, **options).eval().to_empty(device="cpu")


def outline(name: str, **settings: Any) -> Any:
    """One of our networks for evaluation, without memory for values; with biases, as the released SE blocks."""
    with torch.device("meta"):
        return create_model(name, **{"bias": True, **settings}).eval()


def ours(name: str, **settings: Any) -> Any:
    """One of our networks for evaluation, without values."""
    return outline(name, **settings).to_empty(device="cpu")


def fill(net: nn.Module, seed: int = 0) -> None:
    """Give every parameter and statistic a value of its own.

    Scales are such that activations stay moderate: where they grow, gates become steps, and rounding errors large.
    """
    generator = torch.Generator().manual_seed(seed)
    for key, tensor in net.state_dict().items():
        if key.endswith("num_batches_tracked"):
            tensor.fill_(7)
        elif tensor.ndim > 1:
            bound = (6 / tensor[0].numel()) ** 0.5
            tensor.uniform_(-bound, bound, generator=generator)
        elif key.endswith("running_var"):
            tensor.uniform_(0.5, 1.5, generator=generator)
        elif key.endswith("weight"):
            tensor.uniform_(0.5, 1, generator=generator)
        else:
            tensor.uniform_(-0.5, 0.5, generator=generator)


@torch.no_grad()
def logits(net: nn.Module) -> Tensor:
    images = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    out: Tensor = net(images)
    assert (out[0] - out[1]).abs().max() > 1e-3 * out.abs().max(), "images make no difference"
    return out


def assert_same_logits(one: nn.Module, other: nn.Module) -> None:
    expected = logits(other)
    assert (logits(one) - expected).abs().max() <= 1e-5 * expected.abs().max()


def assert_equal(one: State, other: State) -> None:
    assert one.keys() == other.keys()
    for key, tensor in one.items():
        assert tensor.dtype == other[key].dtype
        assert tensor.equal(other[key]), key


@pytest.fixture(scope="module")
def released() -> State:
    """The state_dict of a filled legacy_seresnet50."""
    net = foreign("timm", "legacy_seresnet50")
    fill(net)
    state: State = net.state_dict()
    return state


def refused(
    released: State, source: str = "timm", network: str = "resnet50", **settings: Any
) -> str:
    """What the import into a network says."""
    with pytest.raises(ConfigError) as caught:
        import_weights(outline(network, **settings), released, source)
    return str(caught.value)


# From elsewhere, and back


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize(("source", "theirs", "name", "settings"), NETWORKS)
def test_released_networks_load_compute_the_same_and_go_back(
    source: str, theirs: str, name: str, settings: dict[str, Any]
) -> None:
    there, here = foreign(source, theirs), ours(name, **settings)
    fill(there)
    import_weights(here, there.state_dict(), source)
    assert_same_logits(here, there)
    assert_equal(export_weights(here, source), there.state_dict())


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize(
    ("source", "theirs", "name", "settings"),
    [
        ("timm", "legacy_seresnet50", "resnet50", {"fc": "linear"}),
        ("timm", "legacy_seresnet50", "resnet50", {"fc": "conv"}),
        ("timm", "legacy_seresnext50_32x4d", "resnext50", {}),
        ("torchvision", "resnet50", "resnet50", PLAIN),
    ],
)
def test_our_networks_load_elsewhere_compute_the_same_and_come_back(
    source: str, theirs: str, name: str, settings: dict[str, Any]
) -> None:
    here = ours(name, num_classes=10, **settings)
    fill(here)
    there = foreign(source, theirs, num_classes=10)
    there.load_state_dict(export_weights(here, source))
    assert_same_logits(there, here)
    back = ours(name, num_classes=10, **settings)
    import_weights(back, there.state_dict(), source)
    assert_equal(back.state_dict(), here.state_dict())


@pytest.mark.parametrize("memory", [torch.contiguous_format, torch.channels_last])
def test_exports_are_copies_in_plain_memory(memory: torch.memory_format) -> None:
    net = ours("resnet50").to(memory_format=memory)
    fill(net)
    exported = export_weights(net, "timm")
    assert all(tensor.is_contiguous() and not tensor.requires_grad for tensor in exported.values())
    before = {key: tensor.clone() for key, tensor in exported.items()}
    fill(net, seed=1)
    assert_equal(exported, before)


def test_the_released_fcs_fit_blocks_of_convolutions(released: State) -> None:
    linear, conv = ours("resnet50"), ours("resnet50", fc="conv")
    for net in (linear, conv):
        import_weights(net, released, "timm")
    assert conv.state_dict()["stages.2.0.standard.fc1.weight"].shape == (16, 256, 1, 1)
    for key, tensor in linear.state_dict().items():
        assert tensor.flatten().equal(conv.state_dict()[key].flatten())


def test_files_without_counted_batches_keep_the_networks_own(released: State) -> None:
    old = {
        key: tensor for key, tensor in released.items() if not key.endswith("num_batches_tracked")
    }
    assert len(old) < len(released)
    net = ours("resnet50")
    for key, tensor in net.state_dict().items():
        if key.endswith("num_batches_tracked"):
            tensor.fill_(3)
    import_weights(net, old, "timm")
    assert_equal(
        export_weights(net, "timm"), {key: old.get(key, torch.tensor(3)) for key in released}
    )


def test_the_global_generator_is_left_alone(released: State) -> None:
    net = ours("resnet50")
    before = torch.get_rng_state()
    import_weights(net, released, "timm")
    assert before.equal(torch.get_rng_state())


def test_training_precision_of_the_file_does_not_matter(released: State) -> None:
    net = ours("resnet50")
    import_weights(
        net, {k: v.double() if v.is_floating_point() else v for k, v in released.items()}, "timm"
    )
    assert_equal(export_weights(net, "timm"), released)


@pytest.mark.parametrize(
    "prefix", ["module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module."]
)
def test_names_that_a_wrapper_gave_are_taken_off(released: State, prefix: str) -> None:
    wrapped = {prefix + key: tensor for key, tensor in released.items()}
    net = ours("resnet50")
    import_weights(net, wrapped, "timm")
    assert torch.equal(net.state_dict()["head.fc.weight"], released["last_linear.weight"])


def test_a_prefix_of_some_names_is_no_wrapper(released: State) -> None:
    key = "layer0.conv1.weight"
    mixed = {**released, f"module.{key}": released[key]}
    assert f"module.{key} is (64, 3, 7, 7) float32 in the weights and not in" in refused(mixed)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused_by_name(released: State, value: float) -> None:
    key = "layer1.0.bn1.running_var"
    damaged = {**released, key: released[key].clone()}
    damaged[key][3] = value
    assert f"{key} holds NaN or infinity" in refused(damaged)


def test_the_configuration_knows_the_same_sources() -> None:
    assert tuple(RELEASES) == WEIGHT_SOURCES
    assert {source: tuple(networks) for source, networks in RELEASES.items()} == RELEASED


# What does not fit


def test_an_import_that_fails_leaves_the_network_as_it_was(released: State) -> None:
    net = ours("resnet50")
    fill(net, seed=1)
    before = {key: tensor.clone() for key, tensor in net.state_dict().items()}
    last = next(reversed(released))
    for wrong in (
        {**released, last: torch.zeros(7)},
        {key: tensor for key, tensor in released.items() if key != last},
        {**released, "left": torch.zeros(7)},
    ):
        with pytest.raises(ConfigError):
            import_weights(net, wrong, "timm")
        assert_equal(net.state_dict(), before)


def test_the_first_offending_key_is_named_with_both_shapes(released: State) -> None:
    said = refused(released, num_classes=10)
    assert (
        "last_linear.weight is (1000, 2048) float32 in the weights and (10, 2048) float32 in the network"
        in said
    )
    assert "head.fc.weight" in said
    assert "as many classes" in said
    wrong = {
        **released,
        "layer4.0.bn1.bias": torch.zeros(3),
        "layer1.0.se_module.fc1.weight": torch.zeros(16, 256),
    }
    said = refused(wrong)
    assert said.startswith(
        "layer1.0.se_module.fc1.weight is (16, 256) float32 in the weights and (16, 256, 1, 1)"
    )
    assert "layer1.0.bn1.bias is (64,) int64" in refused(
        {**released, "layer1.0.bn1.bias": torch.zeros(64).long()}
    )


def test_nothing_else_may_be_missing_or_left_over(released: State) -> None:
    part = {
        key: tensor
        for key, tensor in released.items()
        if not key.startswith(("layer4.2.bn3", "last_linear"))
    }
    assert refused(part).startswith(
        "layer4.2.bn3.weight is not in the weights and (2048,) float32 in the network"
    )
    said = refused({**released, "aux.weight": torch.zeros(5, 4)})
    assert said.startswith("aux.weight is (5, 4) float32 in the weights and not in the network")
    assert refused({}).startswith("layer0.conv1.weight is not in the weights")


def test_weights_of_another_source_or_network(released: State) -> None:
    assert refused(released, source="tensorflow") == "source=tensorflow: give timm or torchvision"
    said = refused(released, source="torchvision", **PLAIN)
    assert said.startswith("conv1.weight is not in the weights")
    assert "the state_dict of torchvision's resnet50" in said
    said = refused(released, network="resnext50")
    assert said.startswith(
        "layer1.0.conv1.weight is (64, 64, 1, 1) float32 in the weights and (128, 64, 1, 1)"
    )
    assert "timm's legacy_seresnext50_32x4d" in said
    assert refused(released, network="resnet101").startswith(
        "layer3.6.conv1.weight is not in the weights"
    )
    deeper = foreign("timm", "legacy_seresnet101").state_dict()
    assert refused(deeper).startswith(
        "layer3.6.conv1.weight is (256, 1024, 1, 1) float32 in the weights and not"
    )


@pytest.mark.parametrize(
    "go", [lambda net: import_weights(net, {}, "timm"), lambda net: export_weights(net, "timm")]
)
def test_networks_that_a_source_does_not_have(go: Callable[[nn.Module], object]) -> None:
    has = "resnet50, resnet101, resnet152, resnext50, resnext101 and senet154"
    with pytest.raises(ConfigError, match=f"timm has no vgg16: it has {has}"):
        go(outline("vgg16", r=None))
    with pytest.raises(ConfigError, match="Linear is not a network of create_model"):
        go(nn.Linear(2, 2))
    with pytest.raises(
        ConfigError, match="DataParallel is not a network of create_model; give that, not a wrapper"
    ):
        go(nn.DataParallel(outline("resnet50")))


TIMM = "create resnet50 with r=16, squeeze=avg, excitation=sigmoid, stages=all, placement=standard, bias=True, stride_"


@pytest.mark.parametrize(
    ("settings", "differs"),
    [
        (
            {"r": None},
            "stages.2.0.standard is Identity() here and SEBlock in timm's legacy_seresnet50",
        ),
        (
            {"r": 8},
            "stages.2.0.standard.fc1 is PositionwiseLinear(in_features=256, out_features=32",
        ),
        ({"squeeze": "max"}, "stages.2.0.standard.squeeze is AdaptiveMaxPool2d"),
        ({"excitation": "tanh"}, "stages.2.0.standard.excitation is Tanh() here and Sigmoid()"),
        ({"stages": "all_but_last"}, "stages.5.0.standard is Identity() here"),
        ({"placement": "pre"}, "stages.2.0.pre is SEBlock here and Identity()"),
        ({"placement": "conv3x3"}, "stages.2.0.branch.gate is SEBlock here and Identity()"),
        ({"bias": False}, "out_features=16, bias=False) here"),
        ({"bias": False, "fc": "conv"}, "stages.2.0.standard.fc1 is Conv2d(256, 16"),
        (
            {"stride_on": "conv3x3"},
            "stages.3.0.branch.reduce.conv is Conv2d(256, 128, kernel_size=(1, 1), stride=(1",
        ),
        ({"stem_pool": "padded"}, "stem.pool is MaxPool2d(kernel_size=3, stride=2, padding=1"),
    ],
    ids=str,
)
def test_timms_networks_fit_none_with_other_settings(
    released: State, settings: dict[str, Any], differs: str
) -> None:
    said = refused(released, **settings)
    assert differs in said
    assert f"{TIMM}on=conv1x1, stem_pool=unpadded" in said
    with pytest.raises(ConfigError) as caught:
        export_weights(outline("resnet50", **settings), "timm")
    assert str(caught.value) == said


@pytest.mark.parametrize(
    "settings", [{}, {"r": None}, {**PLAIN, "stride_on": "conv1x1"}, {**PLAIN, "r": 16}], ids=str
)
def test_torchvisions_networks_fit_none_with_other_settings(settings: dict[str, Any]) -> None:
    weights = foreign("torchvision", "resnet50").state_dict()
    said = refused(weights, source="torchvision", **settings)
    assert said.endswith(
        "torchvision's resnet50; create resnet50 with r=none, stride_on=conv3x3, stem_pool=padded"
    )


@pytest.mark.parametrize(
    "given", [{"state_dict": {}, "epoch": 3}, "weights.pth", {"layer0.conv1.weight": 1}], ids=str
)
def test_what_is_no_state_dict_is_refused(given: Any) -> None:
    assert (
        "no dictionary of tensors by name; source=timm takes the state_dict of timm's legacy_seresnet50"
        in refused(given)
    )


# Files

TENSORS = {"a.weight": torch.arange(6.0).reshape(2, 3), "a.num_batches_tracked": torch.tensor(4)}
MEND = r"cannot be read as weights: .* state_dict\(\) alone, as .safetensors or .pth"


@pytest.mark.parametrize("name", ["net.safetensors", "net.pth"])
def test_files_come_back_as_written(tmp_path: Path, name: str) -> None:
    write_weights(tmp_path / name, {"old": torch.ones(1)})
    views = {
        **TENSORS,
        "view": torch.ones(4, 3).t()[:2],
        "same": TENSORS["a.weight"],
        "p": nn.Parameter(torch.ones(2)),
    }
    write_weights(str(tmp_path / name), views)
    assert_equal(
        read_weights(str(tmp_path / name)), {key: tensor.detach() for key, tensor in views.items()}
    )
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.slow
def test_files_of_either_kind_import(tmp_path: Path, released: State) -> None:
    for name in ("net.safetensors", "net.pth"):
        write_weights(tmp_path / name, released)
        net = ours("resnet50")
        import_weights(net, read_weights(tmp_path / name), "timm")
        assert_equal(export_weights(net, "timm"), released)


@pytest.mark.parametrize("zipped", [True, False])
def test_files_of_torch_save_are_read_whatever_their_age_and_suffix(
    tmp_path: Path, zipped: bool
) -> None:
    net = nn.BatchNorm2d(3)
    torch.save(net.state_dict(), tmp_path / "net.pt", _use_new_zipfile_serialization=zipped)
    assert_equal(read_weights(tmp_path / "net.pt"), net.state_dict())


@pytest.mark.parametrize("kind", ["zip", "legacy", "safetensors"])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 0.99])
def test_files_cut_short_are_refused(tmp_path: Path, kind: str, share: float) -> None:
    path = tmp_path / ("net.safetensors" if kind == "safetensors" else "net.pth")
    tensors = {str(i): torch.ones(50, 10) for i in range(10)}
    if kind == "safetensors":
        write_weights(path, tensors)
    else:
        torch.save(tensors, path, _use_new_zipfile_serialization=kind == "zip")
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(ConfigError, match=MEND) as caught:
        read_weights(path)
    assert str(path) in str(caught.value)


class Trap:
    """Makes a folder as it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("save", ["torch", "legacy", "pickle"])
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_no_code_of_a_file_is_run(tmp_path: Path, save: str, suffix: str) -> None:
    path, sprung = tmp_path / f"net{suffix}", tmp_path / "sprung"
    data = {**TENSORS, "b": Trap(sprung)}
    if save == "pickle":
        path.write_bytes(pickle.dumps(data))
    else:
        torch.save(data, path, _use_new_zipfile_serialization=save == "torch")
    with pytest.raises(ConfigError, match=MEND):
        read_weights(path)
    assert not sprung.exists()


def test_a_whole_network_in_a_file_is_refused(tmp_path: Path) -> None:
    torch.save(nn.Linear(2, 2), tmp_path / "net.pth")
    with pytest.raises(ConfigError, match=MEND):
        read_weights(tmp_path / "net.pth")


@pytest.mark.parametrize("name", ["net.pth", "net.safetensors"])
@pytest.mark.parametrize(
    "content", [b"", b"<html>404</html>", b"\x89PNG\r\n\x1a\n" + bytes(99), bytes(999)], ids=str
)
def test_files_of_another_kind_are_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError, match=MEND):
        read_weights(tmp_path / name)


@pytest.mark.parametrize(
    "data",
    [{"state_dict": TENSORS, "epoch": 3}, [torch.ones(2)], torch.ones(2), {1: torch.ones(2)}],
)
def test_files_that_hold_no_state_dict_are_refused(tmp_path: Path, data: object) -> None:
    torch.save(data, tmp_path / "net.pth")
    with pytest.raises(
        ConfigError, match=r"net.pth does not hold a state_dict, .*; save the network's state_dict"
    ):
        read_weights(tmp_path / "net.pth")


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.pth", tmp_path):
        with pytest.raises(ConfigError, match=f"{path} is not a file; give one of weights"):
            read_weights(path)
    with pytest.raises(ConfigError, match=r"none is not a folder; make it"):
        write_weights(tmp_path / "none" / "net.pth", TENSORS)
    with pytest.raises(ConfigError, match=r"net.ckpt: give a file that ends in .safetensors"):
        write_weights(tmp_path / "net.ckpt", TENSORS)


@pytest.mark.parametrize("name", ["net.safetensors", "net.pth"])
def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_weights(tmp_path / name, TENSORS)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        write_weights(tmp_path / name, {"b": torch.ones(9)})
    assert_equal(read_weights(tmp_path / name), TENSORS)
    assert [path.name for path in tmp_path.iterdir()] == [name]
