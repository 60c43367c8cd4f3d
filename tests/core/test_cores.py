"""How many processes decode, by the cores that are there."""

from __future__ import annotations

import pytest

from senet_repro.core import cores


@pytest.mark.parametrize(
    ("given", "devices", "workers"),
    [(None, 1, 12), (None, 8, 1), (None, 16, 1), (None, 5, 2), (0, 1, 0), (3, 8, 3)],
)
def test_devices_share_the_cores_of_this_process_among_their_decoders(
    given: int | None, devices: int, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cores.os, "sched_getaffinity", lambda _: set(range(12)))
    assert cores.count_workers(given, devices) == workers
