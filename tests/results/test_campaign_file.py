"""The file of a campaign is read as its author wrote it, and whatever is wrong in it is named with its mend."""

from __future__ import annotations

from pathlib import Path

import pytest

from senet_repro.core.errors import ConfigError
from senet_repro.results.campaign_file import CAMPAIGN_SOURCE, EXAMPLE, read_campaign_file


def test_the_example_is_a_campaign_of_a_dozen_lines(tmp_path: Path) -> None:
    (tmp_path / CAMPAIGN_SOURCE).write_text(EXAMPLE)
    found = read_campaign_file(tmp_path)
    assert found.sweep == ["+ablation=reduction_ratio", "recipe.epochs=10"]
    assert (found.seeds, found.budget_h) == ([0, 1, 2], 1)
    assert found.machine[1:] == ["hydra.launcher.n_jobs=2", "trainer.threads=1"]
    assert found.smallest_effects[0].startswith("0.5 because it is")
    assert len(EXAMPLE.splitlines()) <= 12


def test_what_an_author_leaves_out_is_nothing(tmp_path: Path) -> None:
    text = "question: >\n  why\nsweep: +ablation=squeeze\nseeds: [0]\nbudget_h: 0.5\nmachine:\n"
    (tmp_path / CAMPAIGN_SOURCE).write_text(text)
    found = read_campaign_file(tmp_path)
    assert (found.question, found.machine, found.smallest_effects) == ("why", [], [])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("budget_h: 1", "budget_h: 0", "budget_h is 0: give hours above 0"),
        ("budget_h: 1", "budget_h: .nan", "budget_h is"),
        ("budget_h: 1", "budget: 1", "unknown key 'budget'; did you mean budget_h?"),
        ("budget_h: 1\n", "", "it lacks budget_h"),
        ("seeds: [0, 1, 2]", "seeds: [0, 0]", "give whole numbers from 0 on, each once"),
        ("seeds: [0, 1, 2]", "seeds: [0, 1", "no YAML"),
        ("trainer.threads=1", "'trainer.threads=1", "machine: No closing quotation"),
        ("- 0.5 because", "- a claim: 0.5 because", "in quotes where they hold a colon"),
        (
            "recipe.epochs=10",
            "recipe.epochs=10 seed=3",
            "seed=3: leave it out; seeds: has the seeds",
        ),
        ("recipe.epochs=10", "+seed=3", "+seed=3: leave it out"),
        ("trainer.threads=1", "++dry=true", "dry=true: leave it out"),
        ("trainer.threads=1", "dry=true", "dry=true: leave it out; status tells"),
        ("trainer.threads=1", "results_dir=x", "results_dir=x: leave it out"),
        ("trainer.threads=1", "trainer.compile=true", "trainer.compile=true may decide what is"),
        ("trainer.threads=1", "trainer=cpu", "put it into sweep"),
        ("trainer.threads=1", "recipe.lr=0.5", "put it into sweep"),
        ("trainer.threads=1", "+ablation=stages", "put it into sweep"),
        ("question: Does", "question: [Does]\nx: Does", "unknown key 'x'"),
    ],
)
def test_a_file_that_describes_no_campaign_names_its_mend(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    (tmp_path / CAMPAIGN_SOURCE).write_text(EXAMPLE.replace(old, new))
    assert old in EXAMPLE
    with pytest.raises(ConfigError) as caught:
        read_campaign_file(tmp_path)
    assert message in str(caught.value)


def test_a_folder_without_the_file_is_shown_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read_campaign_file(tmp_path)
    assert str(tmp_path / CAMPAIGN_SOURCE) in str(caught.value)
    assert EXAMPLE in str(caught.value)
    (tmp_path / CAMPAIGN_SOURCE).write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not a text"):
        read_campaign_file(tmp_path)
