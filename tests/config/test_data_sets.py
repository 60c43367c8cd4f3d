"""Facts of data sets: read from their own files, the same in every run, and no part of its identity."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest
from omegaconf import OmegaConf

from senet_repro.config.composition import compose, run_from
from senet_repro.config.conf_dir import list_files
from senet_repro.config.data_sets import FACTS, data_title, read_set_facts
from senet_repro.config.detection import OBJECT_KINDS
from senet_repro.config.identity import build_identity
from senet_repro.config.schema import DATA_KINDS
from senet_repro.core.errors import ConfigError

# Of any folder the facts are what lies there: test_class_folders.py.
DESCRIBED = [name for name in list_files("data") if not read_set_facts(name).is_counted]


@pytest.mark.parametrize("name", DESCRIBED)
def test_a_run_states_the_facts_of_its_sets_file(name: str) -> None:
    facts = read_set_facts(name)
    task = "detection" if facts.kind in OBJECT_KINDS else "classification"
    run = compose(["model=resnet50", f"data={name}", f"task={task}"])
    assert {fact: getattr(run.data, fact) for fact in FACTS} == asdict(facts)
    assert facts.kind in DATA_KINDS
    assert not set(FACTS) & build_identity(run)["data"].keys()
    assert data_title(name) == facts.title


def test_the_facts_of_a_set_follow_from_its_subset() -> None:
    run = compose(["protocol=places365_small"])
    facts = read_set_facts("places365", "standard")
    assert (facts.title, facts.train_images) == ("Places365-Standard", 1_803_460)
    assert {fact: getattr(run.data, fact) for fact in FACTS} == asdict(facts)
    assert read_set_facts("places365").train_images == 8_026_628
    # As a run is read that was written down, also one of an older version.
    written = asdict(run)
    assert run_from(OmegaConf.create(written)) == run
    for fact in FACTS:
        del written["data"][fact]
    assert run_from(OmegaConf.create(written)) == run
    for wrong in (("places365", "small"), ("imagenet", "standard")):
        with pytest.raises(ConfigError, match=r"data\.subset=.*: (give challenge|imagenet has no)"):
            read_set_facts(*wrong)


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({"train_images": 100}, "data.train_images=100: digits has 1437, and no run may change"),
        ({"kind": "folders"}, "data.kind=folders: digits has memory, and no run may change"),
        ({"kind": "cloud"}, "data.kind=cloud: give memory, folders, boxes or drawn"),
        (
            {"name": "mnist"},
            "no image set mnist: give data=cifar10|cifar100|coco|digits|folder|imagenet|places365|shapes",
        ),
    ],
)
def test_facts_of_another_set_are_refused(stated: dict[str, Any], message: str) -> None:
    written = asdict(compose())
    written["data"].update(stated)
    with pytest.raises(ConfigError) as error:
        run_from(OmegaConf.create(written))
    assert str(error.value).startswith(message)


def test_a_configuration_written_before_there_were_facts_is_read() -> None:
    run = compose()
    older = asdict(run)
    for fact in FACTS:
        del older["data"][fact]
    assert run_from(OmegaConf.create(older)) == run


def test_a_set_that_is_not_offered_keeps_its_name() -> None:
    assert data_title("mnist") == "mnist"
