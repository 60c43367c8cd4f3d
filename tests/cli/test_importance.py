"""`importance`: measured once, cut where that can be, and refused with the mend."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from senet_repro.cli.verbs import call_verb
from senet_repro.core.errors import ConfigError
from senet_repro.execution import cut_network
from senet_repro.results.run_folder import RunFolder
from tests.commands import run_command
from tests.untrained_runs import make_run

pytestmark = pytest.mark.usefixtures("one_thread")


def read_findings(folder: Path) -> list[dict[str, Any]]:
    content = json.loads(RunFolder(folder).importance_file.read_text())
    findings: list[dict[str, Any]] = content["findings"]
    return findings


def test_the_seeds_of_a_run_are_measured_once_cut_and_brought_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    axes = ["model=resnet11", "placement=conv3x3", "stages=[4]"]
    seeds = [make_run(tmp_path, *axes, f"seed={seed}") for seed in (0, 1)]
    words = [str(seeds[0].parent), "trainer.accelerator=cpu", "--by", "gate,random"]
    words += ["--images", "20"]
    monkeypatch.setattr(cut_network, "ROUNDS", 2)
    assert call_verb("importance", words) == 0
    printed = capsys.readouterr()
    assert "2 seeds" in printed.out
    assert "all stages" in printed.out
    assert printed.out.count("with 50 % of the gated channels cut out by gate") == 2
    (found,) = read_findings(seeds[1])
    assert found["measured_images"] == found["scored_images"] == 10
    # One stage alone has blocks: masked in all stages is masked there.
    assert list(found["errors_pct"]) == ["all"]
    assert [len(ranked) for ranked in found["errors_pct"]["all"].values()] == [1, 5]
    cut = found["cut"]
    assert cut["params"][0] < cut["params"][1]
    assert cut["macs"][0] < cut["macs"][1]
    assert cut["difference"] <= 1e-9
    made = {path.name for path in RunFolder(seeds[0]).importance_folder.iterdir()}
    assert {"importance.json", "importance.csv", "importance.svg", "importance.png"} <= made
    assert call_verb("importance", words) == 0
    again = capsys.readouterr()
    assert again.out == printed.out
    assert again.err.count("measured already") == 2
    # Other settings are another finding, kept beside it.
    assert call_verb("importance", [str(seeds[0]), *words[1:-1], "4", "--mask-only"]) == 0
    assert [one["cut"] is None for one in read_findings(seeds[0])] == [False, True]


def test_measures_that_the_network_does_not_have_are_left_out_unless_they_are_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = make_run(tmp_path, "model=resnet11", "placement=post", "stages=[4]")
    words = [str(run), "trainer.accelerator=cpu", "--images", "4"]
    assert call_verb("importance", words) == 0
    (found,) = read_findings(run)
    assert list(found["errors_pct"]["all"]) == ["gate", "activation", "random"]
    assert found["cut"] is None
    assert "Channels were not ranked by l1." in capsys.readouterr().out


@pytest.mark.faults
def test_two_devices_find_what_one_finds(tmp_path: Path) -> None:
    found = []
    for devices in (1, 2):
        run = make_run(tmp_path / str(devices), "model=resnet11")
        settings = [str(run), "trainer.accelerator=cpu", f"trainer.devices={devices}"]
        done = run_command("importance", *settings, "--images", "100")
        assert done.returncode == 0, done.stderr
        found += read_findings(run)
    one, two = found
    for name in ("key", "unmasked_err_pct", "errors_pct"):
        assert one[name] == two[name]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("runs"))


@pytest.mark.parametrize(
    ("axes", "words", "message"),
    [
        (["r=none"], [], "has no SE blocks.*give a run with r=16"),
        ([], ["--by", "gates"], "did you mean gate"),
        ([], ["--images", "1"], "give at least 2"),
        ([], ["sizes=9"], "are not resized"),
        (["placement=post"], ["--by", "gate,l1"], "--by l1: .*give --by gate"),
        (["placement=pre"], ["--by", "batchnorm"], "give --by gate,activation,random"),
        (
            ["model=shufflenet", "placement=conv3x3", "stages=[4]"],
            [],
            "SE_4_1 belong to the groups of a grouped convolution.*give --mask-only",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_the_mend(
    axes: list[str], words: list[str], message: str, plain: Path, tmp_path: Path
) -> None:
    run = make_run(tmp_path, *axes) if axes else plain
    with pytest.raises(ConfigError, match=message):
        call_verb("importance", [str(run), "trainer.accelerator=cpu", *words])
    assert not RunFolder(run).importance_file.exists()


def test_a_command_without_a_run_ends_with_exit_code_2(tmp_path: Path) -> None:
    done = run_command("importance", f"data.root={tmp_path}")
    assert done.returncode == 2
    assert "give its folder, such as runs/" in done.stderr
