import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from senet_repro.config.schema import Data
from senet_repro.data.batches import Batch
from senet_repro.data.crops import eval_transform, train_transform
from senet_repro.data.decode import decode_rgb
from senet_repro.data.folder import (
    FolderBatches,
    TrainFolderBatches,
    load_folders,
    load_part,
)
from senet_repro.data.order import EvalSteps, Share, TrainSteps

MakeData = Callable[..., Data]
WHOLE = Share()
SAMPLE = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "imagenet-sample"


@pytest.fixture
def data(make_data: MakeData, image_root: Path) -> Data:
    return make_data("imagenet", root=str(image_root))


def train_epoch(
    data: Data, epoch: int = 0, seed: int = 0, workers: int = 0, share: Share = WHOLE
) -> list[Batch]:
    files, _ = load_folders(data)
    steps = TrainSteps(len(files), 6, seed, share)
    batches = TrainFolderBatches(
        files, train_transform(data), steps, seed, workers, pin_memory=False
    )
    batches.set_epoch(epoch)
    return list(batches)


def eval_epoch(data: Data, workers: int = 0, share: Share = WHOLE) -> list[Batch]:
    _, files = load_folders(data)
    steps = EvalSteps(len(files), 6, share)
    return list(FolderBatches(files, eval_transform(data), steps, 0, workers, pin_memory=False))


def pixels(epoch: list[Batch]) -> Tensor:
    return torch.cat([images for images, _ in epoch])


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_evaluation_images_are_resized_as_pillow_does(data: Data, interpolation: str) -> None:
    file = Path(str(data.root)) / "val" / "n01" / "2.JPEG"
    found = eval_transform(data, interpolation)(decode_rgb(file.read_bytes())).int()
    with Image.open(file) as picture:
        scale = 28 / min(picture.size)
        sides = [28 if side * scale == 28 else int(side * scale) for side in picture.size]
        small = picture.resize((sides[0], sides[1]), Image.Resampling[interpolation.upper()])
    left, top = (round((side - 24) / 2) for side in sides)
    middle = torch.from_numpy(np.array(small.crop((left, top, left + 24, top + 24))))
    assert (found - middle.permute(2, 0, 1)).abs().max() <= 1
    # Pixels that are left out are other pixels.
    plain = eval_transform(data, interpolation, antialias=False)(decode_rgb(file.read_bytes()))
    assert (found - plain.int()).abs().float().mean() > 1


def test_an_evaluation_needs_no_training_part(data: Data) -> None:
    _, expected = load_folders(data)
    shutil.rmtree(Path(str(data.root)) / "train")
    found = load_part(data, "val")
    assert found.files.tolist() == expected.files.tolist()
    assert torch.equal(found.labels, expected.labels)
    with pytest.raises(ValueError, match=r"no class folders in .*train"):
        load_folders(data)


def test_files_are_listed_by_class(data: Data) -> None:
    train, val = load_folders(data)
    assert train.labels.tolist() == [0] * 4 + [1] * 4
    assert val.labels.tolist() == [0] * 3 + [1] * 3
    assert train.files[5].endswith(b"train/n02/1.JPEG")


def test_a_part_of_imagenet_has_the_labels_of_the_whole(data: Data, image_root: Path) -> None:
    for part in ("train", "val"):
        (image_root / part / "n01").rename(image_root / part / "n01443537")
        (image_root / part / "n02").rename(image_root / part / "n01491361")
        shutil.copytree(image_root / part / "n01443537", image_root / part / "n01484850")
    _, labels = zip(*eval_epoch(data), strict=True)
    # A network that always says class 3, which is the last of the three.
    errors = torch.cat(labels) != 3
    assert round(100 * errors.double().mean().item(), 2) == 66.67


def test_batches_have_the_promised_form(data: Data) -> None:
    for images, labels in train_epoch(data) + eval_epoch(data):
        assert images.shape == (6, 3, 24, 24)
        assert images.dtype == torch.uint8
        assert images.is_contiguous(memory_format=torch.channels_last)
        assert labels.shape == (6,)
    assert len(train_epoch(data)) == 1  # 8 images, the last 2 dropped


def test_an_epoch_follows_from_seed_and_epoch_whatever_the_workers(data: Data) -> None:
    first = pixels(train_epoch(data, epoch=3, seed=1))
    torch.manual_seed(7)
    state = torch.get_rng_state()
    assert torch.equal(first, pixels(train_epoch(data, epoch=3, seed=1)))
    assert torch.equal(state, torch.get_rng_state())
    assert torch.equal(first, pixels(train_epoch(data, epoch=3, seed=1, workers=2)))
    assert not torch.equal(first, pixels(train_epoch(data, epoch=4, seed=1)))
    assert not torch.equal(first, pixels(train_epoch(data, epoch=3, seed=2)))


def test_workers_persist_over_epochs_and_obey_set_epoch(data: Data) -> None:
    files, _ = load_folders(data)
    steps = TrainSteps(len(files), 6, 0, Share())
    batches = TrainFolderBatches(files, train_transform(data), steps, 0, 1, pin_memory=False)
    for epoch in (0, 5):
        iterator = iter(batches)
        batches.set_epoch(epoch)  # after iter(), as Lightning does when it resumes
        assert torch.equal(pixels(list(iterator)), pixels(train_epoch(data, epoch=epoch)))


@pytest.mark.parametrize("world_size", [2, 3])
def test_ranks_together_see_the_single_process_batch(world_size: int, data: Data) -> None:
    ranks = [train_epoch(data, share=Share(rank, world_size)) for rank in range(world_size)]
    assert torch.equal(pixels(train_epoch(data)), torch.cat([pixels(rank) for rank in ranks]))


