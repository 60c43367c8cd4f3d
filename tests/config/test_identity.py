"""The key of a run: the same for what computes the same, different for what does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from senet_repro.config.composition import compose
from senet_repro.config.identity import build_identity, run_dir, run_key, run_name
from senet_repro.config.paper_tables import format_selection, paper_run, paper_tables


@pytest.mark.parametrize(
    "overrides",
    [
        ["seed=7"],
        ["results_dir=elsewhere"],
        ["logger=wandb"],
        ["trainer.devices=2", "trainer.num_workers=0", "trainer.compile=true", "trainer.threads=2"],
        ["trainer.checkpoint_s=0"],
        ["data.root=somewhere"],
        ["+ablation=excitation"],
        ["stages=[4,2,3]"],
        ["recipe.schedule.factor=0.5"],  # a cosine schedule has none
        ["recipe.schedule.warmup=5", "recipe.schedule.warmup_factor=0.5"],  # nor these
        ["recipe.cutout_px=0"],
    ],
)
def test_what_has_no_effect_leaves_the_key(overrides: list[str]) -> None:
    assert run_key(compose(overrides)) == run_key(compose())


@pytest.mark.parametrize(
    "override",
    [
        "r=8",
        "squeeze=max",
        "excitation=tanh",
        "stages=[2]",
        "placement=pre",
        "se.bias=true",
        "model.options.stride_on=conv3x3",
        "model=resnet29",
        "data.pad_px=0",
        "recipe.epochs=3",
        "recipe.cutout_px=4",
        "recipe.schedule.kind=step",
        "trainer.precision=bf16-mixed",
    ],
)
def test_what_has_an_effect_changes_the_key(override: str) -> None:
    assert run_key(compose([override])) != run_key(compose())


def test_the_decoder_counts_where_it_is_the_gpu() -> None:
    run = compose(["protocol=imagenet"])
    on_gpu = replace(run, data=replace(run.data, decode="gpu"))
    # As it was before there was a choice.
    assert "decode" not in build_identity(run)["data"]
    assert build_identity(on_gpu)["data"]["decode"] == "gpu"
    assert run_key(on_gpu) != run_key(run)


def test_a_subset_and_the_sides_that_are_resized_count_where_they_are_not_the_usual_ones() -> None:
    run = compose(["protocol=imagenet"])
    assert not {"subset", "eval_resize_sides"} & build_identity(run)["data"].keys()
    both = replace(run, data=replace(run.data, eval_resize_sides="both"))
    assert build_identity(both)["data"]["eval_resize_sides"] == "both"
    scenes = build_identity(compose(["protocol=places365"]))["data"]
    assert (scenes["subset"], scenes["eval_resize_sides"]) == ("challenge", "both")
    keys = {run_key(one) for one in (run, both)}
    assert len(keys) == 2


def test_a_warm_up_counts_where_there_is_one() -> None:
    def key(*overrides: str) -> str:
        return run_key(compose(overrides))

    step, warm = "recipe=cifar_resnet", "recipe=resnet110"
    assert (
        key(warm, "recipe.schedule.warmup=0")
        == key(step)
        == key(step, "recipe.schedule.warmup_factor=0.5")
    )
    keys = [
        key(step),
        key(warm),
        key(warm, "recipe.schedule.warmup=1"),
        key(warm, "recipe.schedule.warmup_factor=0.5"),
    ]
    assert len(set(keys)) == len(keys)
    assert key(warm) == key("recipe=resnet164")


@pytest.mark.parametrize(
    "axis", ["r=8", "squeeze=none", "excitation=relu", "placement=post", "se.bias=true"]
)
def test_without_se_blocks_the_other_axes_do_not_matter(axis: str) -> None:
    assert run_key(compose(["stages=none", axis])) == run_key(compose(["r=none"]))


def test_all_but_last_is_a_word_for_the_stages_it_selects() -> None:
    assert run_key(compose(["stages=all_but_last"])) == run_key(compose(["stages=[2,3]"]))
    four = ["model=resnet50"]
    assert run_key(compose([*four, "stages=all_but_last"])) == run_key(
        compose([*four, "stages=[2,3,4]"])
    )


def test_the_seven_ablation_tables_share_17_trainings_and_section_4_adds_one() -> None:
    numbered, everything = set(), set()
    for table in paper_tables().values():
        if format_selection(table).startswith("+ablation"):
            keys = {run_key(paper_run(table, row)) for row in table.rows.values()}
            everything |= keys
            numbered |= keys if table.number else set()
    assert (len(numbered), len(everything)) == (17, 18)


@pytest.mark.parametrize(
    ("overrides", "name"),
    [
        ([], "digits-resnet11-r16"),
        (["r=none"], "digits-resnet11-plain"),
        (["squeeze=none"], "digits-resnet11-r16-nosqueeze"),
        (
            ["protocol=cifar10", "excitation=relu", "stages=[2,3]"],
            "cifar10-resnet29-r16-relu-stages23",
        ),
        (["placement=conv3x3", "squeeze=max"], "digits-resnet11-r16-max-conv3x3"),
    ],
)
def test_names_say_what_departs_from_the_papers_block(overrides: list[str], name: str) -> None:
    run = compose([*overrides, "seed=3", "results_dir=out"])
    assert run_name(run) == name
    assert str(run_dir(run)) == f"out/{name}-{run_key(run)[:8]}/seed3"


def test_the_key_of_the_default_run_is_pinned() -> None:
    # It moves when a default or CODE_VERSION does, and then no older record belongs to the default run any more.
    assert run_key(compose())[:8] == "41f15140"
