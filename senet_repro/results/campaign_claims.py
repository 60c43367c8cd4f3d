"""The claims of a campaign as they were before its first run, `claims.yaml` beside its plan (results floor).

The plan names its claims, and the tables' files say how each is judged: this file keeps that, rows and margins
included. Where the tables' files were changed since, nothing is trained or collected; a change of this file itself,
which has to be committed, is seen in its history.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from senet_repro.config.paper_tables import find_table
from senet_repro.core.errors import ConfigError
from senet_repro.core.files import write_text
from senet_repro.results.campaign import Campaign, parse_yaml, read_text_if_there

CLAIMS_FILE = "claims.yaml"
"""The name of the file beside the plan."""

_HEAD = "# How each claim of the plan is judged, from the tables' files as they were when it was written.\n"


def write_claims(folder: Path, campaign: Campaign) -> None:
    """Write how the claims of a campaign's tables are judged now."""
    write_text(folder / CLAIMS_FILE, _HEAD + OmegaConf.to_yaml(_describe_claims(campaign)))


def check_claims(folder: Path, campaign: Campaign) -> None:
    """Accept tables whose claims are judged as they were when the campaign was planned.

    Raises:
        ConfigError: one is not, one was added or is gone, or nothing says how they were judged.
    """
    path = folder / CLAIMS_FILE
    mend = f"put it back as it was committed with the plan, at {campaign.written_at}"
    text = read_text_if_there(path, mend)
    if text is None:
        raise ConfigError(f"{path} is not there: {mend}")
    planned = parse_yaml(path, text, mend)
    now = OmegaConf.to_container(OmegaConf.create(_describe_claims(campaign)))
    if planned != now:
        raise ConfigError(
            f"{path}: some claims are not judged any more as was planned; put back the tables' files in conf/, "
            "or plan another campaign: no claim is added and no margin moved after the first run"
        )


def _describe_claims(campaign: Campaign) -> dict[str, list[dict[str, Any]]]:
    """Return what each table's claims say and how they are judged; what a claim does not have is left out."""
    described = {}
    for name in campaign.tables:
        claims = [asdict(claim) for claim in find_table(name).claims]
        described[name] = [
            {key: value for key, value in claim.items() if value not in (None, {}, [], "")}
            for claim in claims
        ]
    return described
