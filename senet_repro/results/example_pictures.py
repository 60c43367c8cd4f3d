"""Pictures of the evaluation set beside a record, so that a page can show what was found without the data
(results floor; Pillow once there are any).
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping
from pathlib import Path

from senet_repro.core.errors import ConfigError
from senet_repro.core.files import read_bytes, write_bytes
from senet_repro.results.access import explain_access
from senet_repro.results.run_folder import RunFolder

MOST_PICTURES = 4
"""How many pictures a run keeps at most."""

MOST_PX = 400
"""The longer side of a kept picture at most."""

_MOST_BYTES = 200_000


def write_pictures(folder: Path, pictures: Mapping[int, bytes]) -> None:
    """Write JPEG files by the ids of their images into a run's folder, each whole or not at all."""
    run_folder = RunFolder(folder)
    run_folder.pictures.mkdir(exist_ok=True)
    for image_id, content in pictures.items():
        write_bytes(run_folder.name_picture(image_id), content)


def read_pictures(folder: Path) -> dict[int, bytes]:
    """Return the JPEG files of a run's folder by the ids of their images, in rising order; none where it has none.

    Raises:
        ConfigError: a file is no picture as a run keeps them, or cannot be read; the message names it.
    """
    run_folder = RunFolder(folder)
    try:
        paths = sorted(run_folder.pictures.iterdir())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(explain_access(run_folder.pictures, error)) from error
    # A process that was killed as it wrote a file leaves a part of it under a hidden name.
    found = {_read_image_id(path): path for path in paths if not path.name.startswith(".")}
    if len(found) > MOST_PICTURES:
        raise ConfigError(
            f"{run_folder.pictures} holds {len(found)} pictures, and a run keeps {MOST_PICTURES}: remove the others"
        )
    return {image_id: _read_picture(path) for image_id, path in sorted(found.items())}


def _read_image_id(path: Path) -> int:
    """Return the image id that a file is named by.

    Raises:
        ConfigError: its name is none that a run gives.
    """
    if not path.stem.isdecimal() or path.name != f"{int(path.stem)}.jpg":
        raise ConfigError(f"{path}: no picture that a run keeps; remove it")
    return int(path.stem)


def _read_picture(path: Path) -> bytes:
    """Return the content of a JPEG file that is small in bytes and in pixels.

    Raises:
        ConfigError: it is another file.
    """
    try:
        content = read_bytes(path)
    except OSError as error:
        raise ConfigError(explain_access(path, error)) from error
    if len(content) > _MOST_BYTES or not _is_small_jpeg(content):
        raise ConfigError(
            f"{path}: no JPEG picture of at most {MOST_PX} px and {_MOST_BYTES // 1000} kB; put back the run's own "
            "file, or remove it"
        )
    return content


def _is_small_jpeg(content: bytes) -> bool:
    """Return whether the header of a file says that it is a JPEG picture of at most 400 px."""
    from PIL import Image

    damages = (OSError, ValueError, SyntaxError)
    try:
        with warnings.catch_warnings():
            # Pillow warns of a header that states too many pixels.
            warnings.simplefilter("error")
            with Image.open(io.BytesIO(content), formats=["JPEG"]) as picture:
                return max(picture.size) <= MOST_PX
    except (*damages, Image.DecompressionBombWarning, Image.DecompressionBombError):
        return False
