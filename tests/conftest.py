"""Every test runs without a key, a network or a home directory to write to."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.image_sets import image_root, make_data, make_images, png, write_parquet  # noqa: F401

if TYPE_CHECKING:
    from tests.commands import InProcess

ROOT = Path(__file__).resolve().parent.parent
SHARED_DATA = ROOT.parent / "shared" / "data"


@pytest.fixture(autouse=True)
def _nothing_leaves_the_test(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for variable in ("WANDB_API_KEY", "WANDB_MODE", "WANDB_BASE_URL"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path_factory.getbasetemp() / "home"))


@pytest.fixture(autouse=True)
def _no_work_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no command of this process say what it is busy with, which it would on a busy machine alone."""
    from senet_repro.core import slow_work

    monkeypatch.setattr(slow_work, "FIRST_S", 3600.0)


@pytest.fixture(autouse=True)
def _no_process_is_left() -> Iterator[None]:
    yield
    from tests.commands import kill_remaining

    kill_remaining()


@pytest.fixture(autouse=True)
def _every_test_has_a_deadline(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that hangs, wherever it waits; the gate must end on every machine."""
    takes_long = any(map(request.node.get_closest_marker, ("faults", "lengthy")))
    limit_s = 1800 if takes_long else 600

    def fail(_signum: int, _frame: object) -> None:
        pytest.fail(f"not done after {limit_s} s")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(limit_s)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def answer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> InProcess:
    """Answer commands that do not train, in this process."""
    from tests.commands import InProcess

    return InProcess(monkeypatch, capsys, tmp_path / "fonts")


@pytest.fixture
def ends() -> Iterator[None]:
    """Let SIGTERM end what it meets, as it does for the command line."""
    from senet_repro.core.errors import Stopped

    def end(signum: int, _frame: object) -> None:
        raise Stopped(signum)

    before = signal.signal(signal.SIGTERM, end)
    yield
    signal.signal(signal.SIGTERM, before)


def pytest_configure() -> None:
    """Let the commands that tests start hear Ctrl-C also where a script runs the tests in its background."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Bit-equality and speed on tiny networks: one thread is steady and, for them, fastest."""
    from senet_repro.core.threads import cpu_threads

    with cpu_threads(1):
        yield
