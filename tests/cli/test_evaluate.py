"""`evaluate`: the numbers of another library's own model and transforms, on any number of processes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import save_file
from timm.data import create_transform, resolve_data_config

from senet_repro.cli.evaluation_target import find_target
from senet_repro.cli.verbs import call_verb
from senet_repro.config.composition import compose
from senet_repro.config.evaluation import EvaluationWords
from senet_repro.config.identity import run_dir
from senet_repro.config.imagenet_classes import read_wnids
from senet_repro.config.weight_files import read_about, write_about
from senet_repro.core.errors import ConfigError
from senet_repro.execution.execute import train_to_record
from senet_repro.models import write_weights
from senet_repro.results.evaluation import RUN, Evaluation, load_evaluations, load_pass_outcomes
from senet_repro.results.outcomes import read_outcomes
from tests.commands import run_command
from tests.conftest import ROOT
from tests.places import CATEGORIES, lay_out_lists

PICTURES = ROOT.parent / "shared" / "data" / "imagenet-sample"
WNIDS = list(read_wnids())


def _find_pictures(count: int) -> list[Path]:
    return sorted(PICTURES.glob("*/*.JPEG"))[:count]


def _rank_by_timm(net: torch.nn.Module, files: Sequence[Path], size_px: int) -> torch.Tensor:
    """The five likeliest classes of each picture by timm's own transforms."""
    settings = resolve_data_config({"input_size": (3, size_px, size_px)}, model=net)
    transform: Any = create_transform(**settings)
    images = [transform(Image.open(file).convert("RGB")) for file in files]
    with torch.inference_mode():
        return torch.cat([net(image[None]) for image in images]).topk(5).indices


def _link_by_rank(root: Path, files: Sequence[Path], likeliest: torch.Tensor) -> list[Path]:
    """Link the pictures as classes that the network names first, third and not at all, in turn."""
    links = []
    for number, (file, classes) in enumerate(zip(files, likeliest.tolist(), strict=True)):
        wrong = next(label for label in range(1000) if label not in classes)
        label = (classes[0], classes[2], wrong)[number % 3]
        folder = root / "val" / WNIDS[label]
        folder.mkdir(parents=True, exist_ok=True)
        link = folder / f"{number:03}.JPEG"
        link.symlink_to(file)
        links.append(link)
    return links


def _score(
    tmp_path: Path, network: str, ours: str, size_px: int, count: int, *words: str
) -> tuple[Evaluation, torch.Tensor]:
    """Evaluate random weights of timm's network; returns ours, and what timm itself ranks, in the order of our set."""
    torch.manual_seed(3)
    net = timm.create_model(network, pretrained=False).eval()
    weights = tmp_path / "net.safetensors"
    save_file(net.state_dict(), weights)
    files = _find_pictures(count)
    likeliest = _rank_by_timm(net, files, size_px)
    links = _link_by_rank(tmp_path / "set", files, likeliest)
    settings = [f"model={ours}", f"data.root={tmp_path / 'set'}", f"sizes={size_px}"]
    settings += [f"results_dir={tmp_path / 'runs'}", "crop_ratio=0.875", "trainer.num_workers=0"]
    settings += ["recipe.batch_size=8", "trainer.accelerator=cpu", *words]
    assert call_verb("evaluate", [str(weights), *settings]) == 0
    (evaluation,), _ = load_evaluations(tmp_path / "runs")
    order = sorted(range(count), key=lambda number: links[number].relative_to(tmp_path).parts)
    return evaluation, likeliest[order]


pictures = pytest.mark.skipif(not PICTURES.is_dir(), reason="needs ../shared/data")


