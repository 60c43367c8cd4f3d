"""The verb cost: each network once, kept as it is measured; what cannot be is refused in a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from senet_repro.benchmarks import se_costs
from senet_repro.benchmarks.network_settings import Plan
from senet_repro.cli.verbs import cost
from senet_repro.config.network_pairs import list_network_pairs
from senet_repro.config.paper_tables import compose_cached
from senet_repro.results.costs import MeasuredCost, find_cost_file, write_cost
from tests.commands import InProcess
from tests.costs import SETTING, make_cost

# Networks are composed.
pytestmark = pytest.mark.slow

QUICK = ("--quick", "trainer.accelerator=cpu")


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[Plan]:
    """Let networks be planned and not measured, each composed once."""
    plans: list[Plan] = []
    for module in ("senet_repro.config.composition", "senet_repro.benchmarks.network_settings"):
        monkeypatch.setattr(f"{module}.compose", lambda overrides: compose_cached(*overrides))

    def measure(plan: Plan, is_quick: bool, report: Any) -> MeasuredCost:
        plans.append(plan)
        return make_cost(network=plan.run.model.name, px=plan.px, is_quick=is_quick)

    monkeypatch.setattr(se_costs, "measure_network", measure)
    monkeypatch.setattr(
        se_costs,
        "find_cost_key",
        lambda plan, is_quick: (
            make_cost(network=plan.run.model.name, px=plan.px, is_quick=is_quick).key
        ),
    )
    return plans


def test_a_network_is_measured_once_and_again_where_that_is_asked_for(
    measured: list[Plan], answer: InProcess, tmp_path: Path
) -> None:
    words = ("cost", "model=mobilenet", *QUICK, "--results", str(tmp_path / "new"))
    done = answer(*words)
    assert done.returncode == 0
    (file,) = (tmp_path / "new" / "costs").iterdir()
    assert done.stdout.split()[-1] == str(file)
    assert "| MobileNet " in done.stdout
    assert "A rehearsal on tiny inputs" in done.stdout
    assert "border" not in done.stdout
    again = answer(*words)
    assert len(measured) == 1
    assert again.stdout == done.stdout
    assert f"mobilenet: measured already, see {file}; --anew measures it again" in again.stderr
    anew = answer(*words, "--anew", "--rounds", "9", "recipe.batch_size=1")
    assert "measured already" not in anew.stderr
    assert [(plan.rounds, plan.batch) for plan in measured] == [(1, 2), (9, 1)]


def test_figures_that_count_are_judged(
    measured: list[Plan], answer: InProcess, tmp_path: Path
) -> None:
    done = answer("cost", "model=resnet50", QUICK[1], "--results", str(tmp_path))
    assert "| border" in " ".join(done.stdout.split())
    assert "about a tenth longer" in done.stdout


def test_without_a_word_every_network_is_measured_on_images_of_its_own_size(
    measured: list[Plan], answer: InProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = list_network_pairs()
    # Composing one of each table, and the one of another size, is enough.
    few = {name: pairs[name] for name in ("inception_resnet_v2", "mobilenet")}
    monkeypatch.setattr("senet_repro.config.network_pairs.list_network_pairs", lambda: few)
    assert answer("cost", QUICK[1], "--results", str(tmp_path)).returncode == 0
    found = [(plan.run.model.name, plan.px, plan.run.se.bias) for plan in measured]
    assert found == [("inception_resnet_v2", 299, True), ("mobilenet", 224, False)]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["model=resnet18"], "model=resnet18: give resnet50, resnet101"),
        (["model=resnet50,"], "model=: give resnet50"),
        (["resnet50"], "resnet50 is no setting; give KEY=VALUE, such as model=resnet50"),
        (["data.root=x"], "cost: setting=data.root: give model, recipe.batch_size"),
        (["--rounds", "1"], "--rounds 1: give 2 or more"),
        (["trainer.precision=fp8"], "trainer.precision=fp8"),
        (["recipe.batch_size=0"], "recipe.batch_size"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_loaded(
    words: list[str], told: str, answer: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(what: str) -> None:
        raise AssertionError(f"loaded {what}")

    monkeypatch.setattr(cost, "loading_for_good", load)
    done = answer("cost", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr


def test_a_newer_or_foreign_file_and_a_folder_that_is_none_are_refused_with_the_mend(
    measured: list[Plan], answer: InProcess, tmp_path: Path
) -> None:
    kept = make_cost(network="mobilenet", px=32, is_quick=True)
    path = write_cost(tmp_path, kept)
    words = ("cost", "model=mobilenet", *QUICK, "--results")
    path.write_text(json.dumps({**json.loads(path.read_text()), "schema_version": 2}))
    newer = answer(*words, str(tmp_path))
    assert (newer.returncode, newer.stdout) == (2, "")
    assert "is of a newer senet_repro: update it" in newer.stderr
    path.write_text("{}")
    assert "remove it, and measure anew" in answer(*words, str(tmp_path)).stderr
    file = tmp_path / "file"
    file.touch()
    refused = answer(*words, str(file))
    assert refused.returncode == 2
    assert f"--results {file}: Not a directory; give a folder to write to" in refused.stderr


def test_a_fast_wrong_answer_is_told_in_a_line_with_exit_code_1(
    measured: list[Plan], answer: InProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def disagree(*_arguments: object) -> None:
        raise RuntimeError("gradients differ by 1")

    monkeypatch.setattr(se_costs, "measure_network", disagree)
    done = answer("cost", "model=mobilenet", *QUICK, "--results", str(tmp_path))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith("senet_repro: cost: gradients differ by 1\n")


@pytest.mark.faults
def test_a_rehearsal_goes_all_the_way(answer: InProcess, tmp_path: Path) -> None:
    done = answer("cost", "model=mobilenet", *QUICK, "--results", str(tmp_path))
    assert done.returncode == 0, done.stderr
    (path,) = (tmp_path / "costs").iterdir()
    found = json.loads(path.read_text())
    assert found["setting"]["torch"] != SETTING.torch
    assert found["params"][0] < found["params"][1]
    assert path.name == find_cost_file(tmp_path, "mobilenet", found["key"]).name
