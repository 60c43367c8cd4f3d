"""Which keys a command may give, and which one a person meant by another."""

from __future__ import annotations

import pytest

from senet_repro.config.keys import (
    MEANT,
    exists,
    find_nearest_key,
    list_facts,
    list_groups,
    list_keys,
)

# Whatever of a group is a command's to give. All else belongs to the files of conf/: a new field is entered here, or
# marked as a fact in the schema.
SETTINGS = {
    "model": "options",
    "data": "classes crop_area crop_aspect decode download eval_px eval_resize_px eval_resize_sides flip mean "
    "most_px pad_px px root skip_corrupt std subset train_px verify",
    "recipe": "batch_size cutout_px epoch_steps epochs label_smoothing lr momentum nesterov schedule weight_decay",
    "protocol": "",
    "logger": "project",
    "trainer": "accelerator accumulate channels_last checkpoint_s compile deterministic devices graph nodes "
    "num_workers precision sync_bn tf32 threads",
}


@pytest.mark.parametrize("group", SETTINGS)
def test_every_key_of_a_group_is_a_setting_or_a_fact_of_its_files(group: str) -> None:
    given = {name.partition(".")[2] for name in list_keys() if name.startswith(f"{group}.")}
    settings = {name for name in given if "." not in name and f"{group}.{name}" not in list_facts()}
    assert settings == set(SETTINGS[group].split())


def test_every_key_that_is_proposed_exists() -> None:
    assert all(exists(key) for key in MEANT.values())
    assert not set(MEANT) & set(list_keys())


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("lr", "recipe.lr"),
        ("LR", "recipe.lr"),
        ("optim.lr", "recipe.lr"),
        ("epochs", "recipe.epochs"),
        ("trainer.max_epochs", "recipe.epochs"),
        ("batch_size", "recipe.batch_size"),
        ("batch", "recipe.batch_size"),
        ("bs", "recipe.batch_size"),
        ("weight_decay", "recipe.weight_decay"),
        ("wd", "recipe.weight_decay"),
        ("lr_schedule", "recipe.schedule.kind"),
        ("scheduler.name", "recipe.schedule.kind"),
        ("num_workers", "trainer.num_workers"),
        ("workers", "trainer.num_workers"),
        ("gpus", "trainer.devices"),
        ("gpu", "trainer.devices"),
        ("device", "trainer.accelerator"),
        ("precision", "trainer.precision"),
        ("bf16", "trainer.precision"),
        ("root", "data.root"),
        ("dta.root", "data.root"),
        ("data.rot", "data.root"),
        ("trainer.device", "trainer.devices"),
        ("recipe.schedule.drop", "recipe.schedule.drops"),
        ("data.augment", None),
        ("sede", "seed"),
        ("modle", "model"),
        ("stem", "model.options.stem"),
        ("n_jobs", "hydra.launcher.n_jobs"),
        ("foo", None),
        ("x", None),
    ],
)
def test_the_nearest_key_is_the_one_a_person_means(typed: str, meant: str | None) -> None:
    assert find_nearest_key(typed) == meant


def test_a_study_is_no_group_that_a_command_chooses_from() -> None:
    assert {"model", "data", "experiment"} <= set(list_groups())
    assert not {"hydra", "study"} & set(list_groups())
