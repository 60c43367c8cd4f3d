"""Runs that start from a run, as commands give them: alone, in a sweep with a file for each seed, dry, and refused."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from senet_repro.config.composition import compose
from senet_repro.config.identity import run_dir
from senet_repro.results.record import read_record
from senet_repro.results.run_folder import RunFolder
from tests.commands import ONE_EPOCH, InProcess, run_warm
from tests.untrained_runs import make_run

FROZEN = ["+experiment=coco", "protocol=shapes", "detection.batch_norm=frozen"]


def finish_run(results: Path, *words: str) -> Path:
    """The folder of a run that counts as finished: nobody trained it, but it has weights."""
    folder = make_run(results, *words)
    RunFolder(folder).record_file.touch()
    return folder


def test_a_sweep_starts_each_seed_from_a_run_of_its_own_and_goes_on_when_it_is_repeated(
    tmp_path: Path, answer: InProcess
) -> None:
    trunks = tmp_path / "trunks"
    trunks.mkdir()
    for seed in (0, 1):
        finished = finish_run(tmp_path / "first", f"seed={seed}")
        (trunks / f"all-{seed}").symlink_to(finished)
    results = tmp_path / "runs"
    weights = f"init.weights={trunks}/${{stages}}-${{seed}}"
    sweep = ["-m", "seed=0,1", weights, *ONE_EPOCH, f"results_dir={results}"]
    dry = answer(*sweep, "dry=true")
    assert dry.returncode == 0, dry.stderr
    assert dry.stdout.count("to train |") == 2
    assert "Plan: 2 runs, seeds 0, 1" in dry.stdout
    done = run_warm(*sweep)
    assert done.returncode == 0, done.stderr
    paths = [Path(line) for line in done.stdout.splitlines()]
    records = [read_record(path) for path in paths]
    assert [record.identity["init"]["source"] for record in records] == ["run", "run"]
    # A trunk of its own is another identity.
    assert len({record.run_key for record in records}) == 2
    assert records[0].plan is not None
    assert records[0].plan["seeds"] == [0, 1]
    again = answer(*sweep)
    assert "2 of 2 runs have their record already" in again.stderr
    # The processes of several devices read the run from its folder.
    assert (
        RunFolder(paths[0].parent).read_settings().init
        == compose(["seed=0", f"init.weights={trunks}/all-0"]).init
    )


@pytest.mark.parametrize("dry", [[], ["dry=true"]])
def test_weights_of_another_network_are_refused_before_torch_is_loaded(
    dry: list[str], tmp_path: Path
) -> None:
    finished = finish_run(tmp_path, "stages=none")
    words = [f"init.weights={finished}", f"results_dir={tmp_path}", *dry]
    code = (
        "import sys\nfrom senet_repro.cli.main import main\n"
        "try: main()\nexcept SystemExit as end: assert end.code == 2, end.code\n"
        "assert 'torch' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "with stages=none, and this run has stages=all: give stages=none, or" in done.stderr
    assert "Traceback" not in done.stderr


def test_frozen_layers_without_first_weights_are_refused_and_an_obstacle_of_a_dry_run(
    tmp_path: Path, answer: InProcess
) -> None:
    words = [*FROZEN, f"results_dir={tmp_path}"]
    done = answer(*words)
    assert done.returncode == 2
    assert "keep layers of the first weights, and there are none: give init.weights=" in done.stderr
    dry = answer(*words, "dry=true")
    assert "could not be trained yet: detection.freeze_at=0" in dry.stderr
    assert not run_dir(compose(words)).exists()


def test_a_run_that_was_written_down_is_read_with_the_weights_that_it_starts_from(
    tmp_path: Path,
) -> None:
    run = compose([f"init.weights={finish_run(tmp_path)}", f"results_dir={tmp_path}"])
    folder = RunFolder.of(run)
    folder.path.mkdir(parents=True)
    folder.write_settings(asdict(run))
    assert folder.read_settings() == run
