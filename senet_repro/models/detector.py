"""Faster R-CNN over a network of the grid, with a pyramid of its features (section 5.3, Table 7; models floor)."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.roi_heads import RoIHeads
from torchvision.ops import FrozenBatchNorm2d, MultiScaleRoIAlign

from senet_repro.config.detection import list_pyramid_stages
from senet_repro.config.schema import Data, Detection, Run
from senet_repro.models.layers import Classifier

# Detectron's figures, which torchvision has too.
ASPECTS = (0.5, 1.0, 2.0)
REGION_PX = 7
SAMPLES_PER_BIN = 2
MOST_FOUND = 100
LEAST_SCORE = 0.05
MOST_OVERLAP = 0.5
POSITIVE_IOU = 0.5
POSITIVE_SHARE = 0.25
# Pictures below so many pixels show how many channels a stage has.
_PROBE_PX = 64


class RegionHeads(RoIHeads):  # type: ignore[misc]  # torchvision states no types
    """Name and place the objects in proposed regions, by torchvision's box head with a loss of Detectron's form.

    torchvision's smooth L1 loss of boxes turns from a square to a line at 1/9, Detectron's at 1.
    """

    def __init__(self, *settings: object, box_beta: float) -> None:
        super().__init__(*settings)
        self.box_beta = box_beta

    def forward(
        self,
        features: dict[str, Tensor],
        proposals: list[Tensor],
        image_shapes: list[tuple[int, int]],
        targets: list[dict[str, Tensor]] | None = None,
    ) -> tuple[list[dict[str, Tensor]], dict[str, Tensor]]:
        """Return what was found in each picture and no loss or, in training, nothing and the losses by name."""
        if not self.training:
            found: tuple[list[dict[str, Tensor]], dict[str, Tensor]]
            found = super().forward(features, proposals, image_shapes, targets)
            return found
        sampled, _, labels, offsets = self.select_training_samples(proposals, targets)
        regions = self.box_roi_pool(features, sampled, image_shapes)
        logits, found_offsets = self.box_predictor(self.box_head(regions))
        class_loss, box_loss = compute_region_losses(
            logits, found_offsets, torch.cat(labels), torch.cat(offsets), self.box_beta
        )
        return [], {"loss_class": class_loss, "loss_box": box_loss}


def compute_region_losses(
    logits: Tensor, found_offsets: Tensor, labels: Tensor, offsets: Tensor, box_beta: float
) -> tuple[Tensor, Tensor]:
    """Return the mean losses of class and box over R regions, each of shape ().

    `logits` are (R, classes), class 0 being the background, `found_offsets` (R, 4 * classes) a box for each class,
    `labels` (R,) and `offsets` (R, 4) what is true. Only regions of objects have a loss of the box.
    """
    class_loss = F.cross_entropy(logits, labels)
    of_objects = torch.where(labels > 0)[0]
    by_class = found_offsets.reshape(len(labels), -1, 4)
    found = by_class[of_objects, labels[of_objects]]
    box_loss = F.smooth_l1_loss(found, offsets[of_objects], beta=box_beta, reduction="sum")
    return class_loss, box_loss / labels.numel()


class Detector(FasterRCNN):  # type: ignore[misc]
    """Find the objects in pictures: torchvision's Faster R-CNN with a pyramid of features, in Detectron's settings.

    In training, pictures and their objects to losses by name; in evaluation, pictures to a list of dictionaries, each
    with at most 100 `boxes` (n, 4) x1, y1, x2, y2 in pixels of the picture, `labels` (n,) from 1 and `scores` (n,). A
    picture is float32 (3, H, W) on the scale 0..255; the detector scales and normalises it.

    Pictures of a batch are padded to one size. A squeeze averages over the padding, too, as in any framework that pads,
    so that what is found depends on the other pictures of a batch: in evaluation each picture is a batch of its own.

    It departs from Detectron in these points, as torchvision does: anchors that reach over the edge of a picture train
    the proposals too, boxes have the width x2 - x1 and not one more, the proposals that training keeps are so many of
    each picture and not of all pictures of a device together, and layers beside the trunk are drawn as torch draws
    them. What SGD does otherwise, `build_optimizer` says.
    """

    def __init__(
        self, backbone: BackboneWithFPN, classes: int, data: Data, detection: Detection
    ) -> None:
        """Put the heads on a pyramid of features.

        Args:
            backbone: The trunk and its pyramid.
            classes: Classes of objects; the background is one more.
            data: The sizes and the mean pixel of the pictures.
            detection: The settings of the detector.
        """
        anchors = AnchorGenerator(
            sizes=tuple((side,) for side in detection.anchor_px),
            aspect_ratios=(ASPECTS,) * len(detection.anchor_px),
        )
        # The subsampled level above the stages proposes regions, and none is read from it.
        levels = [str(level) for level in range(len(detection.anchor_px) - 1)]
        pool = MultiScaleRoIAlign(levels, output_size=REGION_PX, sampling_ratio=SAMPLES_PER_BIN)
        width = detection.head_channels
        head = TwoMLPHead(backbone.out_channels * REGION_PX**2, width)
        predictor = FastRCNNPredictor(width, classes + 1)
        super().__init__(
            backbone,
            min_size=data.train_px,
            max_size=data.most_px,
            image_mean=data.mean,
            image_std=data.std,
            rpn_anchor_generator=anchors,
            rpn_pre_nms_top_n_train=detection.train_proposals,
            rpn_pre_nms_top_n_test=detection.eval_proposals,
            rpn_post_nms_top_n_train=detection.train_proposals,
            rpn_post_nms_top_n_test=detection.eval_proposals,
            box_roi_pool=pool,
            box_head=head,
            box_predictor=predictor,
        )
        self.roi_heads = RegionHeads(
            pool,
            head,
            predictor,
            POSITIVE_IOU,
            POSITIVE_IOU,
            detection.sampled_regions,
            POSITIVE_SHARE,
            None,
            LEAST_SCORE,
            MOST_OVERLAP,
            MOST_FOUND,
            box_beta=detection.box_beta,
        )
        self._sides_px = {True: data.train_px, False: data.eval_px}

    def train(self, mode: bool = True) -> Detector:
        """Switch between training and evaluation, each with its own size of pictures."""
        super().train(mode)
        self.transform.min_size = (self._sides_px[mode],)
        return self


def build_detector(trunk: Classifier, run: Run) -> Detector:
    """Return the detector of a run over its network, whose head is left behind; the trunk is changed in place.

    Frozen layers keep their values: the stem and the stages up to `detection.freeze_at`, with their SE blocks, and
    every batch normalisation where `detection.batch_norm` is frozen.
    """
    detection = run.detection
    body = _take_body(trunk)
    stages = list_pyramid_stages(run)
    channels = _count_channels(body, stages)
    if detection.freeze_at:
        _freeze_layers(body, detection.freeze_at)
    if detection.batch_norm == "frozen":
        freeze_batch_norms(body)
    levels = {str(stage): str(level) for level, stage in enumerate(stages)}
    backbone = BackboneWithFPN(body, levels, channels, detection.pyramid_channels)
    detector = Detector(backbone, run.data.classes, run.data, detection)
    if run.trainer.channels_last:
        detector = detector.to(memory_format=torch.channels_last)
    return detector


def _take_body(trunk: Classifier) -> nn.Sequential:
    """Return stem and stages of a network in sequence, the stages under their numbers."""
    parts: OrderedDict[str, nn.Module] = OrderedDict(stem=trunk.stem)
    parts.update(trunk.stages.items())
    return nn.Sequential(parts)


def _count_channels(body: nn.Sequential, stages: list[int]) -> list[int]:
    """Return the channels of the maps of some stages."""
    channels = {}
    is_training = body.training
    body.eval()
    probe = next(body.parameters())
    x = torch.zeros(1, 3, _PROBE_PX, _PROBE_PX, device=probe.device, dtype=probe.dtype)
    with torch.no_grad():
        for name, part in body.named_children():
            x = part(x)
            channels[name] = x.shape[1]
    body.train(is_training)
    return [channels[str(stage)] for stage in stages]


def _freeze_layers(body: nn.Sequential, last_stage: int) -> None:
    """Freeze the stem and the stages up to one: their weights, and the statistics of their batch normalisations."""
    for name, part in body.named_children():
        if name == "stem" or int(name) <= last_stage:
            part.requires_grad_(False)
            freeze_batch_norms(part)


def freeze_batch_norms(module: nn.Module) -> None:
    """Replace each batch normalisation below a module by one of fixed values: its own, in place."""
    for name, child in module.named_children():
        if isinstance(child, nn.BatchNorm2d):
            setattr(module, name, _fix_batch_norm(child))
        else:
            freeze_batch_norms(child)


def _fix_batch_norm(norm: nn.BatchNorm2d) -> FrozenBatchNorm2d:
    """Return a normalisation by the running statistics, scale and shift of another, none of which will change."""
    fixed = FrozenBatchNorm2d(norm.num_features, eps=norm.eps).to(norm.weight.device)
    fixed.load_state_dict(norm.state_dict())
    return fixed
