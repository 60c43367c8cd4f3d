from collections.abc import Callable

import pytest
import torch
from sklearn.datasets import load_digits as load_sklearn_digits

from senet_repro.config.schema import Data
from senet_repro.data import sets
from senet_repro.data.images import ImageSet, Split
from senet_repro.data.sets import load_digits, load_in_memory

MakeData = Callable[..., Data]


@pytest.fixture
def digits(make_data: MakeData) -> Split:
    return load_in_memory(make_data("digits"))


def test_digits_have_the_promised_form(digits: Split) -> None:
    for part, count in ((digits.train, 1437), (digits.test, 360)):
        assert part.images.shape == (count, 3, 8, 8)
        assert part.images.dtype == torch.uint8
        assert (int(part.images.min()), int(part.images.max())) == (0, 255)
        assert torch.equal(part.images[:, 0], part.images[:, 2])
        assert part.labels.dtype == torch.int64
        assert part.labels.bincount(minlength=10).min() > 0.09 * count


def test_digits_are_split_once_and_for_all(digits: Split) -> None:
    together = torch.cat([digits.train.images, digits.test.images])[:, 0].flatten(1)
    original = (
        torch.from_numpy(load_sklearn_digits().images)
        .flatten(1)
        .mul(255 / 16)
        .round()
        .to(torch.uint8)
    )
    assert sorted(together.tolist()) == sorted(original.tolist())  # none lost, none twice
    torch.manual_seed(5)
    again = load_digits()
    assert torch.equal(again.test.images, digits.test.images)
    assert digits.test.labels[:10].tolist() == [7, 6, 3, 7, 7, 3, 2, 8, 9, 3]


def test_other_digits_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sets, "DIGITS_SHA256", "0" * 64)
    with pytest.raises(ValueError, match=r"scikit-learn are not those of earlier records: install"):
        load_digits()


def test_pictures_are_reduced_by_the_means_of_boxes(
    make_data: MakeData, make_images: Callable[..., ImageSet], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = make_images(5, 32)
    monkeypatch.setitem(sets.READERS, "boxes", lambda source: Split(whole, whole))
    stated = {"name": "boxes", "train_images": 5, "eval_images": 5, "px": 8}
    reduced = load_in_memory(make_data("cifar10", train_px=8, eval_px=8, **stated)).train
    boxes = whole.images.double().unfold(2, 4, 4).unfold(3, 4, 4)
    means = boxes.mean(dim=(-2, -1))
    assert torch.equal(reduced.images, (means + 0.5).floor().to(torch.uint8))
    assert torch.equal(reduced.labels, whole.labels)


def test_a_second_call_decodes_nothing(make_data: MakeData, digits: Split) -> None:
    assert load_in_memory(make_data("digits", pad_px=0)) is digits


def test_another_image_size_is_refused(make_data: MakeData) -> None:
    with pytest.raises(ValueError, match=r"8 px a side.*data\.train_px=8 data\.eval_px=8"):
        load_in_memory(make_data("digits", train_px=32))


def test_too_few_classes_are_refused(make_data: MakeData) -> None:
    with pytest.raises(ValueError, match=r"10 classes: give data\.classes=10"):
        load_in_memory(make_data("digits", classes=5))


def test_a_further_set_is_a_file_and_a_reader(
    make_data: MakeData, make_images: Callable[..., ImageSet], monkeypatch: pytest.MonkeyPatch
) -> None:
    described = {"name": "noise", "classes": 20, "train_images": 20, "eval_images": 6}
    with pytest.raises(
        ValueError, match=r"no image set noise: no reader .* give data=digits\|cifar10"
    ):
        load_in_memory(make_data("digits", **described))
    split = Split(make_images(20), make_images(6))
    monkeypatch.setitem(sets.READERS, "noise", lambda source: split)
    assert load_in_memory(make_data("digits", **described)) is split
    with pytest.raises(
        ValueError, match="noise holds 20 training and 6 test images where noise has 21"
    ):
        load_in_memory(make_data("digits", **{**described, "train_images": 21}))
