"""The seven tables of the paper's ablations train seventeen networks a seed."""

from __future__ import annotations

from senet_repro.benchmarks.table_runs import list_table_runs
from senet_repro.config.composition import compose


def test_seventeen_runs_are_behind_the_seven_tables() -> None:
    runs = list(list_table_runs(["protocol=cifar10"]))
    assert len(runs) == len({tuple(run) for run in runs}) == 17
    stages = next(run for run in runs if any(word.startswith("stages=[") for word in run))
    assert isinstance(compose(stages).stages, list)
