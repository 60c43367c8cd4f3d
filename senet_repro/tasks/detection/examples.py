"""The evaluation pictures that a run keeps, for the report to draw on what was found in them (tasks floor)."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from torch import Tensor

from senet_repro.results.detections import Detections
from senet_repro.results.example_pictures import MOST_PICTURES, MOST_PX, write_pictures

if TYPE_CHECKING:
    from senet_repro.data.object_set import ObjectSet

_LEAST_OBJECTS = 2
# Some 30 kB a picture, with no flaw that the eye finds at this size.
_JPEG_QUALITY = 85


@dataclass(frozen=True)
class IllustratedDetections:
    """Detections of a set, which leave some of its pictures beside them."""

    detections: Detections
    eval_set: ObjectSet

    def write_into(self, folder: Path) -> None:
        """Write the pictures and then the detections into a run's folder."""
        write_examples(self.eval_set, folder)
        self.detections.write_into(folder)


def write_examples(eval_set: ObjectSet, folder: Path) -> None:
    """Write the chosen pictures of an evaluation set into a run's folder, small and as JPEG files."""
    pictures = {
        int(eval_set.image_ids[index]): encode_picture(eval_set.load_picture(index))
        for index in choose_examples(eval_set)
    }
    write_pictures(folder, pictures)


def choose_examples(eval_set: ObjectSet) -> list[int]:
    """Return the places of the first four pictures that show two objects at least, crowds not counted.

    They are the same for every network, and chosen before there is any result.
    """
    objects = eval_set.objects
    single_before = np.concatenate([[0], np.cumsum(~objects.is_crowd)])
    counts = np.diff(single_before[objects.offsets])
    chosen: list[int] = np.flatnonzero(counts >= _LEAST_OBJECTS)[:MOST_PICTURES].tolist()
    return chosen


def encode_picture(pixels: Tensor) -> bytes:
    """Return a picture, uint8 (3, H, W), as a JPEG file whose longer side has at most 400 px."""
    picture = Image.fromarray(pixels.permute(1, 2, 0).cpu().numpy())
    # A smaller picture stays as it is.
    picture.thumbnail((MOST_PX, MOST_PX), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    picture.save(file, format="JPEG", quality=_JPEG_QUALITY)
    return file.getvalue()
