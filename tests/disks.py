"""Small and read-only disks, for those who may mount them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, size_kib: int) -> Iterator[None]:
    """Let `folder` be a disk of its own in memory; the test skips where that is not allowed."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size_kib}k", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"no disk may be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def resize(folder: Path, size_kib: int) -> None:
    """Let the disk grow or shrink."""
    subprocess.run(["mount", "-o", f"remount,size={size_kib}k", str(folder)], check=True)


def make_read_only(folder: Path) -> None:
    """Let nothing on the disk be changed any more."""
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
