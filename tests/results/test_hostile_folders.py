"""Whatever lies in a results folder, every verb names what it cannot believe, and shows the rest."""

from __future__ import annotations

import json
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from senet_repro.cli.job import has_record
from senet_repro.cli.verbs import call_verb
from senet_repro.config.identity import run_dir
from senet_repro.core.errors import ConfigError
from senet_repro.core.printing import escape_controls
from senet_repro.results.plan import PLANS, read_plans, write_plan
from senet_repro.results.record import RecordError, read_record
from senet_repro.results.record_rules import MOST_DEPTH, RULES
from senet_repro.results.run_folder import RunFolder
from senet_repro.results.run_states import read_run_states
from senet_repro.results.store import load_results, read_status
from tests.folders import begin, finish, planned
from tests.records import record_of

DEEP = "[" * 5000 + "]" * 5000


def nest(depth: int) -> Any:
    value: Any = 0
    for _ in range(depth):
        value = [value]
    return value


# A field of the record, dotted, and a value that it cannot have.
IMPOSSIBLE: list[tuple[str, Any]] = [
    ("metrics.top1_err_pct", -50),
    ("metrics.top1_err_pct", 200),
    ("metrics.top1_err_pct", 1e308),
    ("metrics.top1_err_pct", True),
    ("metrics.top1_err_pct", float("nan")),
    ("metrics.loss", 10**400),
    ("metrics", {}),
    ("seed", -1),
    ("seed", True),
    ("seed", 2**64),
    ("params", -5),
    ("macs", 1.5),
    ("epochs", None),
    ("eval_images", -1),
    ("wall_s", -1),
    ("wall_s", float("inf")),
    ("images_per_s", "fast"),
    ("images_per_s", 1e308),
    ("name", "r16\x1b[2J"),
    ("name", "\u202ecilbup"),
    ("name", ""),
    ("run_key", 5),
    ("task", None),
    ("axes", [1]),
    ("axes.r", {"a": 1}),
    ("commit", 5),
    ("commit", "abc\n\x1b[31m"),
    ("dirty", "no"),
    ("versions", []),
    ("versions.torch", 2),
    ("hardware", "gpu"),
    ("hardware.device", {}),
    ("config", None),
    ("config.data", "digits"),
    ("config.data.note", 5),
    ("config.table", ["squeeze"]),
    ("config.protocol", "demo"),
    ("config.data.found", "digits"),
    ("protocol.data", "digits"),
    ("protocol.data.fingerprint", 5),
    ("protocol.model", None),
    ("protocol.se", 3),
    ("skipped", {"train": 3}),
    ("overrides", [1]),
    ("finished_at", 20260101),
    ("plan", []),
    ("plan", {"id": "a", "written_at": "b", "sha256": "c", "seeds": [-1], "tables": []}),
    ("plan", {"id": "a", "written_at": "b", "sha256": "c", "seeds": [], "tables": []}),
    (
        "plan",
        {
            "id": "a",
            "written_at": "b",
            "sha256": "c",
            "seeds": [0],
            "tables": [],
            "grows_from": 2**62,
        },
    ),
    ("outcomes", {"sha256": "0" * 64, "images": 3, "ranks": None}),
    ("outcomes", {"sha256": "../x", "images": 3, "ranks": 5}),
    ("outcomes", {"sha256": "0" * 64, "images": 3, "objects": 7, "found": -1}),
    ("outcomes", {"sha256": "0" * 64, "ranks": 5}),
    ("metrics_sha256", 7),
    ("schema_version", True),
    ("trainer", nest(MOST_DEPTH)),
]


def damage_field(path: Path, field: str, value: Any) -> None:
    """Put a value into a field of the record in a file."""
    data = json.loads(path.read_text())
    *parts, name = field.split(".")
    node = data
    for part in parts:
        node = node[part]
    node[name] = value
    path.write_text(json.dumps(data))


@pytest.mark.parametrize(("field", "value"), IMPOSSIBLE)
def test_a_value_that_cannot_be_is_named_with_its_field(
    field: str, value: Any, tmp_path: Path
) -> None:
    path = RunFolder.of(finish(tmp_path, "r=2")).record_file
    damage_field(path, field, value)
    with pytest.raises(RecordError, match=r"not a re(cord|adable)") as refused:
        read_record(path)
    assert str(path) in str(refused.value)
    assert escape_controls(str(refused.value)) == str(refused.value)
    assert load_results(tmp_path).records == []


def test_every_field_of_a_record_has_its_rule(tmp_path: Path) -> None:
    record = record_of(finish(tmp_path, "r=2"), seed=0, top1=1.0)
    assert set(asdict(record)) - {name.partition(".")[0] for name in RULES} <= {
        "schema_version",
        "folder",
        "origin",
    }


