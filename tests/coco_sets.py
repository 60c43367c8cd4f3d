"""Small sets in COCO's layout, with everything in them that COCO's annotations have and a reader may stumble over."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

CATEGORIES = {1: "cat", 3: "dog", 7: "hat"}
"""Names by their ids, which skip."""
COLOURS = {1: (200, 40, 40), 3: (40, 200, 40), 7: (40, 40, 200)}
# Width and height of the pictures, in turn.
SIZES = ((96, 72), (72, 96))

# The places, in the order of their ids, of the pictures that are unlike the others.
CROWD, EMPTY, FULL, FLAT, OVER_THE_EDGE = range(1, 6)
FULL_COUNT = 104
"""The boxes of the picture that has more than an evaluation counts."""

Annotation = dict[str, Any]


def make_coco(root: Path, train: int = 12, val: int = 8, seed: int = 0) -> Path:
    """Write a set of so many pictures at `root` and return it; the same seed writes the same annotations.

    The pictures at the places CROWD, EMPTY, FULL, FLAT and OVER_THE_EDGE of each part are those that their names say.
    """
    for part, count in (("train", train), ("val", val)):
        _write_part(root, part, count, random.Random(f"{seed}/{part}"))
    return root


def find_annotations(root: Path, part: str) -> Path:
    """The file with the annotations of a part, train or val."""
    return root / "annotations" / f"instances_{part}2017.json"


def change_annotations(root: Path, part: str, change: Callable[[dict[str, Any]], object]) -> None:
    """Let `change` edit what the annotations of a part say."""
    file = find_annotations(root, part)
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))


def list_images(root: Path, part: str) -> list[dict[str, Any]]:
    """What the annotations say of the pictures of a part, in the order of their ids."""
    content = json.loads(find_annotations(root, part).read_text())
    return sorted(content["images"], key=lambda image: image["id"])


def _write_part(root: Path, part: str, count: int, rng: random.Random) -> None:
    folder = root / f"{part}2017"
    folder.mkdir(parents=True, exist_ok=True)
    images, annotations = [], []
    for place in range(count):
        width, height = SIZES[place % 2]
        # Ids that skip, and are no places.
        image_id = 11 + 5 * place
        suffix = "png" if place % 3 == 2 else "jpg"
        image: dict[str, Any] = {"id": image_id, "file_name": f"{image_id:012d}.{suffix}"}
        image |= {"width": width, "height": height}
        objects = _make_objects(place, width, height, rng)
        _paint(objects, width, height, rng).save(folder / image["file_name"])
        images.append(image)
        annotations += [{"image_id": image_id, **stated} for stated in objects]
    # Neither list is in the order of the pictures.
    rng.shuffle(images)
    rng.shuffle(annotations)
    for number, annotation in enumerate(annotations, 1):
        annotation["id"] = 100 + number
    categories = [{"id": number, "name": name} for number, name in CATEGORIES.items()]
    content = {"images": images, "annotations": annotations, "categories": categories[::-1]}
    file = find_annotations(root, part)
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(content))


def _make_objects(place: int, width: int, height: int, rng: random.Random) -> list[Annotation]:
    """What the picture at a place shows."""
    if place == EMPTY:
        return []
    count = FULL_COUNT if place == FULL else rng.randint(1, 4)
    objects = [_make_object(width, height, rng) for _ in range(count)]
    if place == CROWD:
        objects.append({**_make_object(width, height, rng), "iscrowd": 1})
    if place == FLAT:
        x, y, across, _ = objects[0]["bbox"]
        objects.append({**objects[0], "bbox": [x, y, across, 0], "area": 0.0})
    if place == OVER_THE_EDGE:
        objects.append({**objects[0], "bbox": [width - 20.5, -4.25, 30, 28], "area": 600.0})
    return objects


def _make_object(width: int, height: int, rng: random.Random) -> Annotation:
    across, down = round(rng.uniform(8, 40), 2), round(rng.uniform(8, 40), 2)
    x, y = round(rng.uniform(0, width - across), 2), round(rng.uniform(0, height - down), 2)
    return {
        "category_id": rng.choice(list(CATEGORIES)),
        "bbox": [x, y, across, down],
        # A mask fills a part of its box.
        "area": round(across * down * rng.uniform(0.4, 1), 4),
        "iscrowd": 0,
    }


def _paint(objects: list[Annotation], width: int, height: int, rng: random.Random) -> Image.Image:
    """A picture of noise and of the boxes, in the colours of their categories."""
    picture = Image.frombytes("RGB", (width, height), rng.randbytes(3 * width * height))
    draw = ImageDraw.Draw(picture)
    for stated in objects:
        x, y, across, down = stated["bbox"]
        draw.rectangle((x, y, x + across, y + down), fill=COLOURS[stated["category_id"]])
    return picture
