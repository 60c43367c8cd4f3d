"""What is known of released networks, held against the libraries that release them."""

from __future__ import annotations

import pytest
from timm.models import get_pretrained_cfg
from torchvision.models import get_model_weights

from senet_repro.config.composition import compose
from senet_repro.config.releases import RELEASES
from senet_repro.models import released

NETWORKS = [(source, name) for source, networks in RELEASES.items() for name in networks]


@pytest.mark.parametrize(("source", "network"), NETWORKS)
def test_the_settings_are_those_that_rebuild_the_network(source: str, network: str) -> None:
    ours, theirs = RELEASES[source][network], released.RELEASES[source][network]
    assert ours.name == theirs.name
    run = compose(["protocol=imagenet", f"model={network}", *ours.settings])
    for key, value in theirs.settings.items():
        if key == "r":
            assert run.r == (value or "none")
        elif key == "bias":
            assert run.se.bias == value
        else:
            stated = run.model.options.get(key, getattr(run, key, None))
            assert stated == value, key


@pytest.mark.parametrize("network", RELEASES["timm"])
def test_preprocessing_is_what_timm_publishes(network: str) -> None:
    ours = RELEASES["timm"][network]
    theirs = get_pretrained_cfg(ours.name)
    assert theirs is not None
    assert ours.mean == pytest.approx([255 * value for value in theirs.mean])
    assert ours.std == pytest.approx([255 * value for value in theirs.std])
    assert ours.interpolation == theirs.interpolation
    assert (ours.size_px, ours.size_px / ours.resize_px) == (theirs.input_size[-1], theirs.crop_pct)
    assert theirs.crop_mode == "center"


@pytest.mark.parametrize("network", RELEASES["torchvision"])
def test_preprocessing_is_what_torchvision_publishes_of_each_file(network: str) -> None:
    ours = RELEASES["torchvision"][network]
    for weights in get_model_weights(ours.name):
        theirs = weights.transforms()
        assert ours.mean == pytest.approx([255 * value for value in theirs.mean])
        assert ours.std == pytest.approx([255 * value for value in theirs.std])
        assert ours.interpolation == theirs.interpolation.value
        assert theirs.antialias
        assert [ours.size_px] == theirs.crop_size
        # The name of a file ends in the beginning of its hash.
        beginning = weights.url.rpartition("-")[2].removesuffix(".pth")
        assert [ours.find_resize_px(beginning + "0" * 56)] == theirs.resize_size