@pytest.mark.parametrize(
    "text",
    ["9" * 5000, DEEP, '{"schema_version": ' + "9" * 5000 + "}", '{"a": ' + DEEP + "}", "\udcff"],
    ids=["digits", "deep", "long version", "deep within", "no text"],
)
def test_a_file_that_no_parser_bears_is_named(text: str, tmp_path: Path) -> None:
    folder = RunFolder.of(begin(tmp_path, "r=2"))
    for file in (folder.record_file, folder.status_file, folder.epochs_file):
        file.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(RecordError):
        read_record(folder.record_file)
    assert read_status(folder.path) == {}
    _, messages = read_run_states(tmp_path)
    assert len(messages) == 1


def test_another_runs_record_is_not_this_runs(tmp_path: Path) -> None:
    own, other = finish(tmp_path, "r=2"), finish(tmp_path, "r=16")
    shutil.copy(RunFolder.of(other).record_file, RunFolder.of(own).record_file)
    assert not has_record(run_dir(own))
    with pytest.raises(RecordError, match=r"the record of run .*, in the folder of another"):
        read_record(RunFolder.of(own).record_file)


def test_another_seeds_record_is_not_this_seeds(tmp_path: Path) -> None:
    own, other = finish(tmp_path, "r=2"), finish(tmp_path, "r=2", "seed=7")
    shutil.copy(RunFolder.of(other).record_file, RunFolder.of(own).record_file)
    with pytest.raises(RecordError, match="the record of seed 7, in the folder of another"):
        read_record(RunFolder.of(own).record_file)


@pytest.mark.parametrize(
    ("epochs", "is_believed"),
    [
        ('{"epoch": 1, "top1_err_pct": 9.0}\n{"epoch": 2, "top1_err_pct": 1.0}\n', True),
        ('{"epoch": 1, "top1_err_pct": 1.0}\n{"epoch": 2, "top1_err_pct": 9.0}\n', False),
        ('{"epoch": 2, "top1_err_pct": "good"}\n', False),
        ("", True),
    ],
)
def test_the_last_epoch_is_the_result(epochs: str, is_believed: bool, tmp_path: Path) -> None:
    run = finish(tmp_path, "r=2")
    RunFolder.of(run).epochs_file.write_text(epochs)
    assert has_record(run_dir(run)) == is_believed


def test_a_results_folder_may_be_moved_and_hold_copies_of_records_alone(tmp_path: Path) -> None:
    run = finish(tmp_path / "runs", "r=2")
    copied = tmp_path / "moved" / run_dir(run).relative_to(tmp_path / "runs")
    copied.mkdir(parents=True)
    shutil.copy(RunFolder.of(run).record_file, copied)
    assert len(load_results(tmp_path / "moved").records) == 1


def fill_hostile(results_dir: Path) -> list[str]:
    """Fill a results folder with a good run and with every obstacle; returns what must be named."""
    finish(results_dir, "r=16")
    (results_dir / "itself").symlink_to("itself")
    (results_dir / "around").symlink_to(results_dir)
    (results_dir / "nowhere").symlink_to("gone")
    run = results_dir / "x-12345678"
    run.mkdir()
    (run / "seed3").symlink_to(run)
    pipe = RunFolder.of(finish(results_dir, "r=2"))
    for file in (pipe.record_file, pipe.status_file, pipe.epochs_file, pipe.settings_file):
        file.unlink(missing_ok=True)
        os.mkfifo(file)
    os.mkfifo(pipe.lock_file)
    named = [results_dir / "itself", results_dir / "around", results_dir / "nowhere", run / "seed3"]
    socketed = RunFolder.of(begin(results_dir, "r=4", state="failed", reason="\x1b[2J\u202e gone"))
    bind_socket(socketed.record_file)
    linked = RunFolder.of(begin(results_dir, "r=8"))
    linked.record_file.symlink_to("gone")
    named += [pipe.record_file, socketed.record_file, linked.record_file]
    plans = results_dir / PLANS
    plans.mkdir()
    (plans / "dangling.json").symlink_to("gone")
    os.mkfifo(plans / "pipe.json")
    return [str(path) for path in named]


def bind_socket(path: Path) -> None:
    """Leave a socket at a path, whose name may be longer than those of sockets may be."""
    with tempfile.TemporaryDirectory() as short, socket.socket(socket.AF_UNIX) as server:
        server.bind(f"{short}/s")
        Path(short, "s").rename(path)


