"""Detections come back as written; what is foreign, damaged or another run's is refused by name."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from senet_repro.core.errors import ConfigError
from senet_repro.results.detections import (
    DETECTIONS_FILE,
    Detections,
    load_detections,
    read_detections,
)
from senet_repro.results.outcomes import load_outcomes
from senet_repro.results.record import read_record, write_record
from tests.detections import Find, Truth, draw_detections, make_detections
from tests.records import make_record

BOX = (1.5, 2.5, 30.1, 40.0)


def list_fields(detections: Detections) -> dict[str, np.ndarray]:
    fields = {**vars(detections), **vars(detections.true)}
    fields |= {f"found_{name}": array for name, array in vars(detections.found).items()}
    return {name: array for name, array in fields.items() if isinstance(array, np.ndarray)}


@pytest.mark.parametrize(
    "detections",
    [draw_detections(), make_detections([]), make_detections([([], []), ([Truth(BOX, 3)], [])])],
)
def test_detections_come_back_as_written(detections: Detections, tmp_path: Path) -> None:
    detections.write_into(tmp_path)
    read = read_detections(tmp_path / DETECTIONS_FILE)
    fields = list_fields(detections)
    for name, array in list_fields(read).items():
        assert np.array_equal(array, fields[name]), name
        assert array.dtype == fields[name].dtype, name
    assert read.category_names == detections.category_names
    assert read.digest == detections.digest
    assert read.summarise() == {
        "sha256": detections.digest,
        "images": len(detections.image_ids),
        "objects": len(detections.true.labels),
        "found": len(detections.found.labels),
    }


def test_the_same_detections_are_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        draw_detections(seed=4).write_into(tmp_path / name)
    one, other = ((tmp_path / name / DETECTIONS_FILE).read_bytes() for name in ("one", "other"))
    assert one == other


def test_found_objects_stand_by_falling_score_and_equal_ones_as_they_came() -> None:
    finds = [Find(BOX, 0, 0.2), Find(BOX, 1, 0.9), Find(BOX, 2, 0.2), Find(BOX, 3, 0.5)]
    found = make_detections([([], finds), ([], []), ([], finds[:2])]).found
    assert found.labels.tolist() == [1, 3, 0, 2, 1, 0]
    assert found.offsets.tolist() == [0, 4, 4, 6]
    assert np.all(np.diff(found.scores[:4]) <= 0)


def test_each_change_has_another_digest() -> None:
    truth, find = Truth(BOX, 0), Find(BOX, 1, 0.5)
    pictures = [
        [([truth], [find])],
        [([truth], [find]), ([], [])],
        [([], []), ([truth], [find])],
        [([replace(truth, label=1)], [find])],
        [([replace(truth, is_crowd=True)], [find])],
        [([replace(truth, area=7.0)], [find])],
        [([truth], [replace(find, score=0.25)])],
        [([truth], [replace(find, box=(1.5, 2.5, 30.1, 41.0))])],
    ]
    digests = {make_detections(each).digest for each in pictures}
    digests |= {make_detections(pictures[0], category_ids=(1, 2, 5, 91)).digest}
    assert len(digests) == len(pictures) + 1


Arrays = dict[str, np.ndarray]


def read_whole(path: Path) -> Arrays:
    with np.load(path) as found:
        return dict(found)


def save_arrays(arrays: Arrays) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def test_bytes_of_no_archive_are_refused_by_name(tmp_path: Path) -> None:
    draw_detections(images=2).write_into(tmp_path)
    path = tmp_path / DETECTIONS_FILE
    good = path.read_bytes()
    for damage in (b"", b"PK not an archive", good[: len(good) // 2], good[:60] + b"\xff" * 99):
        path.write_bytes(damage)
        with pytest.raises(ConfigError, match="no detections as senet_repro writes them"):
            read_detections(path)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("image_ids", lambda ids: ids[:-1]),
        ("image_ids", lambda ids: ids.astype(float)),
        ("sizes", lambda sizes: sizes.ravel()),
        ("category_ids", lambda ids: ids[:-1]),
        ("category_names", lambda names: names[:-1]),
        ("category_names", lambda names: np.array([{}])),
        ("category_names", lambda names: np.arange(len(names))),
        ("true_offsets", lambda offsets: offsets + 1),
        ("true_offsets", lambda offsets: offsets[:-1]),
        ("true_offsets", lambda offsets: offsets[:0]),
        ("true_boxes", lambda boxes: boxes.astype(np.float32)),
        ("true_boxes", lambda boxes: boxes * np.nan),
        ("true_is_crowd", lambda flags: flags.astype(np.uint8)),
        ("true_areas", lambda areas: areas[1:]),
        ("found_offsets", lambda offsets: offsets[::-1]),
        ("found_boxes", lambda boxes: boxes[:, :3]),
        ("found_labels", lambda labels: labels + np.uint16(90)),
        ("found_scores", lambda scores: scores + np.float32(np.inf)),
        ("found_scores", lambda scores: np.float32(1)),
    ],
)
def test_arrays_of_another_form_are_refused_by_name(
    name: str, change: Callable[[np.ndarray], np.ndarray], tmp_path: Path
) -> None:
    draw_detections(images=5).write_into(tmp_path)
    path = tmp_path / DETECTIONS_FILE
    arrays = read_whole(path)
    path.write_bytes(save_arrays({**arrays, name: change(arrays[name])}))
    with pytest.raises(ConfigError, match="no detections as senet_repro writes them") as refused:
        read_detections(path)
    assert str(path) in str(refused.value)
    del arrays[name]
    path.write_bytes(save_arrays(arrays))
    with pytest.raises(ConfigError, match=name):
        read_detections(path)


def test_detections_are_found_beside_their_record_alone(tmp_path: Path) -> None:
    detections = draw_detections(images=4)
    record = make_record(["r=8"], seed=1, top1=3.0, eval_images=4)
    assert load_detections(record) is None
    detections.write_into(tmp_path)
    write_record(tmp_path, replace(record, outcomes=detections.summarise()))
    read = read_record(tmp_path / "record.json")
    found = load_detections(read)
    assert found is not None
    assert found.digest == detections.digest
    # They rank no classes, and are no outcomes of classification.
    assert load_outcomes(read) is None
    draw_detections(images=4, seed=2).write_into(tmp_path)
    with pytest.raises(ConfigError, match="not the detections that its record was made with"):
        load_detections(read)
    (tmp_path / DETECTIONS_FILE).unlink()
    assert load_detections(read) is None
