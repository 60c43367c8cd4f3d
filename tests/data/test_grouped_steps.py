"""Steps of one orientation: functions of (seed, epoch) and the parts, each picture once, resumed where they were."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from senet_repro.core.errors import DataError
from senet_repro.data.grouped_steps import GroupedTrainSteps, group_order
from senet_repro.data.order import Share, TrainSteps

IS_WIDE = np.arange(103) % 3 != 0
SPLITS = [(1, 1), (2, 1), (1, 2), (2, 3)]


def list_steps(
    world_size: int, accumulate: int, epoch: int = 0, taken: int = 0, most_steps: int | None = None
) -> list[list[list[int]]]:
    """Return, by process, the pictures of each of its steps."""
    by_process = []
    for rank in range(world_size):
        share = Share(rank, world_size)
        steps = GroupedTrainSteps(IS_WIDE, 12, 5, share, accumulate, most_steps)
        steps.set_epoch(epoch)
        steps.resume_at(epoch, taken)
        steps.start_epoch()
        by_process.append([[index for _, index in keys] for keys in steps])
    return by_process


@pytest.mark.parametrize(("world_size", "accumulate"), SPLITS)
def test_a_part_is_of_one_orientation_and_an_epoch_takes_each_picture_once(
    world_size: int, accumulate: int
) -> None:
    by_process = list_steps(world_size, accumulate)
    plain = TrainSteps(103, 12, 5, Share(0, world_size), accumulate)
    parts = [part for parts in by_process for part in parts]
    assert all(len(parts) == len(plain) for parts in by_process)
    assert {len(part) for part in parts} == {12 // world_size // accumulate}
    taken = [index for part in parts for index in part]
    assert len(set(taken)) == len(taken) == 8 * 12
    mixed = [part for part in parts if len(set(IS_WIDE[part])) > 1]
    assert len(mixed) <= 1


@pytest.mark.parametrize(("world_size", "accumulate"), SPLITS)
def test_what_is_left_of_a_resumed_epoch_is_what_was_left(world_size: int, accumulate: int) -> None:
    whole = list_steps(world_size, accumulate, epoch=3)
    rest = list_steps(world_size, accumulate, epoch=3, taken=5)
    assert rest == [parts[5:] for parts in whole]
    assert whole == list_steps(world_size, accumulate, epoch=3)
    assert whole != list_steps(world_size, accumulate, epoch=4)


def test_only_the_last_part_mixes_and_a_shorter_epoch_has_none() -> None:
    (whole,) = list_steps(1, 1)
    (short,) = list_steps(1, 1, most_steps=7)
    assert short == whole[:7]
    assert all(len(set(IS_WIDE[part])) == 1 for part in short)
    assert len(set(IS_WIDE[whole[-1]])) == 2


def test_parts_come_in_the_order_in_which_they_are_full() -> None:
    order = np.array([10, 11, 12, 13, 14, 15, 16, 17, 18])
    is_wide = np.array([1, 0, 0, 0, 1, 1, 1, 0, 0], dtype=bool)
    grouped = group_order(order, is_wide, 2)
    assert grouped.tolist() == [11, 12, 10, 14, 15, 16, 13, 17, 18]


def test_pictures_of_one_orientation_keep_the_order_of_plain_steps() -> None:
    plain = TrainSteps(103, 12, 5, Share())
    grouped = GroupedTrainSteps(np.ones(103, dtype=bool), 12, 5, Share())
    assert torch.equal(grouped.draw_order(), plain.draw_order())
    assert list(grouped) == list(plain)


def test_fewer_pictures_than_a_batch_are_refused() -> None:
    with pytest.raises(DataError, match=r"give recipe\.batch_size=11 or less"):
        GroupedTrainSteps(IS_WIDE[:11], 12, 5, Share())
