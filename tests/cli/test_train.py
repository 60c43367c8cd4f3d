"""Where the jobs of a sweep run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import joblib
import pytest
from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn
from omegaconf import DictConfig, OmegaConf

from senet_repro.cli.command import Command, Outcomes
from senet_repro.cli.job import _describe_result
from senet_repro.cli.points import Point, Position
from senet_repro.cli.train import HydraLauncher, ThisProcess, count_side_by_side
from senet_repro.config.composition import compose
from senet_repro.config.conf_dir import CONF_DIR
from senet_repro.config.schema import Run, Trainer
from senet_repro.core.errors import ConfigError
from tests.folders import finish
from tests.records import make_record


@pytest.fixture(scope="module")
def a_run() -> Run:
    return compose([])


@pytest.mark.parametrize(
    ("settings", "trainer", "runs", "expected"),
    [
        pytest.param({}, {}, 3, 1, id="Hydra's own, and a cluster"),
        pytest.param({"n_jobs": 1}, {}, 3, 1, id="joblib with one worker"),
        pytest.param({"n_jobs": 2}, {}, 3, 2, id="joblib with two"),
        pytest.param({"n_jobs": 12}, {}, 3, 3, id="no more workers than runs"),
        pytest.param({"n_jobs": -1}, {}, 9, 4, id="one per core"),
        pytest.param({"n_jobs": -1}, {}, 1, 1, id="one run needs no process beside this one"),
        pytest.param({"n_jobs": -2}, {}, 9, 3, id="all cores but one"),
        pytest.param({"n_jobs": -1}, {"devices": 2}, 9, 2, id="two devices take two cores"),
        pytest.param({"n_jobs": -1}, {"devices": 8}, 9, 1, id="more devices than cores"),
        pytest.param({"n_jobs": -1}, {"nodes": 2}, 9, 1, id="nodes meet run by run"),
    ],
)
def test_as_many_runs_at_a_time_as_asked_for_or_as_there_are_cores_for(
    settings: dict[str, int],
    trainer: dict[str, int],
    runs: int,
    expected: int,
    a_run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(joblib, "effective_n_jobs", lambda jobs: 5 + jobs)
    run = replace(a_run, trainer=Trainer(**trainer))
    assert count_side_by_side(OmegaConf.create(settings), [run] * runs) == expected


class SeenLauncher:
    """A launcher of Hydra's that has no jobs, and tells how many it would run at a time."""

    seen: ClassVar[list[int | None]] = []

    def __init__(self, config: DictConfig) -> None:
        self._jobs = config.hydra.launcher.get("n_jobs")

    def launch(self, overrides: Sequence[Sequence[str]], initial_job_idx: int) -> list[JobReturn]:
        self.seen.append(self._jobs)
        return [JobReturn() for _ in overrides]


@pytest.mark.parametrize(
    ("launcher", "launches", "expected", "are_processes"),
    [
        ({"n_jobs": 12}, [3, 1], [3, 3], True),
        ({"n_jobs": -1}, [1, 1], [1, 1], False),
        ({}, [3], [None], False),
    ],
    ids=["the workers of the first launch live on", "one run", "not joblib's"],
)
def test_a_command_keeps_its_workers_from_launch_to_launch(
    launcher: dict[str, int],
    launches: list[int],
    expected: list[int | None],
    are_processes: bool,
    a_run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def build(_plugins: object, config: DictConfig, **_others: Any) -> SeenLauncher:
        return SeenLauncher(config)

    monkeypatch.setattr(SeenLauncher, "seen", [])
    monkeypatch.setattr(Plugins, "instantiate_launcher", build)
    unused: Any = None
    config = OmegaConf.create({"hydra": {"launcher": launcher}})
    OmegaConf.set_readonly(config, True)
    jobs = HydraLauncher(unused, config)
    # Only jobs in processes of their own must be stopped by the command; a run in this one defers signals itself.
    assert not jobs.starts_processes
    for count in launches:
        jobs.launch_jobs(
            [Point([f"seed={seed}"], replace(a_run, seed=seed)) for seed in range(count)]
        )
    assert SeenLauncher.seen == expected
    assert jobs.starts_processes is are_processes
    assert config.hydra.launcher == launcher


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ([], "JoblibLauncher"),
        (["hydra/launcher=basic"], "BasicLauncher"),
        (["protocol=cifar10"], "BasicLauncher"),
    ],
    ids=["the demo", "the user's own", "another protocol"],
)
def test_the_demo_trains_side_by_side_unless_told_otherwise(
    overrides: list[str], expected: str
) -> None:
    with initialize_config_dir(str(CONF_DIR), version_base="1.3"):
        config = hydra_compose("config", overrides, return_hydra_config=True)
    assert config.hydra.launcher._target_.endswith(expected)


@pytest.mark.parametrize(
    ("finished", "expected"),
    [(0, ", about 60 s left"), (2, ", about 20 s left"), (3, "")],
    ids=["none has its record", "others were quicker", "the last one"],
)
def test_the_time_left_is_that_of_the_runs_without_a_record(
    finished: int, expected: str, tmp_path: Path
) -> None:
    folders = [tmp_path / str(number) for number in range(3)]
    for number, folder in enumerate(folders):
        folder.mkdir()
        if number < finished:
            (folder / "record.json").touch()
    record = make_record([], seed=0, top1=2.0)
    # Run 1 of 3 may end last.
    line = _describe_result(record, 40.0, Position(1, 3, side_by_side=2, folders=folders))
    assert line.startswith("[1/3] digits-resnet11-r16 seed 0  top-1 err 2.00 %")
    assert line.endswith(f"360 images  40 s{expected}")


def test_a_sweep_is_dry_as_a_whole_or_not_at_all() -> None:
    lines = (["dry=true"], ["dry=false"])
    points = [Point(overrides, compose(overrides)) for overrides in lines]
    with pytest.raises(ConfigError, match="give dry=true or dry=false"):
        Command().train_points(points, ThisProcess())


class NotingLauncher:
    """Trains nothing: it notes the rows and seeds that it is to train, in their order."""

    starts_processes = False

    def __init__(self) -> None:
        self.launched: list[tuple[int, int]] = []

    def launch_jobs(self, points: Sequence[Point]) -> Outcomes:
        self.launched += [(point.run.r, point.run.seed) for point in points]
        return dict.fromkeys(points)


@pytest.mark.parametrize(
    ("finished", "expected"),
    [
        pytest.param(
            [], [(2, 0), (4, 0), (2, 1), (4, 1), (2, 2), (4, 2)], id="none has its record"
        ),
        pytest.param([(2, 0), (2, 1)], [(4, 0), (4, 1), (2, 2), (4, 2)], id="one row is ahead"),
        pytest.param([(4, 0)], [(2, 0), (2, 1), (4, 1), (2, 2), (4, 2)], id="a round is half done"),
    ],
)
def test_a_sweep_that_goes_on_ends_the_round_of_the_first_seed_before_the_next(
    finished: list[tuple[int, int]], expected: list[tuple[int, int]], tmp_path: Path
) -> None:
    for r, seed in finished:
        finish(tmp_path, f"r={r}", f"seed={seed}")
    grid = [
        [f"r={r}", f"seed={seed}", f"results_dir={tmp_path}"] for r in (2, 4) for seed in range(3)
    ]
    launcher = NotingLauncher()
    Command().train_points([Point(overrides, compose(overrides)) for overrides in grid], launcher)
    assert launcher.launched == expected
