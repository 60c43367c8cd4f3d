"""The commit that a record names: of the checkout, or as the environment states it where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from senet_repro.core import checkout
from senet_repro.core.checkout import COMMIT_VARIABLE, Commit, is_committed, read_commit
from senet_repro.core.errors import ConfigError
from tests.checkouts import git

REVISION = "0123456789abcdef" * 2 + "01234567"


@pytest.fixture(autouse=True)
def _without_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    copied = tmp_path / "senet_repro" / "core" / "checkout.py"
    monkeypatch.setattr(checkout, "__file__", str(copied))
    read_commit.cache_clear()
    yield
    read_commit.cache_clear()


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        (None, Commit(None, None)),
        ("", Commit(None, None)),
        (REVISION, Commit(REVISION, dirty=False)),
        (f"{REVISION}-dirty", Commit(REVISION, dirty=True)),
    ],
)
def test_files_without_git_are_of_the_commit_that_is_stated(
    stated: str | None, expected: Commit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(COMMIT_VARIABLE, raising=False)
    if stated is not None:
        monkeypatch.setenv(COMMIT_VARIABLE, stated)
    assert read_commit() == expected


@pytest.mark.parametrize("stated", ["main", REVISION[:-1], REVISION.upper(), f"{REVISION}-clean"])
def test_what_is_no_commit_is_refused(stated: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(COMMIT_VARIABLE, stated)
    with pytest.raises(ConfigError, match=f"{COMMIT_VARIABLE}={stated}: give the 40 hexadecimal"):
        read_commit()


def test_a_checkout_knows_its_own_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(COMMIT_VARIABLE, REVISION)
    (tmp_path / ".git").mkdir()
    # No repository that git can read: then nothing is known.
    assert read_commit() == Commit(None, None)


def test_commits_and_changes_that_are_no_code_leave_the_commit_as_it_is(tmp_path: Path) -> None:
    def read_anew() -> Commit:
        read_commit.cache_clear()
        return read_commit()

    code, account = tmp_path / "senet_repro" / "core" / "checkout.py", tmp_path / "account.md"
    code.parent.mkdir(parents=True)
    for path in (code, account):
        path.write_text("first")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "The code")
    revision = git(tmp_path, "rev-parse", "HEAD")
    assert read_anew() == Commit(revision, dirty=False)
    account.write_text("collected")
    assert read_anew() == Commit(revision, dirty=False)
    git(tmp_path, "commit", "--quiet", "--all", "--message", "Results")
    assert read_anew() == Commit(revision, dirty=False)
    code.write_text("second")
    assert read_anew() == Commit(revision, dirty=True)
    git(tmp_path, "commit", "--quiet", "--all", "--message", "Other code")
    assert read_anew() == Commit(git(tmp_path, "rev-parse", "HEAD"), dirty=False)


def test_a_file_is_committed_only_as_it_stands(tmp_path: Path) -> None:
    path, ignored = tmp_path / "plan.yaml", tmp_path / "ignored.yaml"
    path.write_text("first")
    ignored.write_text("first")
    assert is_committed(path) is None
    git(tmp_path, "init", "--quiet")
    (tmp_path / ".gitignore").write_text("ignored.yaml\n")
    assert is_committed(ignored) is None
    assert is_committed(path) is False
    # Git may be told to say nothing of files that it does not track.
    git(tmp_path, "config", "status.showUntrackedFiles", "no")
    assert is_committed(path) is False
    git(tmp_path, "add", "plan.yaml")
    assert is_committed(path) is False
    git(tmp_path, "commit", "--quiet", "--message", "Plan")
    assert is_committed(path) is True
    path.write_text("second")
    assert is_committed(path) is False
