"""The detector is torchvision's over our networks: equal to it, frozen where it says so, with gates wherever asked."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models import resnet50
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.models.detection.roi_heads import fastrcnn_loss
from torchvision.ops import FrozenBatchNorm2d

from senet_repro.config.composition import compose
from senet_repro.config.schema import Run
from senet_repro.models import import_weights, network_of
from senet_repro.models.detector import build_detector, compute_region_losses
from senet_repro.models.layers import Classifier
from senet_repro.models.se import SEBlock

SHAPES = ("+experiment=coco", "protocol=shapes")
FROZEN = (*SHAPES, "detection.freeze_at=2", "detection.batch_norm=frozen")


def draw_trunk(run: Run) -> Classifier:
    """A network whose running statistics are none that a fresh one has."""
    torch.manual_seed(0)
    trunk = network_of(run)
    for module in trunk.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.1, 0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    return trunk


def draw_batch() -> tuple[list[Tensor], list[dict[str, Tensor]]]:
    generator = torch.Generator().manual_seed(1)
    pictures = [torch.rand(3, 48, side, generator=generator) * 255 for side in (64, 48)]
    boxes = torch.tensor([[4.0, 4, 30, 36], [20, 10, 44, 40]])
    targets = [{"boxes": boxes, "labels": torch.tensor([1, 3])} for _ in pictures]
    return pictures, targets


def test_a_detector_over_resnet_50_finds_what_torchvisions_own_finds() -> None:
    run = compose(
        [
            "+experiment=coco",
            "stages=none",
            "model.options.stride_on=conv3x3",
            "model.options.stem_pool=padded",
            "data.train_px=64",
            "data.eval_px=64",
            "data.most_px=96",
            "data.mean=[123.675,116.28,103.53]",
            "data.std=[58.395,57.12,57.375]",
            "detection.eval_proposals=50",
            "trainer.channels_last=false",
        ]
    )
    torch.manual_seed(0)
    theirs = resnet50(weights=None, norm_layer=FrozenBatchNorm2d)
    for name, buffer in theirs.named_buffers():
        if name.endswith("running_var"):
            nn.init.uniform_(buffer, 0.5, 1.5)
    returned = {f"layer{stage}": str(stage - 1) for stage in range(1, 5)}
    channels = [256, 512, 1024, 2048]
    reference = FasterRCNN(
        BackboneWithFPN(theirs, returned, channels, 256),
        num_classes=81,
        min_size=64,
        max_size=96,
        rpn_pre_nms_top_n_test=50,
        rpn_post_nms_top_n_test=50,
    ).eval()
    trunk = draw_trunk(replace_classes(run, 1000))
    import_weights(trunk, theirs.state_dict(), "torchvision")
    detector = build_detector(trunk, run)
    copy_heads(reference, detector)
    detector.eval()
    picture = torch.rand(3, 80, 100)
    with torch.no_grad():
        (expected,) = reference([picture])
        (found,) = detector([picture * 255])
    assert len(found["boxes"]) > 0
    for name, values in expected.items():
        torch.testing.assert_close(found[name], values, rtol=1e-3, atol=1e-3)
    assert sum(p.numel() for p in detector.parameters()) == sum(
        p.numel() for p in reference.parameters()
    )


def replace_classes(run: Run, classes: int) -> Run:
    from dataclasses import replace

    return replace(run, data=replace(run.data, classes=classes))


def copy_heads(reference: FasterRCNN, detector: FasterRCNN) -> None:
    detector.backbone.fpn.load_state_dict(reference.backbone.fpn.state_dict())
    detector.rpn.load_state_dict(reference.rpn.state_dict())
    detector.roi_heads.load_state_dict(reference.roi_heads.state_dict())


def test_the_loss_of_boxes_is_torchvisions_at_its_beta_and_a_square_to_1_at_detectrons() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(12, 4, generator=generator)
    found = torch.randn(12, 16, generator=generator)
    labels = torch.randint(4, (12,), generator=generator)
    offsets = torch.randn(12, 4, generator=generator)
    losses = compute_region_losses(logits, found, labels, offsets, 1 / 9)
    expected = fastrcnn_loss(logits, found, [labels], [offsets])
    torch.testing.assert_close(losses, expected)
    _, box_loss = compute_region_losses(logits, found, labels, offsets, 1.0)
    by_hand = 0.0
    for row, label in enumerate(labels.tolist()):
        if label == 0:
            continue
        distances = (found.view(12, 4, 4)[row, label] - offsets[row]).abs()
        by_hand += float(torch.where(distances < 1, distances**2 / 2, distances - 0.5).sum())
    assert float(box_loss) == pytest.approx(by_hand / 12)


def test_training_leaves_frozen_layers_as_they_were_to_the_bit_and_changes_all_others() -> None:
    run = compose([*FROZEN])
    detector = build_detector(draw_trunk(run), run).train()
    before = {name: tensor.clone() for name, tensor in detector.state_dict().items()}
    optimizer = torch.optim.SGD(detector.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-2)
    for _ in range(2):
        losses = detector(*draw_batch())
        optimizer.zero_grad()
        torch.stack(list(losses.values())).sum().backward()
        optimizer.step()
    unchanged = {
        name for name, tensor in detector.state_dict().items() if torch.equal(tensor, before[name])
    }
    norms = {
        f"{name}.{key}"
        for name, module in detector.named_modules()
        if isinstance(module, FrozenBatchNorm2d)
        for key in module.state_dict()
    }
    kept_stages = {
        name for name in before if name.startswith(("backbone.body.stem", "backbone.body.2"))
    }
    assert any(".standard.fc1." in name for name in kept_stages)
    assert unchanged == norms | kept_stages


def test_what_is_frozen_normalises_by_the_statistics_that_the_trunk_had() -> None:
    run = compose([*FROZEN])
    trunk = draw_trunk(run).eval()
    images = torch.rand(2, 3, 40, 48)
    with torch.no_grad():
        maps = [trunk.stem(images)]
        for stage in trunk.stages.values():
            maps.append(stage(maps[-1]))
        logits = trunk(images)
        body = build_detector(trunk, run).train().backbone.body
        features = body(images)
    torch.testing.assert_close(features["0"], maps[2])
    torch.testing.assert_close(features["1"], maps[3])
    # The head is left behind, and would read what it read before.
    torch.testing.assert_close(trunk.head(features["1"]), logits)


@pytest.mark.parametrize(
    ("axes", "blocks"),
    [
        (["placement=pre"], 3),
        (["placement=conv3x3", "squeeze=max"], 3),
        (["excitation=tanh", "stages=[3,4]"], 2),
        (["stages=none"], 0),
    ],
)
def test_every_axis_of_the_grid_works_on_the_trunk(axes: list[str], blocks: int) -> None:
    run = compose([*SHAPES, *axes])
    detector = build_detector(draw_trunk(run), run).train()
    assert sum(isinstance(module, SEBlock) for module in detector.modules()) == blocks
    losses = detector(*draw_batch())
    torch.stack(list(losses.values())).sum().backward()
    assert all(p.grad is not None and bool(p.grad.isfinite().all()) for p in detector.parameters())


def test_pictures_have_one_size_in_training_and_another_in_evaluation() -> None:
    run = compose([*SHAPES, "data.eval_px=64"])
    detector = build_detector(draw_trunk(run), run)
    picture = [torch.zeros(3, 96, 96)]
    for mode, side_px in ((True, 96), (False, 64), (True, 96)):
        detector.train(mode)
        images, _ = detector.transform(picture)
        assert images.image_sizes == [(side_px, side_px)]


def test_networks_with_and_without_se_begin_alike_wherever_they_agree() -> None:
    states = []
    for axes in ("stages=all", "stages=none"):
        run = compose([*SHAPES, axes])
        torch.manual_seed(run.seed)
        states.append(build_detector(network_of(run), run).state_dict())
    with_se, plain = states
    assert all(torch.equal(with_se[name], tensor) for name, tensor in plain.items())


def test_the_pyramid_reads_the_stages_that_are_asked_for() -> None:
    run = compose([*SHAPES, "detection.pyramid_stages=[2,4]"])
    detector = build_detector(draw_trunk(run), run).eval()
    levels = detector.backbone(torch.zeros(1, 3, 64, 64))
    assert [F.adaptive_avg_pool2d(level, 1).shape[1] for level in levels.values()] == [64] * 3
    assert [level.shape[-1] for level in levels.values()] == [64, 16, 8]
