"""Where the jobs of a sweep run."""

from __future__ import annotations

from typing import Any

import pytest
from omegaconf import OmegaConf

from senet_repro.cli.command import Command
from senet_repro.cli.points import Point
from senet_repro.cli.train import HydraLauncher, ThisProcess
from senet_repro.config.composition import compose
from senet_repro.core.errors import ConfigError


@pytest.mark.parametrize(
    ("settings", "expected"),
    [({}, False), ({"n_jobs": 1}, False), ({"n_jobs": 2}, True)],
    ids=["Hydra's own, and a cluster", "joblib with one worker", "joblib with two"],
)
def test_only_several_jobs_at_a_time_run_in_processes_that_the_command_must_stop(
    settings: dict[str, Any], expected: bool
) -> None:
    # A launcher that trains in this process leaves signals to the run, which defers them itself.
    config = OmegaConf.create({"hydra": {"launcher": settings}})
    unused: Any = None
    assert HydraLauncher(unused, unused, config).starts_processes is expected


def test_a_sweep_is_dry_as_a_whole_or_not_at_all() -> None:
    lines = (["dry=true"], ["dry=false"])
    points = [Point(overrides, compose(overrides)) for overrides in lines]
    with pytest.raises(ConfigError, match="give dry=true or dry=false"):
        Command().train_points(points, ThisProcess())
