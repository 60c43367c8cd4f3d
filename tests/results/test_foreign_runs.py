"""Of a folder of somebody else's only what may be read is read, and no more than a run has."""

from __future__ import annotations

from pathlib import Path

import pytest

from senet_repro.core.errors import ConfigError
from senet_repro.results import foreign_runs
from senet_repro.results.foreign_runs import copy_files, list_foreign_runs
from senet_repro.results.run_folder import RunFolder


def test_links_hidden_folders_and_odd_names_are_no_runs(tmp_path: Path) -> None:
    for name in ("run/seed0", "run/seed12", "run/seed01", "run/seedy", ".cache/seed0"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "reported/lab/run/seed0").mkdir(parents=True)
    (tmp_path / "linked").symlink_to(tmp_path / "run")
    (tmp_path / "run/seed3").symlink_to(tmp_path / "run/seed0")
    found = list_foreign_runs(tmp_path)
    assert found.paths == [tmp_path / "run/seed0", tmp_path / "run/seed12"]
    assert sorted(problem.partition(":")[0] for problem in found.problems) == [
        f"{tmp_path}/linked",
        f"{tmp_path}/run/seed3",
    ]


def test_a_folder_with_more_entries_than_a_campaign_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(foreign_runs, "MOST_FOLDERS", 2)
    for number in range(3):
        (tmp_path / f"run{number}").mkdir()
    with pytest.raises(ConfigError, match="more than 2 entries"):
        list_foreign_runs(tmp_path)


def test_three_files_are_copied_and_nothing_else(tmp_path: Path) -> None:
    source = RunFolder(tmp_path / "theirs")
    source.path.mkdir()
    files = (source.record_file, source.epochs_file, source.outcomes_file)
    for file in (*files, source.settings_file, source.status_file, source.starts_file):
        file.write_text(file.name)
    copy_files(source.path, tmp_path / "run/seed0")
    copied = sorted((tmp_path / "run/seed0").iterdir())
    assert [path.name for path in copied] == sorted(file.name for file in files)
    assert all(path.read_text() == path.name for path in copied)
