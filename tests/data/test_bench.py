import pytest
import torch

from senet_repro.data.bench import InputSpeed, measure_input, random_images


def test_speedup_is_the_ratio() -> None:
    assert InputSpeed(per_image_per_s=2.0, batched_per_s=30.0).speedup == 15.0


@pytest.mark.slow
@pytest.mark.alone
def test_ours_is_many_times_faster_than_one_image_at_a_time() -> None:
    threads = torch.get_num_threads()
    speed = measure_input(random_images(6_000), rounds=3, per_image_steps=8)
    assert speed.speedup >= 10  # about 35 on an idle machine
    assert torch.get_num_threads() == threads
