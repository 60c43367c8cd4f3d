"""Read and edit what stands in a JPEG or PNG file beside its pixels (data floor).

A JPEG is a row of segments, each a marker (0xFF and a code) and its content; the pixels follow the last of them. A PNG
is a row of chunks: length, name, content, checksum.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from typing import NamedTuple

JPEG = b"\xff\xd8\xff"
PNG = b"\x89PNG\r\n\x1a\n"
"""How each begins."""

# Any number of 0xFF may come before a code, and 0xFF 0x00 is no marker.
_MARKER = re.compile(rb"\xff+([^\x00\xff])")
# The codes of markers that stand alone, without a content.
_ALONE = {0x01, *range(0xD0, 0xD9)}
_END_OF_IMAGE = 0xD9
_SCAN = 0xDA
_EXIF = 0xE1
# Codes that begin a frame; 0xC4, 0xC8 and 0xCC among them mean something else.
_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# Length, bits and both sides come before the number of colour components.
_COMPONENTS_AT = 7


class Part(NamedTuple):
    """A segment or a chunk."""

    name: int | bytes  # the marker's code, or the chunk's name
    start: int  # of all of it
    content: int  # where a segment's length stands, or a chunk's content begins
    end: int


def hide_orientation(encoded: bytearray) -> None:
    """Take the EXIF data out of a JPEG or PNG file, in place, so that no decoder turns the picture by them."""
    for part in reversed(list(_list_parts(encoded))):
        if part.name in (_EXIF, b"eXIf"):
            del encoded[part.start : part.end]


def count_components(encoded: bytes | bytearray) -> int | None:
    """Return how many colour components a JPEG has: 1 if it is grey, 4 if it is CMYK; None of what is no JPEG."""
    if not encoded.startswith(JPEG):
        return None
    for segment in _list_segments(encoded):
        place = segment.content + _COMPONENTS_AT
        if segment.name in _FRAMES and place < len(encoded):
            return encoded[place]
    return None


def check_png(encoded: bytes | bytearray) -> None:
    """Refuse a PNG that was changed since it was written.

    Raises:
        ValueError: a chunk that a decoder needs has another checksum; one that is cut short is not looked at.
    """
    for chunk in _list_chunks(encoded):
        assert isinstance(chunk.name, bytes)
        # Decoders need those that are named in capitals.
        is_needed = chunk.name[:1].isupper()
        stated = encoded[chunk.end - 4 : chunk.end]
        found = zlib.crc32(encoded[chunk.start + 4 : chunk.end - 4])
        if is_needed and chunk.end <= len(encoded) and found != int.from_bytes(stated):
            name = chunk.name.decode("latin-1")
            raise ValueError(f"its part {name} is damaged: the checksum is another")


def _list_parts(encoded: bytes | bytearray) -> Iterator[Part]:
    """Yield the segments of a JPEG before its pixels, or the chunks of a PNG; nothing of another file."""
    if encoded.startswith(JPEG):
        yield from _list_segments(encoded)
    elif encoded.startswith(PNG):
        yield from _list_chunks(encoded)


def _list_segments(encoded: bytes | bytearray) -> Iterator[Part]:
    position = 2
    # As libjpeg does, which passes over whatever stands before a marker.
    while marker := _MARKER.search(encoded, position):
        code = marker[1][0]
        if code in (_SCAN, _END_OF_IMAGE):
            return
        position = marker.end()
        if code in _ALONE:
            continue
        length = int.from_bytes(encoded[position : position + 2])
        # The length counts its own two bytes.
        position += max(length, 2)
        yield Part(code, marker.start(), marker.end(), position)


def _list_chunks(encoded: bytes | bytearray) -> Iterator[Part]:
    start = len(PNG)
    while start + 8 <= len(encoded):
        length = int.from_bytes(encoded[start : start + 4])
        name = bytes(encoded[start + 4 : start + 8])
        end = start + 12 + length
        yield Part(name, start, start + 8, end)
        start = end
