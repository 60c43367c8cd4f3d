"""`excitation`: gates read once, brought together over seeds, and refused with the mend."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from senet_repro.cli.verbs import call_verb
from senet_repro.core.errors import ConfigError
from senet_repro.results.run_folder import RunFolder
from tests.commands import InProcess, run_command
from tests.untrained_runs import make_run

pytestmark = pytest.mark.usefixtures("one_thread")

CPU = "trainer.accelerator=cpu"


def read_study(folder: Path) -> dict[str, Any]:
    study: dict[str, Any] = json.loads(RunFolder(folder).excitation_file.read_text())
    return study


def test_the_seeds_of_a_run_are_read_once_drawn_and_brought_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seeds = [make_run(tmp_path, "model=resnet20", f"seed={seed}") for seed in (0, 1)]
    words = [str(seeds[0].parent), CPU, "classes=3,7", "images=20", "channels=5"]
    words.append("blocks=SE_2_3,SE_4_2")
    assert call_verb("excitation", words) == 0
    printed = capsys.readouterr()
    assert "the gates of digits-resnet20-r16 seeds 0, 1 on digits, 360 images" in printed.out
    assert "Intervals are over 2 seeds, so the verdicts are of the recipe." in printed.out
    assert "A proxy: the paper read SE-ResNet-50 on ImageNet" in printed.out
    study = read_study(seeds[1])
    assert [one["name"] for one in study["classes"]] == ["3", "7"]
    assert [one["images"] for one in study["classes"]] == [20, 20]
    assert [len(curves["channels"]) for curves in study["curves"]] == [5] * 2
    assert study["images"] == 360
    folder = RunFolder(seeds[0]).excitation
    lines = list(csv.reader(RunFolder(seeds[0]).gates_csv_file.read_text().splitlines()))
    # A line for each block, class and channel, below the header.
    assert len(lines) == 1 + 2 * 2 * 5
    for name, panels, lines_each in (("figure6", 2, 3), ("figure7", 2, 2), ("picture", 2, 2)):
        root = ElementTree.parse(folder / f"{name}.svg").getroot()
        axes = [each for each in root.iter() if each.get("id", "").startswith("axes_")]
        assert len(axes) == panels
        drawn = [each for each in axes[0].iter() if each.get("id", "").startswith("line2d_")]
        # Ticks and grid lines are lines as well, and stand within an axis.
        own = [each for each in axes[0] if each in drawn]
        assert len(own) == lines_each, name
        assert (folder / f"{name}.png").exists()
    assert call_verb("excitation", words) == 0
    again = capsys.readouterr()
    assert again.out == printed.out
    assert again.err.count("read already") == 2
    # Another seed of the draw is another study, in the place of the first.
    before = study["curves"][0]["channels"]
    assert call_verb("excitation", [str(seeds[1]), *words[1:], "draw_seed=1", "hold=false"]) == 0
    other = read_study(seeds[1])
    assert other["curves"][0]["channels"] != before
    assert not any(name.startswith("harm/") for name in other["figures"])
    assert "Gates were not held" in capsys.readouterr().out


def test_report_and_verdict_show_the_network_that_is_asked_for(
    tmp_path: Path, answer: InProcess
) -> None:
    for axes in (["excitation=tanh"], ["excitation=relu", "squeeze=none"]):
        run = make_run(tmp_path, "model=resnet11", *axes)
        words = [str(run), CPU, "images=5", "channels=3", "hold=false", "blocks=SE_4_1"]
        assert call_verb("excitation", words) == 0
    name = "digits-resnet11-r16-tanh"
    answer("report", "--results", str(tmp_path), "--gates", name)
    page = (tmp_path / "report" / "index.html").read_text()
    assert 'id="gates"' in page
    assert page.count('id="gates-figure6"') == 1
    assert "the gates of digits-resnet11-r16-tanh seed 0" in page
    assert "averaged over the positions" in page
    assert (tmp_path / "report" / "figures" / "gates-picture.png").exists()
    verdicts = answer("verdict", "--results", str(tmp_path)).stdout
    assert "## Section 7.2: what the gates do" in verdicts
    assert "not testable" in verdicts
    data = json.loads(answer("verdict", "--results", str(tmp_path), "--format", "json").stdout)
    assert [one["interval_over"] for one in data["gates"]] == ["images", "images"]
    with pytest.raises(ConfigError, match="--gates=digits: give digits-resnet11"):
        call_verb("report", ["--results", str(tmp_path), "--gates", "digits"])


@pytest.fixture(scope="module")
def partial_imagenet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two goldfish, one carpenter's plane and two cocks, of 40 pixels."""
    root = tmp_path_factory.mktemp("imagenet")
    generator = torch.Generator().manual_seed(0)
    for wnid, count in (("n01443537", 2), ("n03954731", 1), ("n01514668", 2)):
        folder = root / "val" / wnid
        folder.mkdir(parents=True)
        for number in range(count):
            pixels = torch.randint(0, 256, (40, 40, 3), generator=generator, dtype=torch.uint8)
            Image.fromarray(pixels.numpy()).save(folder / f"{number}.png")
    return root


