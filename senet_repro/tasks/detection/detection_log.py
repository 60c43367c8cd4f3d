"""The objects that a detector finds, collected image by image and put together over all devices (tasks floor)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torchmetrics.utilities.distributed import gather_all_tensors

from senet_repro.results.detections import (
    Detections,
    FoundObjects,
    TrueObjects,
    pack_detections,
)

if TYPE_CHECKING:
    from senet_repro.data.object_set import ObjectSet

# Of a row: the place of the image in its set, the label, the score, and x, y, width and height of the box.
_COLUMNS = 7
_IMAGE, _LABEL, _SCORE, _BOX = 0, 1, 2, slice(3, 7)


class DetectionLog:
    """Collect the objects found in this process's share of the evaluation images."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._images: list[Tensor] = []

    def add_image(self, index: int, boxes: Tensor, labels: Tensor, scores: Tensor) -> None:
        """Add what was found in one image, which is at `index` in its set.

        `boxes` are (n, 4) as x1, y1, x2 and y2 in pixels of the image as it is stored, `labels` (n,) from 0 and
        `scores` (n,).
        """
        # In float64, which holds places and labels exactly, and a difference of float32 without rounding it twice.
        corners = boxes.detach().double()
        sides = corners[:, 2:] - corners[:, :2]
        places = torch.full_like(scores, index, dtype=torch.float64)
        columns = [places, labels.double(), scores.detach().double()]
        rows = torch.cat([torch.stack(columns, dim=1), corners[:, :2], sides], dim=1)
        # They stay on the device, where a copy to the CPU would wait for the image.
        self._images.append(rows)

    def gather_detections(self, processes: int, eval_set: ObjectSet) -> Detections:
        """Return the objects of all images and those found; every one of the processes has to call this."""
        # Where there are fewer images than processes, some have none.
        no_rows = torch.empty(0, _COLUMNS, dtype=torch.float64, device=self.device)
        own_rows = torch.cat([no_rows, *self._images])
        # A set may have fewer categories than the network has outputs, and the others name nothing.
        own_rows = own_rows[own_rows[:, _LABEL] < len(eval_set.category_ids)]
        shares = [own_rows] if processes == 1 else gather_all_tensors(own_rows)
        found = merge_shares([share.cpu().numpy() for share in shares], len(eval_set))
        return join_truth(eval_set, found)


def merge_shares(shares: list[np.ndarray], images: int) -> FoundObjects:
    """Return the objects found in so many images from the rows of each process, (objects, 7) float64.

    A box or a score that is no finite number, as of a network that overflows, finds nothing and is left out.
    """
    rows = np.concatenate(shares)
    rows = rows[np.isfinite(rows).all(axis=1)]
    # Stable, so that objects of an image keep the order in which they were found.
    rows = rows[rows[:, _IMAGE].argsort(kind="stable")]
    counts = np.bincount(rows[:, _IMAGE].astype(np.int64), minlength=images)
    return FoundObjects(
        offsets=np.concatenate([[0], counts.cumsum()]),
        boxes=rows[:, _BOX],
        labels=rows[:, _LABEL].astype(np.int64),
        scores=rows[:, _SCORE],
    )


def join_truth(eval_set: ObjectSet, found: FoundObjects) -> Detections:
    """Return found objects beside the objects of their set."""
    objects = eval_set.objects
    return pack_detections(
        image_ids=eval_set.image_ids,
        sizes=eval_set.sizes,
        category_ids=eval_set.category_ids,
        category_names=eval_set.category_names,
        true=TrueObjects(
            offsets=objects.offsets,
            boxes=objects.boxes,
            labels=objects.labels,
            is_crowd=objects.is_crowd,
            areas=objects.areas,
        ),
        found=found,
    )
