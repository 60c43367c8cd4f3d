"""What a person types is what a run gets: texts as they are, everything else as Hydra reads it, or a sentence."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from omegaconf import OmegaConf

from senet_repro.config.composition import compose, run_from
from senet_repro.config.overrides import (
    find_overruled,
    parse_override,
    read_overrides,
    read_run_overrides,
)
from senet_repro.config.schema import Run
from senet_repro.core.errors import ConfigError

TEXTS = [
    "20241126_0930",
    "1e3",
    "1_000",
    "007",
    ".5",
    "inf",
    "true",
    "Null",
    "[2]",
    "{a}",
    "runs(1)",
    "(a, b)",
    "a b",
    "a=b",
    "a:b",
    "#1",
    "it's",
    'a "b" c',
    "ops/données (1)",
    "$HOME/x",
    "50 %",
    "a(b",
    "a)b",
    "ends (here)\\",
]


@pytest.fixture(scope="module")
def default_run() -> Run:
    return compose()


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_stays_as_it_was_typed(text: str, default_run: Run) -> None:
    (override,) = read_run_overrides([f"results_dir={text}"])
    assert parse_override(override).value() == text
    # The command that repeats the run, and the file that its processes read.
    assert read_run_overrides([override]) == [override]
    settings = {**asdict(default_run), "results_dir": text}
    written = OmegaConf.to_yaml(OmegaConf.create(settings))
    assert run_from(OmegaConf.create(written)).results_dir == text


def test_a_run_has_the_texts_of_its_command_line() -> None:
    run = compose(["results_dir=20241126_0930", "data.root=ops/données (1)", "logger.project=1e3"])
    assert run.results_dir == "20241126_0930"
    assert run.data.root == "ops/données (1)"
    assert run.logger.project == "1e3"


@pytest.mark.parametrize(
    ("word", "override"),
    [
        ("results_dir=runs/a-b_1.2", "results_dir=runs/a-b_1.2"),
        ("results_dir='1e3'", "results_dir='1e3'"),
        ('results_dir="a, b"', 'results_dir="a, b"'),
        ("results_dir=a\\,b", "results_dir=a\\,b"),
        ("results_dir=${oc.env:A,b}/x", "results_dir=${oc.env:A,b}/x"),
        ("data.root=null", "data.root=null"),
        ("results_dir=null", 'results_dir="null"'),
        ("init.weights=1e3", 'init.weights="1e3"'),
        ("logger.project=1e3", 'logger.project="1e3"'),
        ("squeeze=true", 'squeeze="true"'),
        ("model.options.stem=1", 'model.options.stem="1"'),
        ("++logger.project=1", 'logger.project="1"'),
        ("+r=16", "r=16"),
        ("recipe.lr=1e-3", "recipe.lr=1e-3"),
        ("hydra/launcher=joblib", "hydra/launcher=joblib"),
        ("+hydra.launcher.setup=[a]", "+hydra.launcher.setup=[a]"),
    ],
)
def test_only_what_hydra_would_change_is_put_in_quotes(word: str, override: str) -> None:
    assert read_overrides([word]) == [override]


@pytest.mark.parametrize(
    ("word", "override"),
    [
        ("data.root=1e3,2e3", 'data.root="1e3","2e3"'),
        ("data.root=choice(1e3,b)", 'data.root="1e3",b'),
        ("data.root='a,b',é", "data.root='a,b',\"é\""),
        ("data.root=it's,that's", 'data.root="it\'s","that\'s"'),
        ("data.root=a(1,b(2", 'data.root="a(1","b(2"'),
        ("squeeze=max,none", "squeeze=max,none"),
        ("seed=range(0,3)", "seed=range(0,3)"),
    ],
)
def test_texts_are_swept_one_by_one(word: str, override: str) -> None:
    assert read_overrides([word]) == [override]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["results_dir=a,b"], """give -m to train each of these values, or put one value"""),
        (["results_dir=a,b"], """in quotes: 'results_dir="a,b"'"""),
        (["stages=2,3"], "in brackets: 'stages=[2,3]'"),
        (["seed=range(0,2)"], "seed=range(0,2): give -m to train each of these values"),
        (["+ablation=squeeze,stages"], "give -m to train each of these values"),
        (["data@other=cifar10,digits"], "give -m to train each of these values"),
        (["+ablation=glob(*)"], "give -m to train each of these values"),
        (['results_dir="a'], """put the whole value in quotes, as in 'results_dir="a"'"""),
        (["results_dir=a,,b"], "results_dir is empty between commas"),
        (["results_dir=???"], "this stands for a value that is missing"),
        (["results_dir=a${b"], "${ begins the value of another key"),
        (["results_dir="], "results_dir is empty: give results_dir=VALUE"),
        (["+ablation="], "ablation is empty: give +ablation=VALUE"),
        (["model="], "model is empty: give model=VALUE"),
        (["data.root= "], "data.root is empty"),
        (["hydra.launcher.partition=é"], """in quotes, as in 'hydra.launcher.partition="é"'"""),
        (["r=é"], "cannot read 'r=é': give a word, a number, or a list in brackets"),
        (["seed=range(a)"], "cannot read 'seed=range(a)': give whole numbers"),
        (["é=1"], "unknown key 'é'"),
        (["=1"], "give KEY=VALUE, such as seed=1"),
        (["squeeze"], "squeeze: give KEY=VALUE"),
        (["~recipe"], "~recipe: nothing can be taken out of a run"),
        (["~model.options"], "nothing can be taken out"),
        (["+ablation=squeeze", "+ablation=stages"], "give one table at a time; -m sweeps several"),
        (["+experiment=cifar10", "protocol=demo"], "names network, data and recipe itself"),
        (["seed=[1", "seed=1"], "cannot read 'seed=[1'"),
        (["hydra.job.chdir=true"], "results_dir=DIR says where results go, and -m sweeps"),
        (["hydra.run.dir=x"], "hydra.run.dir=x: of Hydra's settings"),
        (["++hydra.sweep.dir=x"], "of Hydra's settings"),
        (["hydra.mode=MULTIRUN"], "of Hydra's settings"),
        (["hydra={job: {chdir: true}}"], "of Hydra's settings"),
        (["hydra/sweeper=basic"], "of Hydra's settings"),
        (["hydra.searchpath=[/tmp]"], "of Hydra's settings"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_mend(words: list[str], message: str) -> None:
    with pytest.raises(ConfigError) as error:
        read_run_overrides(words)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_an_experiment_that_names_its_protocol_alone_takes_another() -> None:
    words = ["+experiment=coco", "protocol=shapes"]
    assert read_run_overrides(words) == words
    run = compose(words)
    assert (run.task, run.data.name, run.model.name) == ("detection", "shapes", "resnet11")


def test_of_a_key_given_twice_the_last_word_counts_and_the_others_are_known() -> None:
    words = ["r=16", "seed=1", "++r=8", "r=16", "+ablation=squeeze", "seed=1"]
    assert read_overrides(words) == ["r=16", "+ablation=squeeze", "seed=1"]
    assert find_overruled(words) == [("++r=8", "r=16")]


def test_a_path_may_begin_in_the_home_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    run = compose(["results_dir=~/runs", "protocol=cifar10", "data.root='~/my data'"])
    assert run.results_dir == "/home/ada/runs"
    assert run.data.root == "/home/ada/my data"
    assert compose(["results_dir=./~"]).results_dir == "./~"
    with pytest.raises(
        ConfigError, match=r"~nobody9/runs: there is no such home; give \./~nobody9"
    ):
        compose(["results_dir=~nobody9/runs"])