@pytest.mark.parametrize("world_size", [1, 2, 4])
def test_evaluation_sees_each_image_once(
    world_size: int, make_data: MakeData, image_root: Path
) -> None:
    (
        image_root / "val" / "n01" / "2.JPEG"
    ).unlink()  # 5 images, which no world size here divides but 1
    data = make_data("imagenet", root=str(image_root))
    files = load_folders(data)[1]
    transform = eval_transform(data)
    expected = [transform(decode_rgb(Path(f.decode()).read_bytes())) for f in files.files]
    steps = [EvalSteps(5, 4, Share(rank, world_size)) for rank in range(world_size)]
    assert sorted(i for share in steps for step in share for _, i in step) == list(range(5))
    for rank, share in enumerate(steps):
        batches = FolderBatches(files, transform, share, 0, 0, pin_memory=False)
        epoch = list(batches)
        assert len(epoch) == len(batches)
        assert torch.equal(pixels(epoch), torch.stack(expected[rank::world_size]))


def test_evaluation_is_the_centre_of_the_resized_image(data: Data) -> None:
    image = decode_rgb(Path(f"{data.root}/val/n01/0.JPEG").read_bytes())  # 30 x 44
    width = int(28 * 44 / 30)
    whole = interpolate(image[None].float(), (28, width), mode="bilinear", antialias=True)[0]
    left = round((width - 24) / 2)
    expected = whole[:, 2:26, left : left + 24]
    assert (eval_epoch(data)[0][0][0].float() - expected).abs().max() < 1.5


def test_without_a_resize_the_centre_is_cut_as_it_is(make_data: MakeData) -> None:
    image = torch.arange(3 * 30 * 30).view(3, 30, 30).to(torch.uint8)
    cut = eval_transform(make_data("imagenet", eval_resize_px=None))(image)
    assert torch.equal(cut, image[:, 3:27, 3:27])


@pytest.mark.parametrize("workers", [0, 1])
def test_a_corrupt_image_is_named_in_a_readable_message(workers: int, data: Data) -> None:
    file = Path(str(data.root)) / "val" / "n02" / "1.JPEG"
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(ValueError, match=rf"^{file} is not a readable image") as caught:
        eval_epoch(data, workers)
    assert "Traceback" not in str(caught.value)


def test_an_unset_root_says_what_to_give(make_data: MakeData) -> None:
    with pytest.raises(ValueError, match=r"give data\.root=DIR with DIR/train and DIR/val"):
        load_folders(make_data("imagenet"))


@pytest.mark.parametrize("part", ["train", "val"])
def test_a_missing_part_says_what_was_looked_for(part: str, data: Data) -> None:
    folder = Path(str(data.root)) / part
    shutil.rmtree(folder)
    with pytest.raises(ValueError, match=rf"looked for {folder}/<class>/\*.*; give data\.root=DIR"):
        load_folders(data)


def test_parts_of_different_classes_are_refused(data: Data) -> None:
    (Path(str(data.root)) / "val" / "n03").mkdir()
    with pytest.raises(ValueError, match="same class folders; n03 is in one only"):
        load_folders(data)


def test_an_empty_class_is_refused(data: Data) -> None:
    folder = Path(str(data.root)) / "train" / "n02"
    for file in folder.iterdir():
        file.rename(file.with_suffix(".txt"))
    with pytest.raises(ValueError, match=rf"no images in {folder}: looked for \*\.jpeg"):
        load_folders(data)


def test_too_many_classes_are_refused(make_data: MakeData, image_root: Path) -> None:
    with pytest.raises(ValueError, match=r"2 classes: give data\.classes=2"):
        load_folders(make_data("imagenet", root=str(image_root), classes=1))


def test_crops_that_nobody_stated_are_refused(make_data: MakeData) -> None:
    with pytest.raises(ValueError, match=r"give data\.crop_area and data\.crop_aspect"):
        train_transform(make_data("imagenet", crop_area=None))


@pytest.mark.skipif(not SAMPLE.is_dir(), reason=f"no ImageNet pictures in {SAMPLE}")
def test_real_pictures_are_read(tmp_path: Path, make_data: MakeData) -> None:
    for part in ("train", "val"):
        for source in sorted(SAMPLE.iterdir())[:6]:
            (tmp_path / part).mkdir(exist_ok=True)
            (tmp_path / part / source.name).symlink_to(source)
    data = make_data("imagenet", root=str(tmp_path), train_px=224, eval_px=224, eval_resize_px=256)
    for images, labels in train_epoch(data) + eval_epoch(data):
        assert images.shape == (6, 3, 224, 224)
        # Their places among the 1,000 classes.
        assert sorted(labels.tolist()) == [4, 9, 14, 19, 24, 29]
        assert images.float().std() > 20


OUTLIVE = """
import os, signal, sys
from senet_repro.data.folder import FileSet, TrainFolderBatches
from senet_repro.data.order import Share, TrainSteps
import numpy as np, torch
files = FileSet(np.array([os.fsencode(name) for name in sys.argv[1:]]), torch.arange(len(sys.argv) - 1))
same_size = lambda image, seed: image[:, :20, :20]
steps = TrainSteps(len(files), 2, 0, Share())
batches = TrainFolderBatches(files, same_size, steps, 0, 1, pin_memory=False)
mine = iter(batches)
next(mine)
(worker,) = (worker.pid for worker in batches._loader._iterator._workers)
for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR2):
    os.kill(worker, signum)
assert len(list(mine)) == 3
print("all came")
"""


def test_workers_outlive_the_signals_that_stop_training_and_not_their_process(
    image_root: Path,
) -> None:
    files = sorted(map(str, (image_root / "train").rglob("*.JPEG")))
    command = [sys.executable, "-c", OUTLIVE, *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (0, "all came\n"), done.stderr
