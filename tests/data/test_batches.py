import weakref
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn.functional import pad

from senet_repro.config.schema import Data
from senet_repro.data.batches import (
    Batch,
    EvalBatches,
    LastCanvas,
    Normalise,
    TrainBatches,
    choose_eval_batch,
    draw_epoch,
)
from senet_repro.data.images import ImageSet
from senet_repro.data.order import Share, TrainSteps

CPU = torch.device("cpu")
WHOLE = Share()
MakeData = Callable[..., Data]
MakeImages = Callable[..., ImageSet]


def train_epoch(
    images: ImageSet, data: Data, seed: int, epoch: int, share: Share = WHOLE
) -> list[Batch]:
    batches = TrainBatches(images, data, TrainSteps(len(images), 6, seed, share), CPU)
    batches.set_epoch(epoch)
    assert len(batches) == len(images) // 6
    return list(batches)


def pixels(epoch: list[Batch]) -> Tensor:
    return torch.cat([images for images, _ in epoch])


def test_batches_have_the_promised_form(make_data: MakeData, make_images: MakeImages) -> None:
    epoch = train_epoch(make_images(20), make_data("cifar10"), 0, 0)
    assert len(epoch) == 3  # the last 2 images are dropped
    for images, labels in epoch:
        assert images.shape == (6, 3, 8, 8)
        assert images.dtype == torch.uint8
        assert images.is_contiguous(memory_format=torch.channels_last)
        assert labels.shape == (6,)
    assert len({label for _, labels in epoch for label in labels.tolist()}) == 18


def test_an_epoch_follows_from_seed_and_epoch(make_data: MakeData, make_images: MakeImages) -> None:
    images, data = make_images(20), make_data("cifar10")
    torch.manual_seed(0)
    first = pixels(train_epoch(images, data, 3, 4))
    torch.manual_seed(1)
    state = torch.get_rng_state()
    assert torch.equal(first, pixels(train_epoch(images, data, 3, 4)))
    assert torch.equal(state, torch.get_rng_state())
    assert not torch.equal(first, pixels(train_epoch(images, data, 3, 5)))
    assert not torch.equal(first, pixels(train_epoch(images, data, 4, 4)))


def test_the_epoch_is_read_at_the_first_batch(make_data: MakeData, make_images: MakeImages) -> None:
    # Lightning calls iter() before set_epoch when it resumes.
    images, data = make_images(20), make_data("cifar10")
    batches = TrainBatches(images, data, TrainSteps(20, 6, 0, Share()), CPU)
    iterator = iter(batches)
    batches.sampler.set_epoch(2)
    assert torch.equal(next(iterator)[0], train_epoch(images, data, 0, 2)[0][0])


@pytest.mark.parametrize(
    ("flip", "pad_px"), [(True, 4), (True, 0), (False, 1), (False, 0), (True, 8)]
)
def test_augmentation_equals_a_plain_reference(
    flip: bool, pad_px: int, make_data: MakeData, make_images: MakeImages
) -> None:
    images = make_images(60)
    epoch = train_epoch(images, make_data("cifar10", flip=flip, pad_px=pad_px), 1, 2)
    steps = TrainSteps(60, 6, 1, Share())
    steps.set_epoch(2)
    expected = []
    for image, mirrored, top, left in zip(*draw_epoch(steps, flip, pad_px), strict=True):
        picture = images.images[image]
        if mirrored:
            picture = picture.flip(-1)
        expected.append(pad(picture, (pad_px,) * 4)[:, top : top + 8, left : left + 8])
    assert torch.equal(pixels(epoch), torch.stack(expected))


def test_draws_cover_their_ranges_evenly() -> None:
    draws = draw_epoch(TrainSteps(9000, 1, 0, Share()), flip=True, pad_px=4)
    assert draws.image.sort().values.equal(torch.arange(9000))
    assert 0.47 < draws.mirrored.float().mean() < 0.53
    for corner in (draws.top, draws.left):
        counts = corner.bincount()
        assert len(counts) == 9
        assert counts.min() > 850
    assert abs(torch.corrcoef(torch.stack([draws.top, draws.left]).float())[0, 1]) < 0.05


