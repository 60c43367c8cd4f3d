"""The outcomes of an evaluation, collected batch by batch and put together over all devices (tasks floor)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torchmetrics.utilities.distributed import gather_all_tensors

from senet_repro.results.outcomes import Outcomes, pack_outcomes


class OutcomeLog:
    """Collect the label and the likeliest classes of this process's share of the evaluation images, in their order."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._batches: list[Tensor] = []

    def add_batch(self, labels: Tensor, likeliest: Tensor) -> None:
        """Add a batch: labels (B,) and the likeliest classes (B, k), the best one first."""
        rows = torch.cat([labels.unsqueeze(1), likeliest], dim=1)
        # They stay on the device, where a copy to the CPU would wait for the batch.
        self._batches.append(rows.int())

    def gather_images(self, processes: int) -> Outcomes:
        """Return the outcomes of all images in the order of the set; every one of the processes has to call this."""
        # Where there are fewer images than processes, some have no batch.
        no_rows = torch.empty(0, 1, dtype=torch.int32, device=self.device)
        own_rows = torch.cat(self._batches) if self._batches else no_rows
        shares = [own_rows] if processes == 1 else gather_all_tensors(own_rows)
        return merge_shares([share.cpu().numpy() for share in shares])


def merge_shares(shares: list[np.ndarray]) -> Outcomes:
    """Return the outcomes of all images from the rows of each process: (images, 1 + k), a label before its classes.

    Image i of the set is in the share of process i modulo their number, as `Share.slice_images` deals images out.
    """
    # The first process has an image wherever there is one.
    first = shares[0]
    columns = first.shape[1]
    images = sum(map(len, shares))
    rows = np.empty((images, columns), first.dtype)
    processes = len(shares)
    for rank, share in enumerate(shares):
        if len(share):
            rows[rank::processes] = share
    labels = rows[:, 0]
    likeliest = rows[:, 1:]
    return pack_outcomes(labels, likeliest)
