"""The networks of tests/expected/sizes.csv, each with its settings and its counts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import torch

from senet_repro.config.identity import select_stages
from senet_repro.config.schema import Run
from senet_repro.models import create_model
from senet_repro.models.layers import Classifier
from senet_repro.models.registry import model_info
from tests.expected import read_expected


class Network(NamedTuple):
    """Everything of a network that decides its counts; operators of the excitation and ways to write FCs do not."""

    name: str
    options: tuple[tuple[str, str], ...]
    stages: tuple[int, ...]  # that have SE blocks
    r: int | None
    squeeze: str
    placement: str
    bias: bool
    input_px: int
    classes: int

    def skeleton(self) -> Classifier:
        """Build the network without memory for values."""
        with torch.device("meta"):
            return create_model(
                self.name,
                self.classes,
                r=self.r,
                squeeze=self.squeeze,
                stages=self.stages or "none",
                placement=self.placement,
                bias=self.bias,
                **dict(self.options),
            )


@dataclass(frozen=True)
class Expected:
    """The counts of a network."""

    params: int
    macs: int
    units: (
        int | None
    )  # that have a gate, one or two blocks each; None but in one line of each network


@cache
def expected_sizes() -> dict[Network, Expected]:
    """Return every line of the file by its network."""
    found: dict[Network, Expected] = {}
    for line in read_expected("sizes.csv"):
        network = _network_of_line(line)
        assert network not in found, f"{network} stands twice in sizes.csv"
        units = int(line["units"]) if line["units"] else None
        found[network] = Expected(int(line["params"]), int(line["macs"]), units)
    return found


def network_of_run(run: Run) -> Network:
    """Return the network that a run trains, as the file names it."""
    stages = select_stages(run.stages, run.model.stages)
    settings = {"squeeze": run.squeeze, "placement": run.placement, "bias": run.se.bias}
    r = None if run.r == "none" else run.r
    return _network(
        run.model.name,
        dict(run.model.options),
        stages,
        r,
        settings,
        (run.data.eval_px, run.data.classes),
    )


def units_of(name: str) -> int:
    """Return how many units of a network have a gate where all its stages have SE."""
    for network, expected in expected_sizes().items():
        if network.name == name and expected.units is not None:
            return expected.units
    raise AssertionError(f"no line of {name} in sizes.csv has its units")


def _network_of_line(line: dict[str, str]) -> Network:
    options = dict(word.split("=") for word in line["options"].split())
    words = line["stages"]
    stages = words if words.isalpha() or "_" in words else [int(word) for word in words.split()]
    return _network(
        line["network"],
        options,
        select_stages(stages, model_info(line["network"]).stages),
        int(line["r"]) if line["r"] else None,
        {"squeeze": line["squeeze"], "placement": line["placement"], "bias": line["bias"] == "yes"},
        (int(line["input_px"]), int(line["classes"])),
    )


def _network(
    name: str,
    options: dict[str, str],
    stages: tuple[int, ...],
    r: int | None,
    settings: dict[str, Any],
    data: tuple[int, int],
) -> Network:
    all_options = tuple(sorted({**model_info(name).options, **options}.items()))
    if r is None or not stages:
        # Without an SE block nothing about one has an effect.
        stages, r = (), None
        settings = {"squeeze": "avg", "placement": "standard", "bias": False}
    return Network(name, all_options, stages, r, **settings, input_px=data[0], classes=data[1])
