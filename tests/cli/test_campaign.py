"""A campaign from its author's file to what is committed of it: planned before, every run once, whatever happened."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from safetensors.torch import load_file

from senet_repro.cli import planning
from senet_repro.cli.verbs import call_verb
from senet_repro.config.identity import run_dir
from senet_repro.core.checkout import Commit, is_committed
from senet_repro.core.errors import ConfigError
from senet_repro.core.files import write_json
from senet_repro.results.campaign import read_campaign
from senet_repro.results.record import write_record
from senet_repro.results.run_folder import RunFolder
from senet_repro.results.store import load_results, read_status, write_status
from tests.checkouts import git
from tests.commands import run_warm
from tests.folders import begin, finish
from tests.records import record_of

FILE = """\
question: Does it matter which squeeze?
sweep: +ablation=squeeze recipe.epochs=1 recipe.batch_size=256
seeds: [0, 1]
smallest_effects: [0.5 because two seeds can see it]
budget_h: 0.5
machine: trainer.accelerator=cpu trainer.threads=1 hydra/launcher=basic
"""
COPIED = ("record.json", "config.yaml", "metrics.jsonl", "outcomes.npz", "plan.json", "starts.txt")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a campaign that was not planned yet, in a checkout, from which commands are given."""
    monkeypatch.chdir(tmp_path)
    # The checkout of the tests may have changes.
    monkeypatch.setattr(planning, "read_commit", lambda: Commit("c" * 40, dirty=False))
    monkeypatch.setattr(planning, "compose_rows", lambda words: compose_rows_once(tuple(words)))
    git(Path(), "init", "--quiet")
    folder = Path("studies/mine")
    folder.mkdir(parents=True)
    (folder / "campaign.yaml").write_text(FILE)
    return folder


# Composing takes long, and the same words give the same rows.
compose_rows_once = cache(planning.compose_rows)


def train(folder: Path) -> int:
    return call_verb("campaign", ["train", str(folder)])


@pytest.mark.slow
def test_a_campaign_is_planned_committed_trained_in_rounds_and_collected(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(folder) == 0
    assert "commit the folder" in capsys.readouterr().out
    with pytest.raises(ConfigError, match="is not committed as it stands"):
        train(folder)
    git(Path(), "add", ".")
    git(Path(), "commit", "--quiet", "--message", "Plan")
    campaign = read_campaign(folder)
    assert campaign is not None
    assert not Path("runs").exists()

    # A run that diverged is not trained once more. It is the second row's: without rounds seed 1 would follow seed 0.
    words = [
        "+ablation=squeeze",
        "recipe.epochs=1",
        "recipe.batch_size=256",
        "squeeze=avg",
        "seed=1",
    ]
    runs = Path("runs/mine")
    diverged = begin(runs, *words, state="failed", reason="not finite", diverged=True)
    write_json(RunFolder.of(diverged).plan_file, {"sha256": campaign.sha256})
    done = run_warm("campaign", "train", str(folder), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "1 run diverged, and would do so again: left as it is" in done.stderr
    assert done.stdout.splitlines()[-6:-2] == [
        "seed 0: 2 done",
        "seed 1: 1 done, 1 diverged",
        f"diverged: {run_dir(diverged)}: not finite",
        "3 done, 1 diverged, of 4 runs",
    ]
    # Such as: [1/3] digits-resnet11-r16 seed 0  top-1 err ...
    seeds = [line.split()[3] for line in done.stderr.splitlines() if line.startswith("[")]
    assert seeds == ["0", "0", "1"]
    records = load_results(runs).records
    assert {record.plan["sha256"] for record in records if record.plan} == {campaign.sha256}

    assert call_verb("campaign", ["status", str(folder)]) == 0
    assert call_verb("campaign", ["collect", str(folder)]) == 0
    copies = sorted(folder.glob("digits-*/seed*/record.json"))
    assert len(copies) == 3
    for copy in copies:
        for name in COPIED:
            original = runs / copy.parent.relative_to(folder) / name
            assert (copy.parent / name).read_bytes() == original.read_bytes()
    assert len(list(folder.glob("weights/*.safetensors"))) == 2
    for path in folder.glob("weights/*.safetensors"):
        kinds = {tensor.dtype for tensor in load_file(path).values()}
        assert "torch.float16" in map(str, kinds)
    assert not list(folder.rglob("*.ckpt"))
    assert [path.name for path in (folder / "tables").iterdir() if "11" in path.name] == [
        "table_11_digits_resnet11.md"
    ]
    account = (folder / "account.md").read_text()
    assert "| 1    |    1 |      0 |        1 |       0 |" in account
    assert load_results(folder).failures.keys() == load_results(runs).failures.keys()

    # Where only the collection is, as in a fresh clone, nothing is trained again.
    fresh = ["--results", "runs/fresh"]
    capsys.readouterr()
    for action in ("status", "train"):
        assert call_verb("campaign", [action, str(folder), *fresh]) == 0
        assert "3 done, 1 diverged, of 4 runs" in capsys.readouterr().out
    assert load_results(Path("runs/fresh")).records == load_results(folder).records

    # Collected again, everything stays; a run that was trained once more is not taken for it.
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    call_verb("campaign", ["collect", str(folder)])
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    record = runs / copies[0].relative_to(folder)
    content = json.loads(record.read_text())
    record.write_text(json.dumps({**content, "wall_s": content["wall_s"] + 1}))
    with pytest.raises(ConfigError, match="a run counts once"):
        call_verb("campaign", ["collect", str(folder)])
    # A later failure takes no record back, and what cannot be read is named and left out.
    record.unlink()
    write_status(
        record.parent, **read_status(record.parent) | {"state": "failed", "reason": "later"}
    )
    outcomes = runs / copies[1].parent.relative_to(folder) / "outcomes.npz"
    outcomes.unlink()
    call_verb("campaign", ["collect", str(folder)])
    assert f"skipped {outcomes}" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in before} == before
    # Nor does a later attempt take the place of a run that diverged.
    retried = RunFolder.of(diverged)
    retried.status_file.unlink()
    write_record(retried.path, record_of(diverged, seed=1, top1=1.0))
    retried.outcomes_file.write_bytes(b"outcomes")
    with pytest.raises(ConfigError, match="was collected as diverged"):
        call_verb("campaign", ["collect", str(folder)])


def test_a_campaign_that_was_not_planned_has_no_status(folder: Path) -> None:
    for action in ("status", "collect", "report"):
        with pytest.raises(ConfigError, match=r"campaign train studies/mine writes it"):
            call_verb("campaign", [action, str(folder)])
    with pytest.raises(ConfigError, match="give train, status, collect or report"):
        call_verb("campaign", ["statis", str(folder)])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("seeds: [0, 1]", "seeds: [0, 2]"),
        ("epochs=1", "epochs=2"),
        ("[0.5 because", "[0.1 because"),
    ],
)
def test_a_file_that_was_changed_after_the_plan_trains_nothing(
    folder: Path, old: str, new: str
) -> None:
    train(folder)
    (folder / "campaign.yaml").write_text(FILE.replace(old, new))
    git(Path(), "add", ".")
    git(Path(), "commit", "--quiet", "--message", "Plan")
    with pytest.raises(ConfigError, match=r"does not plan any more what plan\.yaml beside it"):
        train(folder)


