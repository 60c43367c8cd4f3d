"""Files of named arrays beside a record: the same arrays are the same bytes, and nothing foreign is believed
(results floor; numpy once it is needed).
"""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from senet_repro.core.errors import ConfigError
from senet_repro.core.files import MOST_BYTES, read_bytes, write_bytes
from senet_repro.results.access import explain_access

if TYPE_CHECKING:
    import numpy as np

Content = TypeVar("Content")

# Everything that a damaged archive of arrays was seen to raise.
_DAMAGES = (
    ValueError,
    KeyError,
    EOFError,
    OverflowError,
    MemoryError,
    NotImplementedError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays by their names into a file, whole or not at all; the same arrays are the same bytes."""
    # Late, as everywhere below: tables of records without such files need no numpy.
    import numpy as np

    archive = io.BytesIO()
    # Compressed they would be other bytes with another zlib, and those of a run are small as they are.
    np.savez(archive, **arrays)  # type: ignore[arg-type]
    write_bytes(path, archive.getbuffer())


def read_arrays(
    path: Path, noun: str, unpack: Callable[[Mapping[str, np.ndarray]], Content]
) -> Content:
    """Return what `unpack` makes of the arrays in a file by their names; `noun` says in messages what they are.

    `unpack` raises ValueError or KeyError where they are of another form.

    Raises:
        ConfigError: the file holds no such arrays, or cannot be read; the message names it.
    """
    import numpy as np

    try:
        content = read_bytes(path)
    except OSError as error:
        raise ConfigError(explain_access(path, error)) from error
    try:
        _refuse_swollen(content)
        with np.load(io.BytesIO(content), allow_pickle=False) as found:
            return unpack(found)
    except _DAMAGES as error:
        raise ConfigError(
            f"{path}: no {noun} as senet_repro writes them ({error}); put back the run's own file, or remove it"
        ) from error


def hash_arrays(arrays: Iterable[np.ndarray]) -> str:
    """Return the hash of arrays in their order: their shapes, types and bytes."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.shape} {array.dtype.str} ".encode())
        # Row by row, however the array lies in memory.
        digest.update(array.tobytes())
    return digest.hexdigest()


def require_hash(path: Path, noun: str, found: str, expected: str) -> None:
    """Accept a file by the hash of its arrays, if it is the one that a record was made with.

    Raises:
        ConfigError: it is another one.
    """
    if found != expected:
        raise ConfigError(
            f"{path}: not the {noun} that its record was made with; put back the run's own file, or remove it"
        )


def _refuse_swollen(content: bytes) -> None:
    """Accept an archive that does not unpack to more than is read of any file: a few bytes can say many gigabytes."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        unpacked_bytes = sum(member.file_size for member in archive.infolist())
    if unpacked_bytes > MOST_BYTES:
        raise ValueError(f"it would unpack to more than {MOST_BYTES / 1e6:.0f} MB")
