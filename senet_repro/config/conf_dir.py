"""Where the grid's YAML lies, and how one file of it is read without Hydra (config floor; no torch, no Hydra)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

_PACKAGE = Path(__file__).resolve().parent.parent
# A wheel carries the folder inside the package; in a checkout it stands beside the package.
CONF_DIR = next(path for path in (_PACKAGE / "conf", _PACKAGE.parent / "conf") if path.is_dir())
"""The folder of the grid's YAML: a subfolder per group, such as model/, a file per choice, such as resnet50.yaml."""


TABLE_GROUPS = ("ablation", "experiment")
"""The groups whose files are the tables of the paper; a command adds one of them, as `+ablation=squeeze`."""

_FLOAT = "tag:yaml.org,2002:float"
_DATE = "tag:yaml.org,2002:timestamp"


# PyYAML is built with the fast reader wherever its C library is.
class _Reader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Reads YAML as Hydra does: 1e-4 is a number, a date is a text, and no key stands twice in one place.

    OmegaConf's own reader is written in Python, and takes ten times as long.
    """

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """Return the keys and values of a mapping.

        Raises:
            YAMLError: a key stands there twice.
        """
        mapping: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        if len(mapping) < len(node.value):
            raise yaml.constructor.ConstructorError(
                "while reading keys", node.start_mark, "found one twice", node.start_mark
            )
        return mapping


_Reader.add_implicit_resolver(
    _FLOAT, re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$"), list("-+0123456789")
)
_Reader.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in resolvers if tag != _DATE]
    for first, resolvers in _Reader.yaml_implicit_resolvers.items()
}


def list_files(group: str) -> list[str]:
    """Return the names of a group's choices, in alphabetical order."""
    return sorted(path.stem for path in (CONF_DIR / group).glob("*.yaml"))


def load_file(group: str, name: str) -> dict[str, Any]:
    """Return what one file states, before any override and with interpolations as they are written.

    Raises:
        FileNotFoundError: the group has no such file.
        YAMLError: the file is no YAML, or states a key twice.
    """
    with (CONF_DIR / group / f"{name}.yaml").open("rb") as file:
        stated: dict[str, Any] = yaml.load(file, Loader=_Reader) or {}
    return stated