@pytest.mark.parametrize("world_size", [2, 3])
def test_ranks_together_see_the_single_process_batch(
    world_size: int, make_data: MakeData, make_images: MakeImages
) -> None:
    images, data = make_images(20), make_data("cifar10")
    ranks = [train_epoch(images, data, 0, 1, Share(rank, world_size)) for rank in range(world_size)]
    for whole, *shares in zip(train_epoch(images, data, 0, 1), *ranks, strict=True):
        for part in (0, 1):
            assert torch.equal(whole[part], torch.cat([share[part] for share in shares]))


@pytest.mark.parametrize("count", [11, 12, 13])
@pytest.mark.parametrize("world_size", [1, 2, 3])
def test_evaluation_sees_each_image_once_and_unchanged(
    count: int, world_size: int, make_images: MakeImages
) -> None:
    images = make_images(count)
    seen = []
    for rank in range(world_size):
        batches = EvalBatches(images, 6, Share(rank, world_size), CPU)
        assert len(list(batches)) == len(batches)
        for picture, labels in batches:
            assert picture.is_contiguous(memory_format=torch.channels_last)
            assert torch.equal(picture, images.images[labels])
            seen += labels.tolist()
    assert sorted(seen) == list(range(count))
    if world_size == 1:
        assert seen == list(range(count))


def test_normalisation_by_hand() -> None:
    normalise = Normalise([10.0, 20.0, 30.0], [2.0, 4.0, 5.0])
    image = torch.tensor([10, 24, 255], dtype=torch.uint8).view(1, 3, 1, 1).expand(2, 3, 4, 4)
    out = normalise(image.contiguous(memory_format=torch.channels_last))
    assert out.dtype == torch.float32
    assert out.shape == (2, 3, 4, 4)
    assert out.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(out[1, :, 2, 3], torch.tensor([0.0, 1.0, 45.0]))


def test_the_images_of_evaluation_may_be_normalised_once(make_images: MakeImages) -> None:
    images = make_images(11)
    normalise = Normalise([125.3, 123.0, 113.9], [63.0, 62.1, 66.7])
    before = EvalBatches(images, 4, WHOLE, CPU)
    at_once = EvalBatches(images, 4, WHOLE, CPU, normalise)
    for (pixels, _), (values, _) in zip(before, at_once, strict=True):
        assert values.is_contiguous(memory_format=torch.channels_last)
        assert torch.equal(values, normalise(pixels))
        # Normalising again changes nothing.
        assert torch.equal(normalise(values), values)


@pytest.mark.parametrize(
    ("side_px", "device", "parts", "images"),
    [
        (32, "cuda", 1, 2_000),
        (32, "cuda", 4, 500),
        (16, "cuda", 1, 2_000),
        (64, "cuda", 1, 500),
        (32, "cpu", 1, 125),
        (16, "cpu", 1, 500),
        (8, "cpu", 1, 2_000),
        (4096, "cpu", 8, 1),
    ],
)
def test_evaluation_takes_as_many_images_as_suit_its_device(
    side_px: int, device: str, parts: int, images: int
) -> None:
    assert choose_eval_batch(side_px, torch.device(device), parts) == images


def test_the_canvas_of_the_last_run_is_kept_for_the_next(make_images: MakeImages) -> None:
    one, other = make_images(3).images, make_images(3).images
    canvases = LastCanvas()
    first = canvases.lay_out(one, True, 1, CPU)
    assert canvases.lay_out(one, True, 1, CPU) is first
    kept = weakref.ref(first)
    del first
    # No two of them are ever held: equal pixels that lie elsewhere are other images.
    for changed in ((one, False, 1), (one, False, 2), (other, False, 2)):
        canvas = canvases.lay_out(*changed, CPU)
        assert kept() is None
        kept = weakref.ref(canvas)
        del canvas
