"""A run's network is what its record measured, and begins where it was told to."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from senet_repro.config.composition import compose
from senet_repro.core.errors import ConfigError
from senet_repro.data.batches import Normalise
from senet_repro.data.sets import load_in_memory
from senet_repro.execution.execute import train_to_record
from senet_repro.models import create_model, export_weights, write_weights
from senet_repro.results.run_folder import RunFolder
from senet_repro.training.fit import build_network
from senet_repro.training.trained_network import load_trained_network

pytestmark = pytest.mark.usefixtures("one_thread")


def test_a_runs_network_makes_exactly_the_errors_of_its_record(tmp_path: Path) -> None:
    run = compose(["recipe.epochs=2", "trainer.accelerator=cpu", f"results_dir={tmp_path}"])
    path, record = train_to_record(run, print)
    net = load_trained_network(path.parent)
    test = load_in_memory(run.data).test
    with torch.no_grad():
        logits = net(Normalise(run.data.mean, run.data.std)(test.images))
    wrong = int((logits.argmax(1) != test.labels).sum())
    assert 100 * wrong / len(test) == pytest.approx(record.metrics["top1_err_pct"])

    RunFolder(path.parent).last_checkpoint.write_bytes(b"cut short")
    with pytest.raises(ConfigError, match="is not a whole checkpoint"):
        load_trained_network(path.parent)
    with pytest.raises(ConfigError, match="give the folder of a run"):
        load_trained_network(tmp_path)


@pytest.mark.slow
def test_a_run_begins_with_the_weights_of_its_file(tmp_path: Path) -> None:
    file = tmp_path / "net.safetensors"
    released = create_model("resnet50", 10, bias=True)
    write_weights(file, export_weights(released, "timm"))
    net = build_network(
        compose(["model=resnet50", "se.bias=true", f"init.weights={file}", "init.source=timm"])
    )
    found = net.state_dict()
    assert all(found[key].equal(tensor) for key, tensor in released.state_dict().items())