@pictures
def test_errors_are_those_of_timms_own_model_and_transforms_to_the_image(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluation, likeliest = _score(tmp_path, "legacy_seresnet50", "resnet50", 64, 9)
    outcomes = load_pass_outcomes(evaluation)
    assert np.array_equal(outcomes.likeliest, likeliest.numpy())
    # A third is right at once, a third among the first five; no training part was there.
    assert evaluation.metrics == {
        "top1_err_pct": pytest.approx(100 * 6 / 9),
        "top5_err_pct": pytest.approx(100 * 3 / 9),
    }
    assert evaluation.intervals["top5_err_pct"] == pytest.approx([12.06, 64.58], abs=0.01)
    assert evaluation.images == 9
    assert "(9 of 50,000 evaluation images)" in capsys.readouterr().out


@pictures
@pytest.mark.faults
@pytest.mark.parametrize(
    ("network", "ours", "size_px", "count"),
    [("legacy_seresnet50", "resnet50", 224, 48), ("legacy_senet154", "senet154", 320, 3)],
)
def test_errors_are_timms_at_the_papers_sizes(
    tmp_path: Path, network: str, ours: str, size_px: int, count: int
) -> None:
    evaluation, likeliest = _score(tmp_path, network, ours, size_px, count)
    assert np.array_equal(load_pass_outcomes(evaluation).likeliest, likeliest.numpy())


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small run on digits, as `evaluate` needs it: settings and a checkpoint of untrained weights."""
    from dataclasses import asdict

    from senet_repro.models import network_of
    from senet_repro.results.run_folder import RunFolder
    from senet_repro.training.checkpoints import Checkpoints

    stated = compose(["recipe.batch_size=128", f"results_dir={tmp_path_factory.mktemp('runs')}"])
    folder = RunFolder.of(stated)
    folder.path.mkdir(parents=True)
    folder.write_settings(asdict(stated))
    torch.manual_seed(0)
    weights = {f"net.{key}": value for key, value in network_of(stated).state_dict().items()}
    Checkpoints(stated, folder).save_checkpoint({"state_dict": weights}, folder.last_checkpoint)
    return folder.path


def _read_passes(folder: Path) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads((folder / "evaluation.json").read_text())[
        "evaluations"
    ]
    return listed


def test_a_run_is_evaluated_once_and_its_passes_are_found_again(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [str(run), "trainer.accelerator=cpu"]
    assert call_verb("evaluate", words) == 0
    printed = capsys.readouterr()
    (first,) = _read_passes(run)
    assert first["images"] == 360
    assert first["kind"] == "re-scored run"
    assert first["run"]["run_key"].startswith(run.parent.name[-8:])
    assert first["notes"] == []
    assert first["commit"] is None or len(first["commit"]) == 40
    # A later pass of the same weights over other images of the set is not taken for it.
    other = {**first, "key": "0" * 64, "metrics": {"top1_err_pct": 1.0, "top5_err_pct": 0.5}}
    content = {"schema_version": 1, "evaluations": [first, other]}
    (run / "evaluation.json").write_text(json.dumps(content))
    assert call_verb("evaluate", words) == 0
    again = capsys.readouterr()
    assert again.out == printed.out
    assert "as stored: evaluated already" in again.err
    assert _read_passes(run) == [first, other]
    # Another precision is another evaluation, and both are kept.
    assert call_verb("evaluate", [*words, "trainer.precision=bf16-mixed"]) == 0
    halves = _read_passes(run)[2]
    assert halves["trainer"]["precision"] == "bf16-mixed"
    assert halves["run"] == first["run"]
    assert len(_read_passes(run)) == 3


def test_an_exported_file_brings_its_run_and_the_images_that_it_was_trained_on(
    tmp_path: Path,
) -> None:
    facts = {
        "network": "resnet50",
        "source": "timm",
        "data": "imagenet",
        "train_px": 160,
        "eval_px": 192,
        "eval_resize_px": 224,
        "mean": [123.68, 116.78, 103.94],
        "std": [1.0, 1.0, 1.0],
        "run": {"name": "imagenet-resnet50-r16", "run_key": "ab" * 32, "seed": 1},
    }
    file = tmp_path / "net.safetensors"
    write_weights(file, {"a": torch.zeros(1)}, write_about(facts))
    (tmp_path / "val" / WNIDS[0]).mkdir(parents=True)
    Image.new("RGB", (20, 20)).save(tmp_path / "val" / WNIDS[0] / "a.png")
    settings = [f"data.root={tmp_path}", f"results_dir={tmp_path}"]
    target = find_target(file, EvaluationWords(), settings)
    assert (target.kind, target.trained_by, target.trained_px) == (RUN, facts["run"], 160)
    assert [(rule.size_px, rule.resize_px) for rule in target.rules] == [(192, 224)]
    assert (target.run.data.mean, target.run.data.std) == (facts["mean"], facts["std"])
    assert (target.published_by, target.notes) == (None, [])
    by_hand = find_target(file, EvaluationWords(), [*settings, "data.std=[2,2,2]"])
    assert by_hand.notes == [
        "data.std=[2,2,2] was given by hand; that of its run imagenet-resnet50-r16 is [1,1,1]"
    ]
    # The sides that are resized are the file's, and the usual ones where it names none.
    assert target.rules[0].sides == "short"
    resized = {**facts, "eval_resize_sides": "both"}
    write_weights(file, {"a": torch.zeros(1)}, write_about(resized))
    assert find_target(file, EvaluationWords(), settings).rules[0].sides == "both"
    # One of ours that lacks its seed says nothing that could be relied on.
    write_weights(
        file, {"a": torch.zeros(1)}, write_about({**facts, "run": {"name": "a", "run_key": "b"}})
    )
    assert read_about(file) is None
    # Another library's file says nothing of the kind.
    save_file({"a": torch.zeros(1)}, file)
    assert read_about(file) is None


@pytest.mark.faults
@pytest.mark.parametrize("devices", [2, 3])
def test_outcomes_are_the_same_on_several_processes(run: Path, devices: int) -> None:
    (run / "evaluation.json").unlink(missing_ok=True)
    call_verb("evaluate", [str(run), "trainer.accelerator=cpu"])
    (alone,) = _read_passes(run)
    (run / "evaluation.json").unlink()
    said = run_command(
        "evaluate", str(run), f"trainer.devices={devices}", "trainer.accelerator=cpu"
    )
    assert said.returncode == 0, said.stderr
    (together,) = _read_passes(run)
    for name in ("key", "metrics", "intervals", "outcomes", "images"):
        assert together[name] == alone[name]
    assert together["trainer"]["devices"] == devices


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nothing.safetensors"], "nothing.safetensors is not there: give the folder of a run"),
        (["RUN/.."], "holds seed0: give one of them"),
        (["RUN", "sizes=16"], "digits images are 8 px a side and are not resized"),
        (["RUN", "model=resnet50"], "model: a run is evaluated as it was trained"),
        (["RUN", "recipe.lr=1"], "recipe.lr: a run is evaluated as it was trained"),
        (["RUN", "trainer.devices=0"], "trainer.devices=0: give a whole number from 1 on"),
        (["RUN", "trainer.nodes=2"], "an evaluation runs on one node"),
        (["RUN", "data.rot=a"], "unknown key 'data.rot'; did you mean 'data.root'"),
        (["FILE"], "say which network its weights are of, such as model=resnet50"),
        (["FILE", "model=vgg16", "init.source=timm"], "timm has no vgg16"),
        (["FILE", "model=resnet50"], "give init.source=timm or torchvision"),
        (["FILE", "model=resnet50", "init.source=timm"], "give data.root=DIR with DIR/val"),
        (
            ["FILE", "model=resnet50", "init.source=timm", "data.root=/nowhere"],
            "there is no such folder",
        ),
        (["FILE", "model=resnet50", "init.source=timm", "data.eval_px=320"], "told by sizes="),
        (["FILE", "model=resnet50", "init.source=timm", "data.root=SET"], "is not in the weights"),
        (
            ["FILE", "model=resnet50", "init.source=timm", "data.root=SET", "sizes=1"],
            "sizes=1: resnet50 takes no images of 1 px; it is made for 224",
        ),
    ],
)
def test_what_cannot_be_evaluated_is_refused_with_its_mend(
    run: Path, tmp_path: Path, words: list[str], message: str
) -> None:
    file = tmp_path / "net.safetensors"
    save_file({"a": torch.zeros(1)}, file)
    for number, name in enumerate(WNIDS[:2]):
        folder = tmp_path / "set" / "val" / name
        folder.mkdir(parents=True)
        Image.new("RGB", (20, 20)).save(folder / f"{number}.png")
    places = {"RUN": str(run), "FILE": str(file), "SET": str(tmp_path / "set")}
    given = []
    for word in words:
        for place, path in places.items():
            word = word.replace(place, path)
        given.append(word)
    with pytest.raises(ConfigError, match=message.replace("(", r"\(")):
        call_verb(
            "evaluate", [*given, *([] if words[0] != "FILE" else [f"results_dir={tmp_path}"])]
        )
    assert not (tmp_path / "evaluations").exists()


def _draw_scene(path: Path, number: int) -> None:
    """Write a picture that is wider than high, of a class's own colour."""
    Image.new("RGB", (40, 30), (40 + 80 * number, 200 - 60 * number, 90)).save(path)


def test_a_run_on_the_lists_of_places_is_trained_and_evaluated_by_one_rule(tmp_path: Path) -> None:
    numbers = {"/a/airfield": 0, "/a/alley": 1, CATEGORIES[1]: 2, "/b/bar": 3, "/b/beach": 4}
    lay_out_lists(tmp_path / "set", _draw_scene, categories=numbers)
    settings = [f"data.root={tmp_path}/set", "data.subset=standard", "data.classes=5"]
    settings += ["data.train_px=16", "data.eval_px=16", "data.eval_resize_px=20"]
    settings += ["recipe.batch_size=3", "recipe.epochs=1", f"results_dir={tmp_path}/runs"]
    devices = ["trainer.accelerator=cpu", "trainer.num_workers=0", "trainer.threads=1"]
    run = compose(["protocol=places365", "model=resnet11", *settings, *devices, "data.verify=true"])
    record = train_to_record(run, print)[1]
    found = record.config["data"]["found"]
    assert (found["classes"], found["train_images"], found["eval_images"]) == (3, 6, 3)
    # Classes without a picture keep their numbers among the outputs.
    outcomes = read_outcomes(run_dir(run) / "outcomes.npz")
    assert sorted(outcomes.labels.tolist()) == [0, 2, 4]
    assert call_verb("evaluate", [str(run_dir(run)), *devices]) == 0
    (evaluation,), _ = load_evaluations(tmp_path / "runs")
    assert evaluation.rule.describe() == "both sides 20, centre 16"
    assert evaluation.metrics == {name: record.metrics[name] for name in evaluation.metrics}
    assert np.array_equal(load_pass_outcomes(evaluation).likeliest, outcomes.likeliest)
