"""The runs of a table whose pictures the page shows, with what was found in them (report floor)."""

from __future__ import annotations

from dataclasses import dataclass

from senet_repro.core.errors import ConfigError
from senet_repro.report.figures.found_objects import ObjectPicture, draw_found_objects
from senet_repro.report.tables.build import ResultTable
from senet_repro.results.detections import load_detections
from senet_repro.results.example_pictures import read_pictures
from senet_repro.results.record import Record


@dataclass(frozen=True)
class ShownRun:
    """A run of a row, and its pictures with what it found."""

    row: str
    seed: int
    pictures: list[ObjectPicture]


def show_found_objects(table: ResultTable, section_id: str, problems: list[str]) -> list[ShownRun]:
    """Return the first seed of each row of detectors with its pictures, of the rows that have any.

    A message is added to `problems` for each run whose pictures or detections cannot be believed.
    """
    shown = []
    for number, row in enumerate(table.rows, 1):
        if not row.records:
            continue
        first = min(row.records, key=lambda record: record.seed)
        try:
            pictures = _draw_pictures(first, f"{section_id}-found-{number}")
        except ConfigError as error:
            # A run may be a row of several tables.
            if str(error) not in problems:
                problems.append(str(error))
            continue
        if pictures:
            shown.append(ShownRun(row.name, first.seed, pictures))
    return shown


def _draw_pictures(record: Record, prefix: str) -> list[ObjectPicture]:
    """Return the pictures beside a record with what its network found in them; none where it keeps none.

    Raises:
        ConfigError: its files are damaged, or a picture is of another set.
    """
    detections = load_detections(record)
    if detections is None or record.folder is None:
        return []
    places = {image_id: place for place, image_id in enumerate(detections.image_ids.tolist())}
    drawn = []
    for image_id, picture in read_pictures(record.folder).items():
        if image_id not in places:
            raise ConfigError(
                f"{record.folder}: keeps a picture of image {image_id}, which is none of its evaluation; remove it"
            )
        place = places[image_id]
        drawn.append(draw_found_objects(detections, place, picture, f"{prefix}-{image_id}"))
    return drawn
