"""First weights and the run that starts from them agree in all that files tell, or every difference is named."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import pytest

from senet_repro.config.composition import compose
from senet_repro.config.run_weights import name_kept_weights
from senet_repro.config.schema import Init, Run
from senet_repro.core.errors import ConfigError
from senet_repro.results.campaign import Campaign, PlannedTable, write_campaign
from senet_repro.results.first_weights import check_first_weights, find_run_folder
from senet_repro.results.run_folder import RunFolder
from tests.records import compose_once

SHAPES = ("protocol=shapes", "+experiment=coco", "model=resnet11")
DIGITS = ("data.mean=[77.9,77.9,77.9]", "data.std=[95.9,95.9,95.9]")


def start_from(run: Run, path: Path, source: str = "run") -> Run:
    return replace(run, init=Init(weights=str(path), source=source, sha256="0" * 64))


def leave_run(results: Path, *words: str, is_finished: bool = True) -> RunFolder:
    """What a run left behind, as far as it is looked at without torch."""
    run = compose([*words, f"results_dir={results}"])
    folder = RunFolder.of(run)
    folder.checkpoints.mkdir(parents=True)
    folder.write_settings(asdict(run))
    folder.last_checkpoint.touch()
    if is_finished:
        folder.record_file.touch()
    return folder


@pytest.fixture
def finished(tmp_path: Path) -> RunFolder:
    return leave_run(tmp_path, "stages=none")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["stages=none"], None),
        # Without blocks nothing counts that is said about them.
        (["r=none", "excitation=tanh", "se.bias=true"], None),
        ([], "are of a run with stages=none, and this run has stages=all: give stages=none, or"),
        (
            ["stages=[3]", "squeeze=max", "se.bias=true"],
            "are of a run with squeeze=avg stages=none se.bias=false, and this run has squeeze=max stages=[3] "
            "se.bias=true: give squeeze=avg stages=none se.bias=false, or other weights",
        ),
        (["stages=none", "model.options.stride_on=conv3x3"], "model.options.stride_on=conv1x1, or"),
        (["stages=none", "model=resnet20"], "with model=resnet11, and this run has model=resnet20"),
        (["stages=none", "data.classes=11"], "data.classes=10, and this run has data.classes=11"),
        # Pictures may be prepared otherwise in a run of classification, which trains all of its network.
        (["stages=none", "data.mean=[1,2,3]"], None),
        (
            ["stages=none", *SHAPES],
            "data.mean=[77.9,77.9,77.9] data.std=[95.9,95.9,95.9], and this run has data.mean=[127.5,127.5,127.5]",
        ),
        (["stages=none", *SHAPES, *DIGITS], None),
    ],
)
def test_every_difference_is_named_with_the_settings_to_give(
    words: list[str], message: str | None, finished: RunFolder
) -> None:
    run = start_from(compose_once(*words), finished.path)
    if message is None:
        check_first_weights(run)
        return
    with pytest.raises(ConfigError) as caught:
        check_first_weights(run)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("source", "words", "message"),
    [
        ("timm", ["se.bias=true", "se.fc=conv"], None),
        (
            "timm",
            [],
            "are of timm's legacy_seresnet50 with se.bias=true, and this run has se.bias=",
        ),
        (
            "torchvision",
            [],
            "give r=none model.options.stride_on=conv3x3 model.options.stem_pool=padded, or",
        ),
        (
            "timm",
            ["+experiment=coco", "data.mean=[0,0,0]", "data.std=[58.395,57.12,57.375]"],
            "with data.mean=[123.675,116.28,103.53], and this run has data.mean=[0.0,0.0,0.0]: give data.mean=[123",
        ),
    ],
)
def test_a_release_is_built_as_it_was_and_expects_its_own_pictures(
    source: str, words: list[str], message: str | None
) -> None:
    own = ["protocol=imagenet"] if "+experiment=coco" not in words else []
    run = start_from(compose_once(*own, "model=resnet50", *words), Path("any.pth"), source)
    if message is None:
        check_first_weights(run)
        return
    with pytest.raises(ConfigError) as caught:
        check_first_weights(run)
    assert message in str(caught.value)


def test_a_run_without_first_weights_has_nothing_to_agree_with() -> None:
    check_first_weights(compose_once())


def test_what_is_not_finished_or_no_classification_is_refused(tmp_path: Path) -> None:
    begun = leave_run(tmp_path, "seed=1", is_finished=False)
    with pytest.raises(ConfigError, match="is not finished, and its weights may yet change"):
        check_first_weights(start_from(compose_once(), begun.path))
    detector = leave_run(tmp_path, *SHAPES)
    with pytest.raises(ConfigError, match="task=detection: give one with task=classification"):
        check_first_weights(start_from(compose_once(*SHAPES), detector.path))
    with pytest.raises(ConfigError, match=r"any\.ckpt is no file of a run: give the folder"):
        check_first_weights(start_from(compose_once(), tmp_path / "any.ckpt"))


def test_what_a_campaign_kept_counts_for_its_least_seed_alone(tmp_path: Path) -> None:
    folders = [leave_run(tmp_path, f"seed={seed}") for seed in (1, 2)]
    name = folders[0].path.parent.name
    for folder in folders:
        folder.last_checkpoint.unlink()
    kept = name_kept_weights(tmp_path, name)
    kept.parent.mkdir()
    kept.touch()
    table = PlannedTable(overrides=[], seeds=[2, 1], grows_from=None, claims=[], runs=[name])
    plan = Campaign(
        name="x", written_at="2026-01-31T12:00:00+00:00", commit=None, tables={"squeeze": table}
    )
    write_campaign(tmp_path, plan)
    run = compose_once()
    check_first_weights(start_from(run, folders[0].path))
    check_first_weights(start_from(run, kept))
    assert find_run_folder(kept) == folders[0]
    with pytest.raises(ConfigError, match=r"last\.ckpt is not there"):
        check_first_weights(start_from(run, folders[1].path))
