"""Outcomes come back as written; what is foreign, damaged or another run's is refused by name."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from senet_repro.core.errors import ConfigError
from senet_repro.results.outcomes import (
    OUTCOMES_FILE,
    Outcomes,
    load_outcomes,
    pack_outcomes,
    read_outcomes,
)
from senet_repro.results.record import read_record, write_record
from tests.records import add_outcomes, make_record


def draw_outcomes(images: int = 20, classes: int = 10, ranks: int = 5) -> Outcomes:
    draw = np.random.default_rng(0)
    scores = draw.random((images, classes))
    return pack_outcomes(draw.integers(classes, size=images), scores.argsort(axis=1)[:, :ranks])


@pytest.mark.parametrize(
    ("classes", "ranks", "type_name"), [(3, 3, "uint8"), (10, 5, "uint8"), (1000, 5, "uint16")]
)
def test_outcomes_come_back_as_written(
    classes: int, ranks: int, type_name: str, tmp_path: Path
) -> None:
    outcomes = draw_outcomes(classes=classes, ranks=ranks)
    outcomes.write_into(tmp_path)
    found = read_outcomes(tmp_path / OUTCOMES_FILE)
    assert np.array_equal(found.labels, outcomes.labels)
    assert np.array_equal(found.likeliest, outcomes.likeliest)
    assert (found.labels.dtype, found.likeliest.dtype) == ("uint16", type_name)
    assert found.summarise() == {"sha256": outcomes.digest, "images": 20, "ranks": ranks}


def test_the_same_outcomes_are_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        draw_outcomes().write_into(tmp_path / name)
    one, other = ((tmp_path / name / OUTCOMES_FILE).read_bytes() for name in ("one", "other"))
    assert one == other


def test_hits_are_labels_among_the_first_classes() -> None:
    outcomes = pack_outcomes(np.array([0, 1, 2]), np.array([[0, 1, 2], [2, 1, 0], [0, 1, 2]]))
    assert outcomes.list_hits(1).tolist() == [True, False, False]
    assert outcomes.list_hits(2).tolist() == [True, True, False]
    # Of three classes a label is always among the first five.
    assert outcomes.list_hits(5).all()


def test_each_change_has_another_digest() -> None:
    outcomes = draw_outcomes()
    changed = outcomes.likeliest[:, ::-1]
    others = [
        pack_outcomes(outcomes.labels, changed),
        pack_outcomes(outcomes.labels[::-1], outcomes.likeliest),
        pack_outcomes(outcomes.labels, outcomes.likeliest[:, :4]),
        Outcomes(outcomes.labels, outcomes.likeliest.astype(np.uint16)),
    ]
    assert len({each.digest for each in (outcomes, *others)}) == 5
    # The order of an array in memory is no part of it.
    assert pack_outcomes(outcomes.labels, np.asfortranarray(outcomes.likeliest)).digest == (
        outcomes.digest
    )


def save_arrays(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


LABELS, LIKELIEST = np.zeros(4, np.uint16), np.zeros((4, 5), np.uint8)


def swell(content: bytes) -> bytes:
    """An archive of a few kilobytes that unpacks to many megabytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("labels.npy", content + bytes(70_000_000))
    return file.getvalue()


@pytest.mark.parametrize(
    "damage",
    [
        lambda good: b"",
        lambda good: b"PK not an archive",
        lambda good: good[: len(good) // 2],
        lambda good: good[:60] + b"\xff" * 40 + good[100:],
        swell,
        lambda good: save_arrays(labels=LABELS),
        lambda good: save_arrays(labels=LABELS.astype(float), likeliest=LIKELIEST),
        lambda good: save_arrays(labels=LABELS, likeliest=LIKELIEST.astype(np.int64)),
        lambda good: save_arrays(labels=LABELS[:3], likeliest=LIKELIEST),
        lambda good: save_arrays(labels=LABELS, likeliest=LIKELIEST[:, :0]),
        lambda good: save_arrays(labels=LABELS, likeliest=np.zeros((4, 6), np.uint8)),
        lambda good: save_arrays(labels=np.array([{}]), likeliest=LIKELIEST),
    ],
)
def test_a_file_of_another_form_is_refused_by_name(
    damage: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    path = tmp_path / OUTCOMES_FILE
    path.write_bytes(damage(save_arrays(labels=LABELS, likeliest=LIKELIEST)))
    with pytest.raises(ConfigError, match="no outcomes as senet_repro writes them") as refused:
        read_outcomes(path)
    assert str(path) in str(refused.value)


def test_outcomes_are_found_beside_their_record_alone(tmp_path: Path) -> None:
    record = make_record(["r=8"], seed=1, top1=3.0, eval_images=4)
    assert load_outcomes(record) is None
    record = add_outcomes(record, tmp_path, [True, False, False, True], [True, True, False, True])
    write_record(tmp_path, record)
    read = read_record(tmp_path / "record.json")
    found = load_outcomes(read)
    assert found is not None
    assert read.metrics["top1_err_pct"] == 50
    assert found.list_hits(1).tolist() == [True, False, False, True]
    assert found.list_hits(5).tolist() == [True, True, False, True]
    # A table asks often, and a file is read once.
    assert load_outcomes(read) is found
    assert load_outcomes(replace(read, outcomes=None)) is None
    (tmp_path / OUTCOMES_FILE).unlink()
    assert load_outcomes(read) is None


def test_outcomes_of_another_run_are_refused(tmp_path: Path) -> None:
    record = make_record(["r=8"], seed=1, top1=3.0, eval_images=4)
    record = add_outcomes(record, tmp_path, [True, False, False, True])
    assert load_outcomes(record) is not None
    draw_outcomes().write_into(tmp_path)
    with pytest.raises(ConfigError, match="not the outcomes that its record was made with"):
        load_outcomes(record)