def test_every_verb_names_what_it_skips_and_shows_the_rest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setattr("senet_repro.cli.wandb_copies.write_offline_runs", lambda _: None)
    named = fill_hostile(tmp_path)
    shown = {"table": "### Table 10", "verdict": "Table 10", "status": "1 of ", "prune": ""}
    for verb, text in {**shown, "power": "", "publish": ""}.items():
        flags = ["--yes"] if verb == "prune" else []
        assert call_verb(verb, ["--results", str(tmp_path), *flags]) in (0, 1)
        printed = "".join(capsys.readouterr())
        assert text in printed
        assert "\x1b" not in printed
        assert "\u202e" not in printed
        for name in named:
            assert f"{name}:" in printed, verb
    assert len(load_results(tmp_path).records) == 1


def test_plans_of_other_forms_are_named(tmp_path: Path) -> None:
    run = begin(tmp_path, "r=2")
    good = write_plan(tmp_path, [planned(run)])
    plan = json.loads(good.read_text())
    changes = ({"folder": "/etc"}, {"folder": "../x"}, {"name": 5}, {"seed": -1}, {"overrides": 1})
    for number, change in enumerate(changes):
        bad = {**plan, "runs": [{**plan["runs"][0], **change}]}
        good.with_name(f"bad{number}.json").write_text(json.dumps(bad))
    runs, messages = read_plans(tmp_path)
    assert runs == [planned(run)]
    assert len(messages) == len(changes)


@pytest.mark.parametrize(
    "verb", ["table", "verdict", "power", "status", "prune", "report", "publish"]
)
@pytest.mark.parametrize("place", ["gone", "file"])
def test_a_results_folder_that_is_none_is_refused(verb: str, place: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    flags = ["--strict"] if verb == "verdict" else []
    with pytest.raises(ConfigError, match="there is no folder"):
        call_verb(verb, ["--results", str(tmp_path / place), *flags])


@contextmanager
def as_nobody() -> Iterator[None]:
    """Be an ordinary user for a while; root may read everything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def public_dir() -> Iterator[Path]:
    """A folder that every user may enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


FORBIDDEN: dict[str, Callable[[RunFolder], Path]] = {
    "run": lambda folder: folder.path.parent,
    "seed": lambda folder: folder.path,
    "record": lambda folder: folder.record_file,
    "status": lambda folder: folder.status_file,
    "lock": lambda folder: folder.lock_file,
    "checkpoints": lambda folder: folder.checkpoints,
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_what_a_user_may_not_read_is_named_and_costs_nobody_else(
    what: str, public_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    finish(public_dir, "r=16")
    run = begin(public_dir, "r=2", checkpoint=False)
    folder = RunFolder.of(run)
    folder.lock_file.touch()
    if what == "record":
        folder.record_file.touch()
    if what in ("run", "lock"):
        write_plan(public_dir, [planned(run)])
    secret = FORBIDDEN[what](folder)
    secret.chmod(0o000)
    with as_nobody():
        results = load_results(public_dir)
        assert len(results.records) == 1
        (message,) = results.unreadable
        assert message.startswith(f"{secret}: no permission to read it")
        for verb, shown in {"status": "1 of 1 done", "prune": "nothing to remove"}.items():
            assert call_verb(verb, ["--results", str(public_dir)]) == 0
            out, err = capsys.readouterr()
            assert shown in out
            assert err.count(f"{secret}: no permission to read it; its owner can give it") == 1
    secret.chmod(0o755)
    assert folder.path.is_dir()


def test_a_results_folder_that_a_user_may_not_enter_is_refused(public_dir: Path) -> None:
    closed = public_dir / "runs"
    closed.mkdir(mode=0o000)
    with as_nobody(), pytest.raises(ConfigError, match="no permission to read it"):
        call_verb("status", ["--results", str(closed)])


def test_a_run_that_cannot_be_removed_is_named_and_the_others_go(
    public_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for reduction in ("r=2", "r=4"):
        kept = run_dir(begin(public_dir, reduction, state="failed"))
        kept.parent.chmod(0o555)
    with as_nobody():
        assert call_verb("prune", ["--yes", "--results", str(public_dir)]) == 1
    out, err = capsys.readouterr()
    assert "removed 0 of 2" in out
    assert f"not removed: {kept}: Permission denied" in err


def test_a_run_beside_a_foreign_record_is_not_counted_as_finished(tmp_path: Path) -> None:
    run = finish(tmp_path, "r=2")
    foreign = replace(record_of(run, seed=0, top1=1.0), seed=3)
    RunFolder.of(run).record_file.write_text(json.dumps(asdict(foreign)))
    (state,), messages = read_run_states(tmp_path)
    assert state.state != "done"
    assert "the record of seed 3" in messages[0]
