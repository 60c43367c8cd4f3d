"""The help of the command line, filled in with the grid as it stands in conf/ (config floor; no torch)."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from string import Template

import hydra
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf

from senet_repro.config.conf_dir import CONF_DIR
from senet_repro.config.explain import plain_errors


def build_help(overrides: Sequence[str], verbs: str) -> str:
    """Return the help: the template in conf/hydra/help, filled in, with the usage of the `verbs`.

    Raises:
        ConfigError: as for `compose`.
    """
    # Hydra would fill it in as well, but composes for each of some eighty groups, most of them its own.
    GlobalHydra.instance().clear()
    with plain_errors(), hydra.initialize_config_dir(str(CONF_DIR), version_base="1.3"):
        config = hydra.compose("config", overrides=list(overrides), return_hydra_config=True)
        template = Template(config.hydra.help.template)
        ours = OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])
    return template.substitute(
        APP_CONFIG_GROUPS="\n".join(_describe_groups()),
        CONFIG=OmegaConf.to_yaml(ours, sort_keys=False),
        VERBS=textwrap.indent(verbs, "  ").lstrip(),
    )


def _describe_groups() -> Iterator[str]:
    """Yield a line for each folder of YAML files: the group and the names of its files."""
    for folder in sorted(path for path in CONF_DIR.rglob("*") if path.is_dir()):
        names = sorted(path.stem for path in folder.glob("*.yaml"))
        if names:
            yield f"{folder.relative_to(CONF_DIR)}: {', '.join(names)}"
