"""What is wrong with a setting is said in the project's words: key, value, what is legal, an example."""

from __future__ import annotations

import pytest
from hydra_plugins.hydra_joblib_launcher.config import JobLibLauncherConf
from omegaconf import OmegaConf

from senet_repro.config.composition import compose
from senet_repro.config.explain import describe_type, find_example, plain_errors
from senet_repro.config.keys import list_facts, list_keys
from senet_repro.config.schema import Run
from senet_repro.config.settings import check_settings
from senet_repro.core.errors import ConfigError

SCHEMA = OmegaConf.structured(Run)
LIBRARY_WORDS = ("converted", "Optional", "subclass", "struct", "Ambiguous", "merging", "Could not")
VALUES = [
    name
    for name, key in list_keys().items()
    if not key.holds_keys
    and name not in (*list_facts(), "r", "stages", "trainer.compile", "trainer.graph")
]


@pytest.mark.parametrize("key", VALUES)
@pytest.mark.parametrize("value", ["{a: 1}", "[[1]]", "null"])
def test_a_value_of_a_wrong_type_is_answered_with_a_legal_one(key: str, value: str) -> None:
    try:
        with plain_errors():
            check_settings([f"{key}={value}"])
            wrong = OmegaConf.from_dotlist([f"{key}={value}"])
            OmegaConf.merge(SCHEMA, wrong)
    except ConfigError as error:
        message = str(error)
        assert message.startswith(f"{key} is {describe_type(key)}, not ")
        assert message.endswith(f", such as {key}={find_example(key)}")
        assert not any(word in message for word in LIBRARY_WORDS)
    else:
        assert value == "null"
        assert describe_type(key).endswith("or null")


@pytest.mark.parametrize("key", VALUES)
def test_an_example_is_of_its_keys_type(key: str) -> None:
    written = OmegaConf.from_dotlist([f"{key}={find_example(key)}"])
    OmegaConf.merge(SCHEMA, written)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            "recipe.lr=abc",
            "recipe.lr is a number above 0 and at most 1,000, not 'abc', such as recipe.lr=0.2",
        ),
        (
            "seed=null",
            "seed is a whole number of at least 0 and at most 4,294,967,295, not null, such as seed=0",
        ),
        ("data.flip=abc", "data.flip is true or false, not 'abc', such as data.flip=false"),
        ("data.flip=3", "data.flip is true or false, not 3, such as data.flip=false"),
        ("data.mean=[a,b]", "at most 255, not 'a', such as data.mean=[77.9,"),
        ("data.mean=[1,2,[3]]", "at most 255, not [1,2,[3]], such as"),
        ("trainer.threads=x", "a whole number of at least 1 and at most 1,024, or null, not 'x'"),
        ("recipe.schedule.drops=[1.5]", "is a list of whole numbers, not 1.5, such as"),
        ("recipe.schedule=3", "no value of its own, such as 3: give recipe.schedule.kind=cosine"),
        ("se=null", "se has no value of its own, such as null: give se.fc=linear"),
        ("recipe.lr=???", "recipe.lr has no value: give one, such as recipe.lr=0.2"),
        ("model.options.stride_on=[3]", "model.options.stride_on=[3]: give conv1x1 or conv3x3"),
        (
            "model.options.stem=slim",
            "no model.options.stem: it is an option of inception_resnet_v2",
        ),
        (
            "+model.options.stem=slim",
            "no model.options.stem: it is an option of inception_resnet_v2",
        ),
        ("model=3", "model is one of the files of conf/model/, not 3, such as model=resnet11"),
        ("model=[a,b]", "model=[a,b]: give one file of conf/model/ at a time"),
        ("model@here=resnet50", "model@here=resnet50: give model=resnet50, without @here"),
        ("r=2,4", "r=2,4: give -m to train each of these values"),
        ("recipe.lr=${lr}", "there is no key 'lr' to take a value from"),
        ("data.root=${oc.env:NOPE}", "the environment has no NOPE"),
        ("r=${nope:3}", "${nope:...} is not known: give the value itself"),
        ("ablation=squeeze", "nothing is chosen there yet: use +ablation=squeeze, with a +"),
        ("+protocol=demo", "protocol is chosen already: give it without the +"),
        ("recipe=resnet50", "wrn16_8; choose one, recipe=cifar_resnet"),
        ("trainer=tpu", "there is no trainer 'tpu'; there are auto, cpu, gpu"),
        (
            "hydra.launcher.partition=gpu",
            "the launcher has no hydra.launcher.partition; hydra/launcher=joblib has n_jobs",
        ),
        ("model.options.x=[3]", "unknown key 'model.options.x'"),
        ("model.name=resnet5", "model.name belongs to conf/model/: choose a file, model=resnet56"),
        ("model={name: foo}", "model.name belongs to conf/model/: choose a file, model=resnet11"),
        ("model.stages=[2]", "choose a file, model=resnet11, or give stages=[2,3]"),
        ("++model.input_px=8", "model=resnet11, or give data.train_px and data.eval_px"),
        (
            "protocol.name=xyz",
            "protocol.name belongs to conf/protocol/: choose a file, protocol=demo",
        ),
        ("data.train_images=4", "data.train_images belongs to conf/data/: choose a file, data="),
        ("logger.name=csv", "logger.name belongs to conf/logger/: choose a file, logger=csv"),
        (
            "table=3",
            "table belongs to the files of conf/ablation/ and conf/experiment/: choose one",
        ),
        ("+table.rows.x=3", "table.rows.x belongs to the files of conf/ablation/"),
    ],
)
def test_what_no_command_may_give_is_said_in_our_words(overrides: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        compose([overrides])
    assert message in str(error.value)


def test_a_wrong_value_of_hydras_own_is_said_in_our_words() -> None:
    jobs = OmegaConf.structured({"hydra": {"launcher": JobLibLauncherConf}})
    with pytest.raises(ConfigError) as error, plain_errors():
        OmegaConf.update(jobs, "hydra.launcher.n_jobs", "many")
    assert str(error.value) == (
        "hydra.launcher.n_jobs is a whole number, not 'many', such as hydra.launcher.n_jobs=2"
    )
