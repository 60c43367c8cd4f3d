"""A campaign's plan is read as it was written, and whatever is wrong with one is named with its mend."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from senet_repro.core.errors import ConfigError
from senet_repro.results.campaign import (
    PLAN_FILE,
    Campaign,
    PlannedTable,
    SmallestEffect,
    check_names,
    read_campaign,
    write_campaign,
)
from senet_repro.results.store import load_results

SQUEEZE = PlannedTable(
    overrides=["protocol=cifar10", "recipe.epochs=20"],
    seeds=[0, 1, 2],
    grows_from=2,
    claims=["averages are the better squeeze"],
    smallest_effects={
        "*": SmallestEffect(points=0.5, because="five seeds can see it: ${it} costs a day"),
        "it matters little which squeeze": SmallestEffect(points=0.2, because="half of it"),
    },
    runs=["cifar10-resnet11-r16-01234567", "cifar10-resnet11-r16-max-89abcdef"],
)
CAMPAIGN = Campaign(
    name="first",
    written_at="2026-01-31T12:00:00+00:00",
    commit="0" * 40,
    tables={"squeeze": SQUEEZE, "stages": replace(SQUEEZE, grows_from=None, smallest_effects={})},
)


def test_what_is_written_is_read_and_known_by_its_bytes(tmp_path: Path) -> None:
    path = write_campaign(tmp_path / "new", CAMPAIGN)
    found = read_campaign(tmp_path / "new")
    assert found is not None
    assert replace(found, sha256="") == CAMPAIGN
    assert load_results(tmp_path / "new").campaign == found
    path.write_text(path.read_text().replace("points: 0.5", "points: 0.4"))
    changed = read_campaign(tmp_path / "new")
    assert changed is not None
    assert changed.sha256 != found.sha256
    assert len(found.sha256) == 64


def test_no_plan_is_no_campaign(tmp_path: Path) -> None:
    assert read_campaign(tmp_path) is None
    assert read_campaign(tmp_path / "missing") is None
    (tmp_path / "file").write_text("")
    assert read_campaign(tmp_path / "file") is None


WRONG = {
    "tables:": ("tablse:", "unknown key 'tablse'; did you mean tables?"),
    "grows_from: 2": (
        "grow_from: 2",
        "tables.squeeze: unknown key 'grow_from'; did you mean grows_from?",
    ),
    "points: 0.5": (
        "points: -1",
        ".points is -1: give a number above 0",
    ),
    "points: 0.2": ("points: much", "points is 'much': give a number above 0, in points"),
    "because: half of it": ("because: ''", "because is '': give the reason, in one line"),
    "name: first\n": ("", "it lacks name; python -m senet_repro plan writes it"),
    "12:00:00+00:00": ("12:00", "written_at is '2026-01-31T12:00': give a time in UTC, such as"),
    "schema_version: 1": ("schema_version: 2", "of a newer senet_repro; update it"),
    "    - 2\n": (
        "    - 1\n",
        "tables.squeeze.seeds is [0, 1, 1]: give whole numbers from 0 on, each once",
    ),
    "    - 0\n": (
        "    - 5\n",
        "grows_from needs two seeds or more, from 0 on and without a gap, such as 0, 1, 2; not [5",
    ),
    "grows_from: 2\n": (
        "grows_from: 1\n",
        "grows_from is 1: give the seeds at the first look, from 2 to 3",
    ),
    "    - protocol=cifar10\n": ("    - [a]\n", "tables.squeeze.overrides is [['a'], "),
    "commit: ": ("commit: [", "no YAML (while parsing"),
    "name: first": (
        "name: !!python/object/apply:os.getcwd []",
        "no YAML (could not determine a con",
    ),
}


@pytest.mark.parametrize("right", WRONG)
def test_what_is_wrong_is_named_with_its_mend(right: str, tmp_path: Path) -> None:
    wrong, message = WRONG[right]
    path = write_campaign(tmp_path, CAMPAIGN)
    text = path.read_text()
    assert right in text
    path.write_text(text.replace(right, wrong, 1))
    with pytest.raises(ConfigError) as caught:
        read_campaign(tmp_path)
    assert str(caught.value).startswith(str(path))
    assert message in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"- a", b"\xff"])
def test_a_file_of_another_kind_is_no_plan(content: bytes, tmp_path: Path) -> None:
    (tmp_path / PLAN_FILE).write_bytes(content)
    with pytest.raises(ConfigError, match="python -m senet_repro plan writes it"):
        read_campaign(tmp_path)


def test_a_folder_or_a_link_that_leads_nowhere_is_no_plan(tmp_path: Path) -> None:
    (tmp_path / PLAN_FILE).symlink_to("nowhere")
    with pytest.raises(ConfigError, match="a link to what is not there"):
        read_campaign(tmp_path)
    (tmp_path / PLAN_FILE).unlink()
    (tmp_path / PLAN_FILE).mkdir()
    with pytest.raises(ConfigError, match="not a file"):
        read_campaign(tmp_path)


def test_tables_and_claims_are_the_papers(tmp_path: Path) -> None:
    check_names(tmp_path, CAMPAIGN)
    effect = {"it matters": SmallestEffect(points=1.0, because="so")}
    for tables, message in (
        ({"squeezes": SQUEEZE}, "no table 'squeezes'.*did you mean squeeze?"),
        ({"11": SQUEEZE}, "tables.11: the name=11: give squeeze"),
        ({"squeeze": replace(SQUEEZE, smallest_effects=effect)}, "the claim=it matters: give"),
    ):
        with pytest.raises(ConfigError, match=message):
            check_names(tmp_path, replace(CAMPAIGN, tables=tables))


def test_a_run_finds_the_tables_that_plan_it(tmp_path: Path) -> None:
    write_campaign(tmp_path, CAMPAIGN)
    campaign = read_campaign(tmp_path)
    assert campaign is not None
    plan = campaign.describe_plan("cifar10-resnet11-r16-01234567", 2)
    assert plan == {
        "id": "plan.yaml",
        "written_at": "2026-01-31T12:00:00+00:00",
        "seeds": [0, 1, 2],
        "grows_from": 2,
        "tables": ["squeeze"],
        "sha256": campaign.sha256,
    }
    # A plan that may grow holds every seed, a fixed one its own.
    assert campaign.describe_plan("cifar10-resnet11-r16-01234567", 9) == plan
    fixed = replace(campaign, tables={"stages": campaign.tables["stages"]})
    assert fixed.describe_plan("cifar10-resnet11-r16-01234567", 9) is None
    assert campaign.describe_plan("cifar10-resnet11-plain-01234567", 2) is None
    alike = {"a": SQUEEZE, "b": SQUEEZE, "c": replace(SQUEEZE, seeds=[0, 1])}
    both = replace(campaign, tables=alike).describe_plan("cifar10-resnet11-r16-01234567", 0)
    assert both is not None
    assert both["tables"] == ["a", "b"]
