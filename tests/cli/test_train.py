"""Where the jobs of a sweep run."""

from __future__ import annotations

from typing import Any

import pytest
from omegaconf import OmegaConf

from senet_repro.cli.train import HydraLauncher


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
