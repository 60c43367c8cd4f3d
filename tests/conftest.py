"""Every test runs without a key, a network or a home directory to write to."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image_sets import image_root, make_data, make_images, png, write_parquet  # noqa: F401

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
def _no_process_is_left() -> Iterator[None]:
    yield
    from tests.cli.sweeps import end_what_is_left

    end_what_is_left()


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
