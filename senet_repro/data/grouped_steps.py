"""Training steps that keep pictures of one orientation together, so that little of a batch is padding (data floor)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from senet_repro.data.order import Share, TrainSteps


class GroupedTrainSteps(TrainSteps):
    """Training steps of which each part holds wide pictures alone, or others alone.

    A part is what one device takes at once: a batch over the devices and over the parts of `accumulate`. The order is a
    function of (seed, epoch) and of the size of a part, so it is another one on another number of devices; within one
    run with one number of them it goes on after a resume as `TrainSteps` does. The number of steps is that of
    `TrainSteps`: where wide pictures and others do not fill whole parts, one part is left that holds both, the last one
    of the epoch.
    """

    def __init__(
        self,
        is_wide: np.ndarray,
        batch_size: int,
        seed: int,
        share: Share,
        accumulate: int = 1,
        most_steps: int | None = None,
    ) -> None:
        """Plan the steps of one process over pictures of which (N,) bool says which are wide; else as `TrainSteps`.

        Raises:
            DataError: as for `TrainSteps`.
        """
        super().__init__(len(is_wide), batch_size, seed, share, accumulate, most_steps)
        self.is_wide = is_wide

    def draw_order(self) -> Tensor:
        """Return the places (num_images,) int64 of the images, shuffled, part after part of one orientation."""
        order = super().draw_order().numpy()
        parts = self.share.world_size * self.accumulate
        is_wide = self.is_wide[order]
        grouped = group_order(order, is_wide, self.batch_size // parts)
        return torch.from_numpy(grouped)


def group_order(order: np.ndarray, is_wide: np.ndarray, part: int) -> np.ndarray:
    """Return `order` (N,) in another order: parts of `part` entries that are all wide, or all not, as `is_wide` says.

    Each part comes where the last of its entries came. Entries that fill no part of their own follow at the end.
    """
    parts: list[np.ndarray] = []
    ends: list[np.ndarray] = []
    rest: list[np.ndarray] = []
    for group in (is_wide, ~is_wide):
        (positions,) = np.nonzero(group)
        filled = len(positions) // part * part
        whole = positions[:filled].reshape(-1, part)
        parts.append(whole)
        ends.append(whole[:, -1])
        rest.append(positions[filled:])
    by_end = np.argsort(np.concatenate(ends))
    in_order = np.concatenate(parts)[by_end]
    left_over = np.concatenate(rest)
    left_over.sort()
    positions = np.concatenate([in_order.reshape(-1), left_over])
    regrouped: np.ndarray = order[positions]
    return regrouped
