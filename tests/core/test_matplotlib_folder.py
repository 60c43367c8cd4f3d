"""matplotlib's folder: never at home, nobody else's, and none of a user's own choice is touched."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

import pytest

from senet_repro.core.errors import ConfigError
from senet_repro.core.matplotlib_folder import VARIABLE, set_matplotlib_folder


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    # Set first, so that what the tests put there goes again.
    monkeypatch.setenv(VARIABLE, "")
    monkeypatch.delenv(VARIABLE)
    return tmp_path


def test_every_process_of_a_user_shares_a_private_folder(temporary: Path) -> None:
    own = temporary / f"senet_repro-{os.getuid()}"
    for _ in range(2):
        set_matplotlib_folder()
        assert os.environ.pop(VARIABLE) == str(own / "matplotlib")
    assert list(temporary.iterdir()) == [own]
    assert stat.S_IMODE(own.stat().st_mode) == 0o700


@pytest.mark.parametrize("trap", ["link", "open to all"])
def test_a_folder_that_others_could_have_prepared_is_not_used(temporary: Path, trap: str) -> None:
    expected = temporary / f"senet_repro-{os.getuid()}"
    if trap == "link":
        (temporary / "elsewhere").mkdir()
        expected.symlink_to(temporary / "elsewhere")
    else:
        expected.mkdir()
        expected.chmod(0o777)
    set_matplotlib_folder()
    used = Path(os.environ[VARIABLE]).parent
    assert used != expected
    assert stat.S_IMODE(used.stat().st_mode) == 0o700


def test_the_users_own_choice_stays(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "/somewhere")
    set_matplotlib_folder()
    assert os.environ[VARIABLE] == "/somewhere"
    assert list(temporary.iterdir()) == []


def test_without_any_folder_for_temporary_files_the_mend_is_named(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find_nothing() -> str:
        raise FileNotFoundError(2, "No usable temporary directory found in ['/tmp']")

    monkeypatch.setattr(tempfile, "gettempdir", find_nothing)
    with pytest.raises(ConfigError, match="give TMPDIR=DIR"):
        set_matplotlib_folder()