def test_a_margin_that_was_moved_after_the_plan_trains_and_collects_nothing(folder: Path) -> None:
    train(folder)
    claims = folder / "claims.yaml"
    text = claims.read_text()
    claims.write_text(text.replace("margin_share: 0.5", "margin_share: 0.9"))
    assert claims.read_text() != text
    git(Path(), "add", ".")
    git(Path(), "commit", "--quiet", "--message", "Plan")
    for action in ("train", "collect"):
        with pytest.raises(ConfigError, match="no margin moved"):
            call_verb("campaign", [action, str(folder)])
    # Changed together with the tables' files it shows in its history.
    claims.write_text(text)
    with pytest.raises(ConfigError, match=r"claims\.yaml is not committed as it stands"):
        train(folder)
    claims.unlink()
    with pytest.raises(ConfigError, match="put it back as it was committed"):
        call_verb("campaign", ["collect", str(folder)])


def test_what_an_author_wrote_is_named_by_its_file(folder: Path) -> None:
    for old, new in (("+ablation=squeeze ", ""), ("0.5 because", "x because"), ("sq", "sqq")):
        (folder / "campaign.yaml").write_text(FILE.replace(old, new, 2))
        with pytest.raises(ConfigError, match=r"^studies/mine/campaign\.yaml: "):
            train(folder)
    assert not (folder / "plan.yaml").exists()


def test_a_folder_that_git_ignores_needs_no_commit_and_one_without_results_gives_none(
    folder: Path,
) -> None:
    Path(".gitignore").write_text("studies\n")
    train(folder)
    assert is_committed(folder / "plan.yaml") is None
    with pytest.raises(ConfigError, match="runs/mine holds no finished run of studies/mine"):
        call_verb("campaign", ["collect", str(folder)])


def test_runs_that_were_begun_or_planned_otherwise_are_no_campaigns(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["+ablation=squeeze", "recipe.epochs=1", "recipe.batch_size=256", "seed=1"]
    begun = finish(Path("runs/mine"), *words)
    with pytest.raises(ConfigError, match="seed1 was begun already"):
        train(folder)
    assert read_campaign(folder) is None
    RunFolder.of(begun).record_file.unlink()
    elsewhere = replace(begun, results_dir="runs/other")
    assert run_dir(elsewhere) != run_dir(begun)
    assert call_verb("campaign", ["train", str(folder), "--results", "runs/other"]) == 0
    git(Path(), "add", "studies")
    git(Path(), "commit", "--quiet", "--message", "Plan")
    finish(Path("runs/older"), *words)
    with pytest.raises(ConfigError, match="was not begun under the plan of mine"):
        call_verb("campaign", ["train", str(folder), "--results", "runs/older"])
    Path("runs/third").mkdir()
    Path("runs/third/plan.yaml").write_text("another: plan\n")
    with pytest.raises(ConfigError, match="another plan than the campaign's"):
        call_verb("campaign", ["train", str(folder), "--results", "runs/third"])
