"""The files that weights are written to (config floor; no torch)."""

from __future__ import annotations

from pathlib import Path

from senet_repro.core.choice import require_choice
from senet_repro.core.errors import ConfigError

SAFE = ".safetensors"
SUFFIXES = (SAFE, ".pth")


def check_weights_target(path: Path) -> None:
    """Accept a file that weights can be written to.

    Raises:
        ConfigError: another suffix, or a folder that does not exist.
    """
    require_choice("suffix", path.suffix, SUFFIXES)
    if not path.parent.is_dir():
        raise ConfigError(
            f"{path.parent} is not a folder; make it, or give a path in one that exists"
        )
