"""The home directory that a path may begin with (core floor)."""

from __future__ import annotations

from pathlib import Path

from senet_repro.core.errors import ConfigError


def expand_home(path: str) -> str:
    """Return a path with the home directory in place of the ~ or ~NAME that it begins with.

    A folder that is called ~ is ./~ then, as for a shell.

    Raises:
        ConfigError: there is no user of that name, and so no home.
    """
    if not path.startswith("~"):
        return path
    try:
        return str(Path(path).expanduser())
    except RuntimeError as error:
        raise ConfigError(
            f"{path}: there is no such home; give ./{path} for a folder of that name"
        ) from error
