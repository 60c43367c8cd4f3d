"""What a command does about the data of its runs before it trains any, and what it leaves alone."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from omegaconf import OmegaConf
from PIL import Image

from senet_repro.cli.points import Point, read_point
from senet_repro.cli.train import HydraLauncher
from senet_repro.config.composition import compose
from senet_repro.config.identity import run_dir
from senet_repro.config.schema import Data
from senet_repro.results.plan import plan_run, write_plan
from tests.commands import InProcess
from tests.folders import begin

FILES = ("train-0.parquet", "test-0.parquet")


@pytest.fixture
def cifar(tmp_path: Path) -> Path:
    """A folder that is CIFAR-10 as far as the names of its files tell."""
    folder = tmp_path / "cifar"
    folder.mkdir()
    for name in FILES:
        (folder / name).write_text(name)
    return folder


def give_key(overrides: Sequence[str]) -> str:
    return run_dir(compose(overrides)).parent.name


@pytest.mark.parametrize(("dry", "fetches"), [("false", 1), ("true", 0)])
def test_a_set_is_fetched_before_the_run_is_known_by_it(
    dry: str, fetches: int, cifar: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = cifar.rename(cifar.with_name("network"))
    fetched = []

    def fetch(data: Data) -> None:
        fetched.append(data.name)
        shutil.copytree(hidden, cifar)

    monkeypatch.setattr("senet_repro.data.sets.load_in_memory", fetch)
    overrides = ["protocol=cifar10", f"data.root={cifar}", "data.download=true"]
    point = read_point(overrides, lambda given: OmegaConf.create(_resolve([*given, f"dry={dry}"])))
    assert isinstance(point, Point)
    assert len(fetched) == fetches
    assert (point.run.data.found is not None) == bool(fetches)
    if fetches:
        # The next command finds it there, and asks for the same run.
        assert give_key(overrides) == run_dir(point.run).parent.name


def _resolve(overrides: Sequence[str]) -> dict[str, Any]:
    """A composed configuration, as Hydra would hand it over."""
    return {**asdict(compose(overrides)), "hydra": {}}


def test_a_job_that_finds_other_pictures_than_the_command_trains_nothing(
    cifar: Path, answer: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    launch = HydraLauncher.launch_jobs

    def change_and_launch(launcher: HydraLauncher, points: Sequence[Point]) -> object:
        (cifar / FILES[0]).write_text("other pictures")
        return launch(launcher, points)

    monkeypatch.setattr(HydraLauncher, "launch_jobs", change_and_launch)
    monkeypatch.setattr("senet_repro.cli.train.train_run", lambda *_: pytest.fail("trained"))
    results = cifar.parent / "runs"
    done = answer("-m", "protocol=cifar10", "r=2,4", f"data.root={cifar}", f"results_dir={results}")
    assert done.returncode == 2
    assert "not the pictures that the command found there" in done.stderr


def test_runs_whose_data_are_out_of_sight_are_not_pruned(
    cifar: Path, tmp_path: Path, answer: InProcess
) -> None:
    settings = ["protocol=cifar10", f"data.root={cifar}"]
    begun = begin(tmp_path / "runs", *settings, "r=2", state="stopped")
    waiting = compose([*settings, "r=4", f"results_dir={tmp_path}/runs"])
    write_plan(tmp_path / "runs", [plan_run(waiting, [*settings, "r=4"])])
    shutil.rmtree(cifar)
    done = answer("prune", "--yes", "--results", f"{tmp_path}/runs")
    assert "nothing to remove" in done.stdout
    assert run_dir(begun).is_dir()


def test_a_folder_out_of_sight_leaves_its_plan_alone(tmp_path: Path, answer: InProcess) -> None:
    settings = ["model=resnet50", "data=folder", f"data.root={tmp_path}/gone", "data.mean=[1,1,1]"]
    name = "folder-resnet50-r16"
    planned = plan_run(compose(), settings)
    write_plan(tmp_path / "runs", [replace(planned, folder=f"{name}-00000000/seed0", name=name)])
    done = answer("prune", "--yes", "--results", f"{tmp_path}/runs")
    assert "nothing to remove" in done.stdout


def test_the_statistics_of_a_set_are_printed_as_settings(
    image_root: Path, answer: InProcess
) -> None:
    root = f"data.root={image_root}"
    done = answer("data-stats", "data=folder", root, "trainer.num_workers=0")
    pixels = [np.asarray(Image.open(file)).reshape(-1, 3) for file in image_root.glob("train/*/*")]
    together = np.concatenate(pixels)
    mean, std = together.mean(axis=0), together.std(axis=0)
    settings = [
        f"data.{name}=[{','.join(f'{value:.2f}' for value in values)}]"
        for name, values in (("mean", mean), ("std", std))
    ]
    assert done.stdout.startswith(f"{image_root.name}: 8 training pictures, {len(together):,} pix")
    given = shlex.split(done.stdout.splitlines()[-1])
    assert given == ["data=folder", root, *settings]
    assert compose(["model=resnet50", *given]).data.classes == 2
    (image_root / "train" / "n01" / "0.JPEG").write_bytes(b"cut")
    torn = answer("data-stats", "data=folder", root, "trainer.num_workers=0")
    assert torn.returncode == 2
    assert "train/n01/0.JPEG is not a readable image" in torn.stderr
    left_out = answer(
        "data-stats", "data=folder", root, "trainer.num_workers=0", "data.skip_corrupt=true"
    )
    assert f"{image_root.name}: 7 training pictures" in left_out.stdout


@pytest.mark.parametrize(
    ("run", "file", "message"),
    [
        ("nope", "x.pth", "nope/config.yaml is not there: give the folder of a run"),
        ("{run}", "x.pth", "last.ckpt is not there"),
        ("{trained}", "x.txt", "ends in .safetensors or .pth"),
        ("{trained}", "nowhere/x.pth", "nowhere is not a folder"),
    ],
)
def test_an_export_that_cannot_be_is_refused_before_torch_is_imported(
    run: str,
    file: str,
    message: str,
    tmp_path: Path,
    answer: InProcess,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folders: dict[str, Callable[[], Path]] = {
        "{run}": lambda: run_dir(begin(tmp_path, "r=2", state="stopped", checkpoint=False)),
        "{trained}": lambda: run_dir(begin(tmp_path, "r=2", state="stopped")),
    }
    folder = str(folders[run]()) if run in folders else run
    # Whatever imports it would fail.
    monkeypatch.setitem(sys.modules, "senet_repro.training.trained_network", None)
    done = answer("export", folder, file)
    assert done.returncode == 2
    assert message in done.stderr
