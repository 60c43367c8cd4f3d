from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from senet_repro.config.schema import Data
from senet_repro.data.batches import Batch, Normalise, TrainBatches
from senet_repro.data.cutout import cut_out, draw_centres
from senet_repro.data.images import ImageSet
from senet_repro.data.order import Share, TrainSteps

CPU = torch.device("cpu")
WHOLE = Share()
MakeData = Callable[..., Data]
MakeImages = Callable[..., ImageSet]


def train_epoch(
    images: ImageSet,
    data: Data,
    cutout_px: int,
    seed: int = 1,
    epoch: int = 2,
    share: Share = WHOLE,
) -> list[Batch]:
    batches = TrainBatches(images, data, TrainSteps(len(images), 6, seed, share), CPU, cutout_px)
    batches.set_epoch(epoch)
    return list(batches)


def pixels(epoch: list[Batch]) -> Tensor:
    return torch.cat([images for images, _ in epoch])


def plainly_cut(image: Tensor, centre: int, cutout_px: int) -> Tensor:
    """As its authors' code does for even sides: a half-open square, clipped at the edges."""
    side = image.shape[-1]
    y, x = divmod(centre, side)
    top, left = y - cutout_px // 2, x - cutout_px // 2
    cut = image.clone()
    for row in range(max(top, 0), min(top + cutout_px, side)):
        for column in range(max(left, 0), min(left + cutout_px, side)):
            cut[:, row, column] = 0
    return cut


@pytest.mark.parametrize("cutout_px", [1, 2, 3, 4, 8, 16, 17])
def test_squares_lie_where_a_plain_loop_puts_them(cutout_px: int) -> None:
    centres = torch.arange(64)  # every pixel of the image, corners included
    images = torch.rand(64, 3, 8, 8) - 2
    expected = torch.stack(
        [plainly_cut(*pair, cutout_px) for pair in zip(images, centres.tolist(), strict=True)]
    )
    cut = cut_out(images.contiguous(memory_format=torch.channels_last), centres, cutout_px)
    assert torch.equal(cut, expected)
    assert cut.is_contiguous(memory_format=torch.channels_last)


def test_a_square_at_the_edge_overhangs() -> None:
    images = torch.ones(3, 3, 8, 8).contiguous(memory_format=torch.channels_last)
    cut = cut_out(images, torch.tensor([0, 7, 36]), 4)  # top left, top right, row 4 and column 4
    assert (cut == 0).all(1).sum((1, 2)).tolist() == [2 * 2, 2 * 3, 4 * 4]


@pytest.mark.parametrize("cutout_px", [3, 4])
def test_only_the_squares_differ_and_they_are_zero(
    cutout_px: int, make_data: MakeData, make_images: MakeImages
) -> None:
    images, data = make_images(60), make_data("cifar10")
    normalise = Normalise(data.mean, data.std)
    steps = TrainSteps(60, 6, 1, WHOLE)
    steps.set_epoch(2)
    centres = draw_centres(steps, 8).view(10, 6).tolist()
    epochs = (train_epoch(images, data, cutout_px), train_epoch(images, data, 0))
    for (cut, labels), (plain, plain_labels), where in zip(*epochs, centres, strict=True):
        expected = [
            plainly_cut(*pair, cutout_px) for pair in zip(normalise(plain), where, strict=True)
        ]
        assert torch.equal(normalise(cut), torch.stack(expected))
        assert cut.dtype == torch.float32
        assert cut.is_contiguous(memory_format=torch.channels_last)
        assert torch.equal(labels, plain_labels)


def test_without_cutout_nothing_is_touched(make_data: MakeData, make_images: MakeImages) -> None:
    images, data = make_images(20), make_data("cifar10")
    batches = TrainBatches(images, data, TrainSteps(20, 6, 1, WHOLE), CPU)
    batches.set_epoch(2)
    assert pixels(list(batches)).dtype == torch.uint8
    assert torch.equal(pixels(list(batches)), pixels(train_epoch(images, data, 0)))


def test_an_epoch_follows_from_seed_and_epoch(make_data: MakeData, make_images: MakeImages) -> None:
    images, data = make_images(20), make_data("cifar10", flip=False, pad_px=0)
    torch.manual_seed(0)
    first = pixels(train_epoch(images, data, 4))
    torch.manual_seed(1)
    state = torch.get_rng_state()
    assert torch.equal(first, pixels(train_epoch(images, data, 4)))
    assert torch.equal(state, torch.get_rng_state())
    steps = TrainSteps(20, 6, 1, WHOLE)
    drawn = []
    for steps.epoch in (2, 3):
        drawn.append(draw_centres(steps, 8))
    assert not torch.equal(*drawn)
    assert not torch.equal(drawn[0], draw_centres(TrainSteps(20, 6, 2, WHOLE), 8))


@pytest.mark.parametrize("world_size", [2, 3])
def test_ranks_together_see_the_single_process_batch(
    world_size: int, make_data: MakeData, make_images: MakeImages
) -> None:
    images, data = make_images(20), make_data("cifar10")
    ranks = [
        train_epoch(images, data, 4, share=Share(rank, world_size)) for rank in range(world_size)
    ]
    for whole, *shares in zip(train_epoch(images, data, 4), *ranks, strict=True):
        for part in (0, 1):
            assert torch.equal(whole[part], torch.cat([share[part] for share in shares]))


def test_centres_cover_the_image_evenly() -> None:
    counts = draw_centres(TrainSteps(64_000, 1, 0, WHOLE), 8).bincount()
    assert len(counts) == 64
    assert 850 < counts.min() <= counts.max() < 1150
