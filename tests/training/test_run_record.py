"""A record holds everything an epoch measured, and what the trainer really did."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torchmetrics import Metric as TorchMetric

from senet_repro.config.schema import Run
from senet_repro.core.errors import ConfigError
from senet_repro.core.signals import Deferral
from senet_repro.data.sets import load_in_memory
from senet_repro.results.epochs import BOOKKEEPING, read_epochs
from senet_repro.results.metrics import Metric
from senet_repro.results.outcomes import load_outcomes, pack_outcomes
from senet_repro.results.record import Record, read_record
from senet_repro.results.run_folder import RunFolder
from senet_repro.tasks.classification import TASK, ClassificationTask
from senet_repro.tasks.classification.module import Classification
from senet_repro.tasks.classification.outcome_log import OutcomeLog
from senet_repro.training import surroundings
from senet_repro.training.fit import build_trainer, fit
from senet_repro.training.run_record import find_best_epoch, read_outcomes_of
from senet_repro.training.surroundings import trainer_settings
from senet_repro.training.task import describe_metrics
from tests.records import compose_once
from tests.training.runs import small, timeless_epochs

pytestmark = pytest.mark.usefixtures("one_thread")


class Confidence(TorchMetric):
    """The mean of the greatest probabilities, in percent."""

    total: Tensor
    images: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name in ("total", "images"):
            self.add_state(name, torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, logits: Tensor, images: int) -> None:
        self.total += logits.softmax(1).amax(1).sum()
        self.images += images

    def compute(self) -> Tensor:
        return 100 * self.total / self.images


class ConfidentTask(ClassificationTask):
    """Classification with a metric more, which tables do not print."""

    metrics = (
        *TASK.metrics,
        Metric(key="confidence", label="confidence", better="higher", is_printed=False),
    )

    def build_module(self, run: Run, net: nn.Module) -> Classification:
        module = Classification(net, run.recipe, run.seed)
        module.train_metrics["confidence_pct"] = Confidence()
        module.eval_metrics["confidence_pct"] = Confidence()
        return module


def train(run: Run, task: ClassificationTask, folder: Path) -> Record:
    fit(run, task, folder, Deferral(), overrides=["r=16"])
    return read_record(RunFolder(folder).record_file)


def test_a_metric_that_is_not_printed_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gathered = count_calls(monkeypatch, OutcomeLog, "gather_images")
    run = small(tmp_path)
    record = train(run, ConfidentTask(), tmp_path)
    # Of three epochs only the last one keeps outcomes.
    assert len(gathered) == 1
    check_outcomes(record)
    last = read_epochs(tmp_path)[-1]
    kept = {name for name in record.metrics if not name.startswith("best_")}
    assert kept == last.keys() - set(BOOKKEEPING)
    assert {"confidence_pct", "train_confidence_pct"} < kept
    assert 10 < record.metrics["confidence_pct"] < 100
    best = {name for name in record.metrics if name.startswith("best_")}
    assert best == {"best_top1_err_pct", "best_top5_err_pct"}
    line = describe_metrics(ConfidentTask(), record.metrics)
    top1, top5 = record.metrics["top1_err_pct"], record.metrics["top5_err_pct"]
    assert line == f"top-1 err {top1:.2f} %  top-5 err {top5:.2f} %"
    assert (record.overrides, record.task) == (["r=16"], "classification")


def count_calls(monkeypatch: pytest.MonkeyPatch, owner: type, name: str) -> list[int]:
    calls: list[int] = []
    original = getattr(owner, name)

    def call_counted(*arguments: Any) -> Any:
        calls.append(1)
        return original(*arguments)

    monkeypatch.setattr(owner, name, call_counted)
    return calls


def check_outcomes(record: Record) -> None:
    """Outcomes lie beside the record, and its errors are theirs."""
    found = load_outcomes(record)
    assert found is not None
    assert record.outcomes == found.summarise()
    assert found.likeliest.shape == (record.eval_images, 5)
    labels = load_in_memory(compose_once().data).test.labels
    assert found.labels.tolist() == labels.tolist()
    for k in (1, 5):
        error_pct = 100 * (1 - found.list_hits(k).mean())
        assert record.metrics[f"top{k}_err_pct"] == pytest.approx(error_pct, rel=1e-12)


def test_outcomes_of_another_evaluation_make_no_record(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    epoch = {"top1_err_pct": 50.0, "top5_err_pct": 0.0, "loss": 1.0}
    # A task that keeps none.
    assert read_outcomes_of(folder, epoch, TASK) is None
    outcomes = pack_outcomes(np.array([0, 1]), np.array([[0, 1], [0, 1]]))
    outcomes.write_into(tmp_path)
    found = read_outcomes_of(folder, epoch, TASK)
    assert found is not None
    assert found.summary == outcomes.summarise()
    assert found.measured == {"top1_err_pct": 50, "top5_err_pct": 0}
    with pytest.raises(ConfigError, match=r"a top1_err_pct of 50, and the last epoch of .* 75"):
        read_outcomes_of(folder, {**epoch, "top1_err_pct": 75.0}, TASK)


def test_a_metric_that_is_named_and_not_measured_is_an_error_before_training(
    tmp_path: Path,
) -> None:
    class Forgetful(ConfidentTask):
        def build_module(self, run: Run, net: nn.Module) -> Classification:
            return Classification(net, run.recipe, run.seed)

    with pytest.raises(ValueError, match="does not measure confidence_pct: give TaskModule"):
        train(small(tmp_path), Forgetful(), tmp_path)


def test_another_metric_changes_no_number(tmp_path: Path) -> None:
    runs = {name: small(tmp_path / name) for name in ("plain", "confident")}
    tasks = {"plain": TASK, "confident": ConfidentTask()}
    for name, run in runs.items():
        RunFolder.of(run).path.mkdir(parents=True)
        train(run, tasks[name], RunFolder.of(run).path)
    confident = [
        {name: value for name, value in epoch.items() if "confidence" not in name}
        for epoch in timeless_epochs(runs["confident"])
    ]
    assert confident == timeless_epochs(runs["plain"])


def test_the_best_epoch_is_that_of_the_headline_and_ties_go_by_the_next() -> None:
    errors = [Metric(key="top1", label="top-1"), Metric(key="top5", label="top-5")]
    epochs = [
        {"epoch": epoch, "top1_pct": top1, "top5_pct": top5}
        for epoch, (top1, top5) in enumerate([(3, 0), (2, 2), (2, 1), (2, 1)])
    ]
    assert find_best_epoch(epochs, errors)["epoch"] == 2
    precision = Metric(key="top1", label="precision", better="higher")
    assert find_best_epoch(epochs, [precision])["epoch"] == 0


def settings_of(tmp_path: Path, *overrides: str) -> dict[str, Any]:
    run = small(tmp_path, *overrides)
    return trainer_settings(run, build_trainer(run, []))


def test_settings_in_force_are_recorded(tmp_path: Path) -> None:
    assert settings_of(tmp_path) == {
        "accumulate": 1,
        "sync_bn": False,
        "compile": False,
        "graph": False,
        "precision": "32-true",
        "channels_last": True,
        "threads": 1,
        "tf32": False,
        "deterministic": False,
    }
    changed = settings_of(
        tmp_path,
        "trainer.precision=bf16-mixed",
        "trainer.accumulate=2",
        "trainer.channels_last=false",
    )
    assert changed["precision"] == "bf16-mixed"
    assert changed["accumulate"] == 2
    assert not changed["channels_last"]


def test_tf32_is_of_runs_on_gpus_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surroundings, "_allows_tf32", lambda: True)
    assert not settings_of(tmp_path)["tf32"]

    class OnGpu:
        accumulate_grad_batches = 1
        precision = "32-true"
        world_size = 1
        callbacks: tuple[()] = ()

        class strategy:  # noqa: N801
            root_device = torch.device("cuda", 0)

    assert trainer_settings(small(tmp_path), OnGpu())["tf32"]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("products", "convolutions", "expected"),
    [("highest", False, False), ("high", False, True), ("highest", True, True)],
)
def test_either_switch_allows_tf32(
    products: str, convolutions: bool, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "get_float32_matmul_precision", lambda: products)
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", convolutions)
    assert surroundings._allows_tf32() is expected
