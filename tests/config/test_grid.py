"""A sweep's points are all there, counted before the first, and never none."""

from __future__ import annotations

import pytest

from senet_repro.config.grid import build_grid
from senet_repro.core.errors import ConfigError


def build(*overrides: str, most_points: object = 1000, **table_params: str) -> list[str]:
    return [" ".join(point) for point in build_grid(overrides, table_params, most_points)]


def test_each_value_meets_each_of_the_others_and_the_command_wins_over_the_table() -> None:
    assert build("seed=0,1", "recipe.lr=1e-3", r="2,4") == [
        "r=2 seed=0 recipe.lr=1e-3",
        "r=2 seed=1 recipe.lr=1e-3",
        "r=4 seed=0 recipe.lr=1e-3",
        "r=4 seed=1 recipe.lr=1e-3",
    ]
    assert build("r=8", r="2,4") == ["r=8"]


def test_several_tables_are_swept_one_after_the_other() -> None:
    points = build("+ablation=squeeze,se_3x3", "seed=1")
    assert points == [
        "squeeze=max +ablation=squeeze seed=1",
        "squeeze=avg +ablation=squeeze seed=1",
        "placement=standard +ablation=se_3x3 seed=1",
        "placement=conv3x3 +ablation=se_3x3 seed=1",
    ]
    assert len(build("+ablation=glob(s*)")) == 9


@pytest.mark.parametrize(
    ("values", "count"),
    [
        ("range(3)", 3),
        ("range(5,0,-2)", 3),
        ("range(0,1,0.25)", 4),
        ("shuffle(range(0,4))", 4),
        ("sort(3,1)", 2),
        ("choice(1,2,3)", 3),
    ],
)
def test_points_are_counted_as_they_are_listed(values: str, count: int) -> None:
    assert len(build(f"seed={values}", most_points=count)) == count
    with pytest.raises(ConfigError, match=f"has {count} points, and {count - 1} is the most"):
        build(f"seed={values}", most_points=count - 1)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("seed=range(0,0)", "seed=range(0,0) sweeps nothing: give values, as in seed=A,B"),
        ("data.root=range(3,0)", "data.root=range(3,0) sweeps nothing"),
        ("excitation=glob(*)", "glob looks among the files of a group, as in model=glob(resnet*)"),
        ("model=glob(zz*)", "model=glob(zz*) sweeps nothing"),
        ("+ablation=glob(zz*)", "+ablation=glob(zz*) sweeps nothing: there are excitation, "),
        ("seed=interval(0,3)", "an interval has no end of values"),
        ("seed=range(0,9,0)", "a step other than 0"),
        ("seed=range(0,inf)", "give numbers"),
        ("seed=range(0,nan)", "give numbers"),
        ("r=16,range(2,4)", "r=16,range(2,4): give values, or one range"),
        ("seed=range(0,1000000)", "the sweep has 1,000,000 points, and 1,000 is the most"),
        ("seed=range(0,1000000)", "hydra.sweeper.most_points=1000000"),
        ("seed=shuffle(range(0,1000000000))", "has 1,000,000,000 points"),
        ("seed=range(0,1,1e-9)", "has 1,000,000,000 points"),
        (f"seed=range(0,1{'0' * 40})", "and 1,000 is the most"),
        ("+ablation=squeze,stages", "there is no ablation 'squeze'; there are excitation"),
    ],
)
def test_a_sweep_without_an_end_or_without_points_is_refused(override: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        build(override)
    assert message in str(error.value)


def test_the_limit_is_a_number() -> None:
    with pytest.raises(ConfigError, match="most_points=many: give a number of at least 1"):
        build("seed=0,1", most_points="many")
