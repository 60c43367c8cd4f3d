"""Where the grid's YAML lies, and how one file of it is read without Hydra (config floor; no torch, no Hydra)."""

from __future__ import annotations

from pathlib import Path

from omegaconf import DictConfig, OmegaConf

_PACKAGE = Path(__file__).resolve().parent.parent
# A wheel carries the folder inside the package; in a checkout it stands beside the package.
CONF_DIR = next(path for path in (_PACKAGE / "conf", _PACKAGE.parent / "conf") if path.is_dir())
"""The folder of the grid's YAML: a subfolder per group, such as model/, a file per choice, such as resnet50.yaml."""


TABLE_GROUPS = ("ablation", "experiment")
"""The groups whose files are the tables of the paper; a command adds one of them, as `+ablation=squeeze`."""


def list_files(group: str) -> list[str]:
    """Return the names of a group's choices, in alphabetical order."""
    return sorted(path.stem for path in (CONF_DIR / group).glob("*.yaml"))


def load_file(group: str, name: str) -> DictConfig:
    """Return what one file states, before any override and with interpolations as they are written.

    Raises:
        FileNotFoundError: the group has no such file.
    """
    # OmegaConf and not a plain YAML reader: only the former takes 1e-4 for a number, as Hydra does.
    config = OmegaConf.load(CONF_DIR / group / f"{name}.yaml")
    assert isinstance(config, DictConfig)
    return config