def test_a_part_of_imagenet_names_its_few_images_and_the_carpenters_plane(
    partial_imagenet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import timm

    torch.manual_seed(0)
    weights = tmp_path / "net.safetensors"
    save_file(timm.create_model("legacy_seresnet50").state_dict(), weights)
    words = [str(weights), "model=resnet50", f"data.root={partial_imagenet}", CPU, "sizes=64"]
    words += [f"results_dir={tmp_path / 'runs'}", "trainer.num_workers=0", "hold=false"]
    words += ["recipe.batch_size=4", "channels=4", "blocks=SE_5_2,SE_2_3"]
    assert call_verb("excitation", words) == 0
    printed = capsys.readouterr().out
    assert "goldfish 2, plane 1" in printed
    assert "Classes without evaluation images are left out: pug, cliff." in printed
    assert "the carpenter's plane (index 726), and no aircraft" in printed
    assert "On 5 of 50,000 evaluation images." in printed
    (file,) = tmp_path.glob("runs/evaluations/*/excitation/excitation.json")
    study = json.loads(file.read_text())
    assert [curves["block"] for curves in study["curves"]] == ["SE_2_3", "SE_5_2"]
    assert [(one["label"], one["name"]) for one in study["classes"]] == [
        (1, "goldfish"),
        (726, "plane"),
    ]


@pytest.mark.faults
def test_two_devices_read_what_one_reads(tmp_path: Path) -> None:
    studies = []
    for devices in (1, 2):
        run = make_run(tmp_path / str(devices), "model=resnet11", "recipe.batch_size=100")
        done = run_command("excitation", str(run), CPU, f"trainer.devices={devices}", "images=9")
        assert done.returncode == 0, done.stderr
        studies.append(read_study(run))
    one, two = studies
    for name in ("key", "classes", "curves", "picture", "top1_err_pct"):
        assert one[name] == two[name]
    for name, figure in one["figures"].items():
        assert two["figures"][name] == pytest.approx(figure)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("runs"), "model=resnet11")


@pytest.mark.parametrize(
    ("axes", "words", "message"),
    [
        (["r=none"], [], "no SE block, and so no gates; give a run with SE"),
        ([], ["classes=cat"], "classes=cat: digits has no such class.*there are 0, 1"),
        ([], ["classes=1,"], "give names with a comma between them"),
        ([], ["classes=0,1,2,3,4,5,6,7"], "a panel shows 7 classes at most"),
        ([], ["blocks=SE_9_1"], "blocks=SE_9_1: give SE_2_1, SE_3_1 or SE_4_1"),
        ([], ["images=1"], "images=1: give a whole number from 2 on"),
        ([], ["channels=none"], "channels=none: give a whole number from 1 on"),
        ([], ["hold=maybe"], "hold=maybe: give true or false"),
        ([], ["clases=1"], "unknown key 'clases'; did you mean 'classes'"),
        ([], ["sizes=9"], "are not resized"),
    ],
)
def test_what_cannot_be_is_refused_with_the_mend(
    axes: list[str], words: list[str], message: str, plain: Path, tmp_path: Path
) -> None:
    run = make_run(tmp_path, "model=resnet11", *axes) if axes else plain
    with pytest.raises(ConfigError, match=message):
        call_verb("excitation", [str(run), CPU, *words])
    assert not RunFolder(run).excitation_file.exists()
