from pathlib import Path

import pytest
import torch

from senet_repro.benchmarks import input as bench
from senet_repro.benchmarks.options import BenchOptions


@pytest.mark.slow
@pytest.mark.alone
def test_ours_is_many_times_faster_than_one_image_at_a_time() -> None:
    measured = bench.measure_cifar(bench.random_images(6_000), rounds=3, steps=8)
    assert measured.meets_goal  # about 40 on an idle machine


def test_pictures_are_measured_where_there_are_some(image_root: Path) -> None:
    threads = torch.get_num_threads()
    options = BenchOptions(is_quick=True, data_root=str(image_root))
    measured = bench.measure_input(options)
    assert [one.goal for one in measured] == [10, 1.5, 0.6]
    assert all(one.ours > 0 and one.is_more_better for one in measured)
    assert torch.get_num_threads() == threads


def test_a_folder_without_pictures_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (one,) = bench.measure_input(BenchOptions(is_quick=True, data_root=str(tmp_path)))
    assert one.goal == 10
    assert f"no JPEG files below {tmp_path}" in capsys.readouterr().err


def test_other_pictures_are_not_timed(image_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "decode_file", lambda _: torch.zeros(3, 300, 300, dtype=torch.uint8))
    files = sorted(map(str, image_root.rglob("*.JPEG")))
    with pytest.raises(RuntimeError, match="central crops"):
        bench.measure_pictures(files, rounds=1)
