"""Folders are read as they were committed, by git's own names, from wherever in the checkout."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from senet_repro.core.committed_folder import (
    extract_tree,
    find_commit,
    find_committed_path,
    find_tree,
    list_files_named,
)
from tests.checkouts import git


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    git(tmp_path, "init", "--quiet")
    for name in ("results/a/one.txt", "results/b/two.txt", "other/one.txt"):
        file = tmp_path / name
        file.parent.mkdir(parents=True)
        file.write_text(name)
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "first")
    (tmp_path / "results/a/one.txt").write_text("changed since")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read_files(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files}


@pytest.mark.parametrize(
    ("place", "name"),
    [("", "HEAD:results"), ("results", "HEAD:results"), ("results", "HEAD:./")],
)
def test_a_folder_is_read_as_it_was(
    place: str, name: str, checkout: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(checkout / place)
    tree = find_tree(name)
    assert tree is not None
    target = tmp_path / "target"
    extract_tree(tree, target, lambda path: path.name == "one.txt")
    assert read_files(target) == {"a/one.txt": "results/a/one.txt"}


@pytest.mark.parametrize(
    "name", ["nowhere", "HEAD:nowhere", "HEAD:other/one.txt", "-HEAD", "", "a\0b", "0" * 40]
)
def test_what_is_no_committed_folder_is_none(name: str, checkout: Path) -> None:
    assert find_tree(name) is None


def test_revisions_name_commits(checkout: Path) -> None:
    commit = find_commit("HEAD")
    assert commit == git(checkout, "rev-parse", "HEAD") == find_commit(commit[:7])
    assert find_commit("HEAD:results") is None
    git(checkout, "tag", "--annotate", "--message", "a tag", "v1")
    assert find_commit("v1") == commit
    assert find_commit("HEAD@{now}") == commit
    assert find_commit("HEAD@{now}:results") is None
    assert find_tree("HEAD@{now}:results") == find_tree("v1:results")
    found = list_files_named(commit, "one.txt")
    assert found == [PurePosixPath("other/one.txt"), PurePosixPath("results/a/one.txt")]


def test_paths_are_those_of_the_checkout(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.chdir(checkout / "results")
    assert find_committed_path(Path("a")) == "results/a"
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    assert find_committed_path(elsewhere) is None
    monkeypatch.chdir(elsewhere)
    assert find_commit("HEAD") is None
    with pytest.raises(OSError, match="git has no checkout around this folder"):
        find_committed_path(elsewhere)
