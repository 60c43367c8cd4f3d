"""A run's pictures come back as written; whatever else lies there is refused by name."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from senet_repro.core.errors import ConfigError
from senet_repro.results.example_pictures import (
    MOST_PICTURES,
    MOST_PX,
    read_pictures,
    write_pictures,
)


def encode(width: int = 30, height: int = 20, form: str = "JPEG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), (width % 256, 90, 20)).save(file, format=form)
    return file.getvalue()


def test_pictures_come_back_in_the_order_of_their_ids(tmp_path: Path) -> None:
    assert read_pictures(tmp_path) == {}
    pictures = {1000: encode(), 9: encode(MOST_PX, 7), 139: encode(8, MOST_PX)}
    write_pictures(tmp_path, pictures)
    # What a killed process leaves.
    (tmp_path / "pictures" / ".9.jpg.77.tmp").write_bytes(b"\xff\xd8")
    found = read_pictures(tmp_path)
    assert list(found) == [9, 139, 1000]
    assert found == pictures


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("notes.txt", b"text"),
        ("7.png", encode()),
        ("07.jpg", encode()),
        ("-7.jpg", encode()),
        ("7.jpg", b""),
        ("7.jpg", b"<script>alert(1)</script>"),
        ("7.jpg", encode(form="PNG")),
        ("7.jpg", encode(MOST_PX + 1, 5)),
        ("7.jpg", encode() + bytes(200_000)),
        # A header of 65,000 by 65,000 px.
        ("7.jpg", encode().replace(b"\x00\x14\x00\x1e", b"\xfd\xe8\xfd\xe8")),
    ],
)
def test_a_foreign_file_is_refused_by_name(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    file = tmp_path / "pictures" / name
    file.write_bytes(content)
    with pytest.raises(
        ConfigError, match=r"no picture that a run keeps|no JPEG picture"
    ) as refused:
        read_pictures(tmp_path)
    assert str(file) in str(refused.value)


def test_a_folder_in_the_place_of_a_picture_and_a_fifth_picture_are_refused(tmp_path: Path) -> None:
    (tmp_path / "pictures" / "3.jpg").mkdir(parents=True)
    with pytest.raises(ConfigError, match=r"3\.jpg: not a file"):
        read_pictures(tmp_path)
    (tmp_path / "pictures" / "3.jpg").rmdir()
    write_pictures(tmp_path, {number: encode() for number in range(MOST_PICTURES + 1)})
    with pytest.raises(ConfigError, match="holds 5 pictures, and a run keeps 4"):
        read_pictures(tmp_path)
