"""The command line's words become a validated run, or an error that names the mend."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from omegaconf import OmegaConf

from senet_repro.config.composition import compose
from senet_repro.config.conf_dir import CONF_DIR
from senet_repro.config.identity import AXES, AXIS_DEFAULTS, run_key, run_name
from senet_repro.config.schema import SE, Trainer
from senet_repro.core.errors import ConfigError

ABLATIONS = sorted(path.stem for path in (CONF_DIR / "ablation").glob("*.yaml"))
TABLE_FILES = sorted(
    path for group in ("ablation", "experiment") for path in (CONF_DIR / group).glob("*.yaml")
)
PROTOCOLS = sorted(path.stem for path in (CONF_DIR / "protocol").glob("*.yaml"))


@pytest.mark.parametrize(("ablation", "protocol"), list(itertools.product(ABLATIONS, PROTOCOLS)))
def test_every_ablation_composes_with_every_protocol(ablation: str, protocol: str) -> None:
    run = compose([f"+ablation={ablation}", f"protocol={protocol}"])
    assert run.table is not None
    assert run.table.name == ablation
    assert run.protocol.name == protocol


@pytest.mark.parametrize("path", TABLE_FILES, ids=lambda path: path.stem)
def test_table_files_begin_with_the_global_package(path: Path) -> None:
    assert path.read_text().startswith("# @package _global_\n")


@pytest.mark.parametrize(
    "override",
    [
        f"{group.name}={path.stem}"
        for group in sorted(CONF_DIR.iterdir())
        if group.is_dir() and group.name not in ("hydra", "ablation", "experiment", "study")
        for path in sorted(group.glob("*.yaml"))
    ],
)
def test_every_group_file_composes_and_agrees_with_its_name(override: str, tmp_path: Path) -> None:
    group, _, name = override.partition("=")
    needed = {"data": ["model=resnet50"], "recipe": ["data=cifar10"]}
    if override in ("data=coco", "data=shapes"):
        needed["data"] += ["task=detection"]
    if override == "data=folder":
        for picture in ("train/a/0.png", "train/b/0.png", "val/a/0.png", "val/b/0.png"):
            (tmp_path / picture).parent.mkdir(parents=True)
            (tmp_path / picture).touch()
        needed["data"] += [f"data.root={tmp_path}", "data.mean=[1,2,3]", "data.std=[4,5,6]"]
    run = compose([override, *needed.get(group, [])])
    if group != "trainer":
        assert getattr(run, group).name == name


def test_protocols_choose_network_data_and_recipe_and_the_command_line_wins() -> None:
    run = compose(["protocol=cifar10", "model=resnet20", "recipe.epochs=3", "data.root=somewhere"])
    assert (run.model.name, run.data.name, run.recipe.name) == (
        "resnet20",
        "cifar10",
        "cifar_resnet",
    )
    assert (run.recipe.epochs, run.data.root) == (3, "somewhere")


@pytest.mark.parametrize(
    ("experiment", "model", "recipe", "data", "px"),
    [
        ("imagenet", "resnet50", "imagenet", "imagenet", (224, 224, 256)),
        ("imagenet", "inception_resnet_v2", "imagenet", "imagenet", (299, 299, 352)),
        ("mobile", "shufflenet", "mobile", "imagenet", (224, 224, 256)),
        ("state_of_the_art", "senet154", "senet154", "imagenet", (224, 224, 256)),
        ("cifar10", "resnet164", "resnet164", "cifar10", (32, 32, None)),
        ("cifar10", "shake_shake26_2x96d", "shake_shake26_2x96d", "cifar10", (32, 32, None)),
        ("cifar100", "wrn16_8", "wrn16_8", "cifar100", (32, 32, None)),
        ("cifar100", "shake_even29_2x4x64d", "shake_even29_2x4x64d", "cifar100", (32, 32, None)),
    ],
)
def test_experiments_give_each_network_its_recipe_and_input_size(
    experiment: str, model: str, recipe: str, data: str, px: tuple[int, int, int | None]
) -> None:
    run = compose([f"+experiment={experiment}", f"model={model}"])
    assert (run.model.name, run.recipe.name, run.data.name) == (model, recipe, data)
    assert (run.data.train_px, run.data.eval_px, run.data.eval_resize_px) == px
    assert run.trainer == Trainer()  # nothing of the demo's


def test_table_2_trains_bn_inception_with_the_weight_decay_of_its_own() -> None:
    decays = {
        m: compose(["+experiment=imagenet", f"model={m}"]).recipe.weight_decay
        for m in ("bn_inception", "vgg16")
    }
    assert decays == {"bn_inception": 2e-4, "vgg16": 1e-4}
    assert compose(["+experiment=imagenet", "recipe.weight_decay=1e-3"]).recipe.weight_decay == 1e-3


def test_a_file_that_earlier_versions_had_names_what_replaces_it() -> None:
    with pytest.raises(ConfigError, match=r"no trainer 'ddp': trainer\.devices=2"):
        compose(["trainer=ddp"])


def test_what_the_command_line_names_wins_over_an_experiment() -> None:
    run = compose(
        ["+experiment=cifar10", "recipe=demo", "data=digits", "se.bias=false", "recipe.epochs=1"]
    )
    assert (run.recipe.name, run.data.name, run.se.bias, run.recipe.epochs) == (
        "demo",
        "digits",
        False,
        1,
    )


def test_runs_know_their_first_weights_by_content(tmp_path: Path) -> None:
    for name, text in (("a", "one"), ("b", "one"), ("c", "two")):
        (tmp_path / name).write_text(text)
    keys = {
        n: run_key(compose([f"init.weights={tmp_path / n}", "init.source=timm"])) for n in "abc"
    }
    assert keys["a"] == keys["b"] != keys["c"]
    assert run_key(compose()) not in keys.values()
    run = compose([f"init.weights={tmp_path}/a", "init.source=timm"])
    assert run_name(run) == "digits-resnet11-r16-from_timm"
    with pytest.raises(ConfigError, match="and not init"):
        compose(
            [f"init.weights={tmp_path}/c", "init.source=timm", f"init.sha256={run.init.sha256}"]
        )


def test_recipes_carry_the_papers_numbers() -> None:
    table2, ablation = compose(["recipe=imagenet"]).recipe, compose(["protocol=imagenet"])
    assert (table2.batch_size, table2.lr, table2.epochs, table2.schedule.drops) == (
        1024,
        0.6,
        100,
        [30, 60, 90],
    )
    recipe = ablation.recipe
    assert (recipe.lr, recipe.epochs, recipe.schedule.drops) == (0.1, 270, [125, 200, 250])
    assert recipe.label_smoothing > 0
    assert not ablation.se.bias
    cifar = compose(["recipe=cifar_resnet"]).recipe
    assert (cifar.batch_size, cifar.lr, cifar.weight_decay) == (128, 0.1, 1e-4)
    assert (cifar.schedule.drops, cifar.schedule.length) == ([32000, 48000], 64000)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["foo_bar=1"], "unknown key 'foo_bar'"),
        (["+sede=1"], "unknown key 'sede'; did you mean 'seed'?"),
        (["++data.rot=x"], "unknown key 'data.rot'; did you mean 'data.root'?"),
        (["epochs=3"], "did you mean 'recipe.epochs'?"),
        (["recipe.schedule.drop=[1]"], "did you mean 'recipe.schedule.drops'?"),
        (["+ablaton=squeeze"], "did you mean 'ablation'?"),
        (["ablation=squeeze"], "use +ablation=squeeze"),
        (["+ablation=sqeeze"], "there is no ablation 'sqeeze'; there are excitation"),
        (["model=resnet5"], "there is no model 'resnet5'"),
        (["r=0"], "r=0: give a whole number from 1 to 2,048, such as 16, or none"),
        (["r=2.5"], "give a whole number"),
        (["r=true"], "give a whole number"),
        (["squeeze=mean"], "squeeze=mean: give avg, max or none"),
        (["excitation=softmax"], "give sigmoid, tanh or relu"),
        (["placement=after"], "give standard, pre, post, identity or conv3x3"),
        (["stages=[5]"], "stages=[5]: resnet11 offers 2, 3 and 4"),
        (["stages=[]"], "give stage numbers such as [2,3]"),
        (["stages=some"], "give all, all_but_last or none, or stage numbers"),
        (["stages=[2,2]"], "name each stage once"),
        (["se.fc=dense"], "give linear or conv"),
        (["model.options.stride_on=conv7x7"], "give conv1x1 or conv3x3"),
        (
            ["+model.options.width=2"],
            "model.options=width: give stride_on, stem_pool, stem, first_activation, shortcut or se_on",
        ),
        (["model=vgg16", "placement=pre"], "placement=pre: vgg16 offers standard"),
        (["model.stride_on=conv3x3"], "did you mean 'model.options.stride_on'?"),
        (
            ["protocol=imagenet", "recipe.cutout_px=8"],
            "cutout is for sets in memory, give 0 for imagenet",
        ),
        (
            ["protocol=imagenet", "model=resnet20"],
            "resnet20 is made for images of 32 px, not for imagenet's",
        ),
        (
            ["recipe.batch_size=1438"],
            "recipe.batch_size=1438: digits has 1,437 training images; give",
        ),
        (
            ["+experiment=cifar10", "protocol=demo"],
            "+experiment=cifar10 names network, data and recipe itself",
        ),
        (
            ["+experiment=[imagenet,mobile]"],
            "+experiment=[imagenet,mobile]: give one table at a time",
        ),
        (
            ["+experiment=imagenet", "+ablation=squeeze"],
            "+experiment=imagenet +ablation=squeeze: give one table",
        ),
        (["init.source=timm"], "without weights: give init.weights=FILE"),
        (["init.weights=README.md"], "say whose weights they are, init.source=timm or torchvision"),
        (
            ["init.weights=nowhere.pth", "init.source=timm"],
            "No such file or directory; give a file of weights",
        ),
        (["recipe.schedule.kind=poly"], "give step, cosine or plateau"),
        (["logger=tensorboard"], "there is no logger 'tensorboard'; there are csv, none, wandb"),
        (["trainer.precision=fp8"], "give 32-true, bf16-mixed or 16-mixed"),
        (["trainer.accelerator=tpu"], "give auto, cpu or gpu"),
        (["trainer.compile=on"], "trainer.compile='on': give auto, true or false"),
        (["trainer.graph=1", "trainer.devices=2"], "trainer.graph=1: give auto, true or false"),
        (["trainer.compile=null"], "trainer.compile=null: give auto, true or false"),
        (["trainer.tf32=maybe"], "trainer.tf32 is true or false, not 'maybe'"),
        (
            ["recipe.epochs=many"],
            "recipe.epochs is a whole number of at least 1 and at most 100,000",
        ),
        (["recipe.epochs=0"], "score a network as it is with python -m senet_repro evaluate"),
        (["recipe.epochs=-1"], "at most 100,000, not -1, such as recipe.epochs=10"),
        (["recipe.lr=0"], "recipe.lr is a number above 0 and at most 1,000, not 0.0"),
        (["recipe.lr=nan"], "recipe.lr is a number above 0 and at most 1,000, not nan"),
        (["recipe.momentum=1"], "a number of at least 0 and below 1, not 1.0"),
        (["recipe.schedule.factor=2"], "a number above 0 and below 1, not 2.0"),
        (["recipe.schedule.warmup=-1"], "recipe.schedule.warmup is a whole number of at least 0"),
        (["recipe.schedule.warmup_factor=0"], "is a number above 0 and below 1, not 0.0"),
        (["recipe.cutout_px=-2"], "recipe.cutout_px is a whole number of at least 0"),
        (["trainer.threads=0"], "a whole number of at least 1 and at most 1,024, or null, not 0"),
        (["data.decode=gpu"], "data.decode=gpu: digits lies decoded in memory; leave it out"),
        (
            ["protocol=imagenet", "data.decode=gpu", "trainer.accelerator=cpu"],
            "give trainer.accelerator=gpu, or data.decode=cpu, which is a run of its own",
        ),
        (["data.decode=tpu"], "data.decode=tpu: give cpu or gpu"),
        (["data.pad_px=-1"], "data.pad_px is a whole number of at least 0"),
        (["data.mean=[1.0]"], "a list of 3 numbers, each of at least 0 and at most 255, not [1.0]"),
        (["data.std=[0,0,0]"], "a list of 3 numbers, each of at least 1 and at most 255"),
        (["results_dir="], "results_dir is empty"),
        (["+ablation=10"], "ablation is one of the files of conf/ablation/, not 10"),
        (["recipe.label_smoothing=1"], "a number of at least 0 and below 1, not 1.0"),
        (["seed=-1"], "seed is a whole number of at least 0"),
        (
            ["trainer.devices=3"],
            "give recipe.batch_size=126 or 129, or trainer.devices=1, 2, 4, 8, 16, 32 or 64",
        ),
        (["stages=[2"], "stages=[2"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_with_the_mend(
    overrides: list[str], message: str
) -> None:
    with pytest.raises(ConfigError) as error:
        compose(overrides)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_run_survives_its_config_file() -> None:
    from dataclasses import asdict

    from senet_repro.config.composition import run_from

    run = compose(["+ablation=stages", "stages=[3]", "seed=2"])
    assert run_from(OmegaConf.create(OmegaConf.to_yaml(OmegaConf.create(asdict(run))))) == run


def test_the_defaults_of_the_yaml_are_those_that_table_rows_start_from() -> None:
    run = compose()
    assert {axis: getattr(run, axis) for axis in AXES} == AXIS_DEFAULTS
    assert run.se == SE()
    assert run.trainer == Trainer(threads=1)


@pytest.mark.parametrize(
    ("trainer", "asked"),
    [
        (["accelerator=auto", "devices=8"], (1, 8, 24)),
        (["accelerator=auto", "devices=8", "num_workers=6"], (1, 8, 56)),
        (["accelerator=gpu", "devices=4", "nodes=2", "num_workers=0"], (2, 4, 4)),
        (["accelerator=cpu", "devices=2", "num_workers=1", "threads=3"], (1, None, 8)),
    ],
)
def test_a_job_of_a_cluster_asks_for_what_its_trainer_uses(
    trainer: list[str], asked: tuple[int, int | None, int]
) -> None:
    overrides = ["hydra/launcher=slurm", *(f"trainer.{override}" for override in trainer)]
    with initialize_config_dir(str(CONF_DIR), version_base="1.3"):
        launcher = hydra_compose("config", overrides, return_hydra_config=True).hydra.launcher
    assert (launcher.nodes, launcher.gpus_per_node, launcher.cpus_per_task) == asked
    assert launcher.additional_parameters.export == f"ALL,SRUN_CPUS_PER_TASK={asked[2]}"


def test_a_job_has_room_for_processes_that_decode_files() -> None:
    overrides = ["hydra/launcher=slurm", "protocol=imagenet", "trainer.devices=2"]
    with initialize_config_dir(str(CONF_DIR), version_base="1.3"):
        launcher = hydra_compose("config", overrides, return_hydra_config=True).hydra.launcher
    assert launcher.cpus_per_task == 2 * (8 + 1)
