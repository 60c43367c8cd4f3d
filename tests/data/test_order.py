import pytest
import torch

from senet_repro.config.validation import check_batch_size
from senet_repro.data.order import Share, TrainSteps, derived_seed


def test_every_key_has_a_seed_of_its_own() -> None:
    keys = [
        (s, *key) for s in range(3) for key in [(), (0,), (1,), (0, 0), (0, 1), (1, 0), (0, 0, 0)]
    ]
    assert len({derived_seed(*key) for key in keys}) == len(keys)
    assert derived_seed(0, 1, 2) == derived_seed(0, 1, 2)


@pytest.mark.parametrize(
    ("batch", "devices", "mend"),
    [(128, 3, "batch_size=126 or 129"), (1, 4, "batch_size=4, or trainer.devices=1$")],
)
def test_a_batch_that_does_not_divide_names_sizes_that_do(
    batch: int, devices: int, mend: str
) -> None:
    with pytest.raises(ValueError, match=mend):
        check_batch_size(batch, devices)
    check_batch_size(128, 4)


def test_a_set_smaller_than_a_batch_is_refused() -> None:
    with pytest.raises(ValueError, match=r"10 training images .* recipe\.batch_size=10 or less"):
        TrainSteps(10, 12, 0, Share())


def test_steps_follow_from_seed_and_epoch() -> None:
    def order(seed: int, epoch: int) -> list[list[tuple[int, int]]]:
        steps = TrainSteps(20, 6, seed, Share())
        steps.set_epoch(epoch)
        assert len(steps) == 3
        return list(steps)

    assert order(0, 1) == order(0, 1)
    assert {epoch for step in order(0, 5) for epoch, _ in step} == {5}
    without_epoch = [
        [[i for _, i in step] for step in order(*key)] for key in [(0, 0), (0, 1), (1, 0)]
    ]
    assert len({str(indices) for indices in without_epoch}) == 3
    assert (
        len({i for step in without_epoch[0] for i in step}) == 18
    )  # 20 images, the last 2 dropped


def test_an_epoch_of_so_many_steps_leaves_out_other_images_each_time() -> None:
    steps = TrainSteps(20, 3, 0, Share(), accumulate=3, most_steps=4)
    seen = []
    for epoch in range(8):
        steps.set_epoch(epoch)
        order = list(steps)
        assert len(order) == len(steps) == 12
        seen.append({index for step in order for _, index in step})
    assert {len(indices) for indices in seen} == {12}
    assert set.union(*seen) == set(range(20))
    # More steps than there are whole batches are as many as there are.
    assert len(TrainSteps(20, 3, 0, Share(), most_steps=9)) == 6


@pytest.mark.parametrize("world_size", [1, 2, 3])
def test_shares_of_a_step_concatenate_to_the_whole_batch(world_size: int) -> None:
    shares = [
        Share(rank, world_size).slice_steps(torch.arange(20), 6) for rank in range(world_size)
    ]
    assert torch.equal(torch.cat(shares, dim=1), torch.arange(18).view(3, 6))


@pytest.mark.parametrize("count", [5, 6, 7])
@pytest.mark.parametrize("world_size", [1, 2, 3])
def test_shares_of_the_images_hold_each_once(count: int, world_size: int) -> None:
    shares = [
        range(count)[Share(rank, world_size).slice_images(count)] for rank in range(world_size)
    ]
    assert sorted(i for share in shares for i in share) == list(range(count))
