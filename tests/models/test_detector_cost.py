"""The costs of a detector are counted as those of a classifier are."""

from __future__ import annotations

import pytest
import torch

from senet_repro.config.composition import compose
from senet_repro.models import count_macs, count_run, create_model
from senet_repro.models.detector_cost import count_dense_macs, count_detector


@pytest.mark.parametrize("axes", [{}, {"squeeze": "max"}, {"squeeze": "none"}, {"r": None}])
def test_both_counters_agree_on_a_classifier(axes: dict[str, str | None]) -> None:
    with torch.device("meta"):
        net = create_model("resnet29", 10, **axes).eval()  # type: ignore[arg-type]
        picture = torch.zeros(1, 3, 32, 32)
    assert count_dense_macs(net, picture) == count_macs(net, 32)


def test_a_detector_costs_its_trunk_its_pyramid_its_proposals_and_its_regions() -> None:
    run = compose(["+experiment=coco", "stages=none"])
    params, macs = count_detector(run)
    assert count_run(run) == (params, macs)
    # torchvision's with 81 classes has 41,704,036 parameters with frozen normalisations, 222,400 of them in the stem
    # and the first stage.
    assert params == 41_704_036 - 222_400
    area = 800 * 1344
    pixels = [area // stride**2 for stride in (4, 8, 16, 32)]
    lateral = sum(p * c * 256 for p, c in zip(pixels, (256, 512, 1024, 2048), strict=True))
    smooth = sum(pixels) * 9 * 256 * 256
    top = 13 * 21
    proposer = (sum(pixels) + top) * (9 * 256 * 256 + 256 * 3 * 5)
    regions = 1000 * (7 * 7 * 256 * 1024 + 1024 * 1024 + 1024 * 81 * 5)
    trunk = macs - lateral - smooth - proposer - regions
    with torch.device("meta"):
        net = create_model("resnet50", r=None).eval()
        of_224 = count_dense_macs(net, torch.zeros(1, 3, 224, 224)) - 2048 * 1000
    assert trunk == pytest.approx(of_224 * area / 224**2, rel=1e-3)


def test_blocks_frozen_and_other_sizes_change_the_count() -> None:
    shapes = ["+experiment=coco", "protocol=shapes"]
    plain = count_run(compose([*shapes, "stages=none"]))
    with_se = count_run(compose(shapes))
    larger = count_run(compose([*shapes, "data.eval_px=128", "data.most_px=128"]))
    assert plain[0] < with_se[0] == larger[0]
    assert plain[1] < with_se[1] < larger[1]
