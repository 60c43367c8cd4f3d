"""The help of the command line, filled in with the grid as it stands in conf/ (config floor; no torch)."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from string import Template

from omegaconf import OmegaConf

from senet_repro.config.composition import compose_config
from senet_repro.config.conf_dir import CONF_DIR, list_files, load_file

# Of Hydra's own groups a command chooses among these alone; two of its files are no files of ours.
LAUNCHERS = "hydra/launcher"
HYDRAS_LAUNCHERS = ("basic", "joblib")

FIRST_WORDS = """\
senet_repro: the tables of "Squeeze-and-Excitation Networks" as one grid.
Nothing was asked for.

  python -m senet_repro protocol=demo           a first run, about ten seconds
  python -m senet_repro protocol=demo dry=true  what it would train, at what cost
  python -m senet_repro --help                  the grid, the verbs, examples
"""
"""The answer to a command that asks for nothing."""


def build_help(verbs: str) -> str:
    """Return the short help: the template in conf/hydra/help, with a line for each of the `verbs`."""
    # Hydra would fill it in as well, but composes for each of some eighty groups, most of them its own.
    stated = load_file("hydra/help", "senet_repro")
    # The template takes the header from where Hydra has it.
    text = OmegaConf.create({"hydra": {"help": stated}}).hydra.help.template
    return Template(text).substitute(VERBS=textwrap.indent(verbs, "  ").lstrip())


def build_reference(overrides: Sequence[str], verbs: str) -> str:
    """Return the groups with their choices, every key as the overrides compose it, and the usage of the `verbs`.

    Raises:
        ConfigError: as for `compose_config`.
    """
    groups = "\n".join(_describe_groups())
    keys = OmegaConf.to_yaml(compose_config(overrides), sort_keys=False)
    parts = {
        "Groups, GROUP=NAME": groups,
        "Keys, KEY.FIELD=VALUE; what only a file may state, such as model.name, comes with GROUP=NAME": keys,
        "Verbs": verbs,
        "Hydra": "Its own flags: --hydra-help. A run's settings without running it: --cfg job",
    }
    return "\n".join(
        f"{title}\n{textwrap.indent(text.rstrip(), '  ')}\n" for title, text in parts.items()
    )


def _describe_groups() -> Iterator[str]:
    """Yield a line for each folder of YAML files: the group and the names of its files."""
    for folder in sorted(path for path in CONF_DIR.rglob("*") if path.is_dir()):
        group = str(folder.relative_to(CONF_DIR))
        if group.startswith("hydra/") and group != LAUNCHERS:
            continue
        names = list_files(group)
        if group == LAUNCHERS:
            names = sorted([*names, *HYDRAS_LAUNCHERS])
        if names:
            yield f"{group}: {', '.join(names)}"
