"""`python -m senet_repro export`: a trained network as users of other libraries load it."""

from __future__ import annotations

import argparse
from typing import Any

from senet_repro.cli.options import parse_path
from senet_repro.config.identity import run_key, run_name
from senet_repro.config.schema import DEFAULT_TASK, WEIGHT_SOURCES, Run
from senet_repro.config.weight_files import check_release, check_weights_target, write_about
from senet_repro.core.errors import ConfigError
from senet_repro.core.loading import loading_for_good
from senet_repro.core.matplotlib_folder import set_matplotlib_folder
from senet_repro.results.run_folder import RunFolder

DESCRIPTION = "A trained network's weights under another library's names."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    parser.add_argument(
        "run", type=parse_path, help="the folder of a run: runs/<name>-<key>/seed<k>"
    )
    parser.add_argument("file", type=parse_path, help="what to write: FILE.safetensors or FILE.pth")
    parser.add_argument(
        "--source", choices=WEIGHT_SOURCES, default="timm", help="whose names and shapes (timm)"
    )


def run_verb(options: argparse.Namespace) -> int:
    """Write the weights of a run's network under another library's names.

    Raises:
        ConfigError: the folder holds no trained run, or the other library has no such network.
    """
    # Before the imports, which take long.
    folder = RunFolder(options.run)
    folder.require_trained()
    check_weights_target(options.file)
    run = folder.read_settings(without_first_weights=True)
    if run.task != DEFAULT_TASK:
        raise ConfigError(
            f"{options.run} is a run of task={run.task}: other libraries know only networks of {DEFAULT_TASK}; its "
            f"weights lie in {folder.last_checkpoint}"
        )
    check_release(run.model.name, options.source)
    # Lightning, which is imported here, imports matplotlib.
    set_matplotlib_folder()
    with loading_for_good("torch and Lightning"):
        from senet_repro.models import export_weights, write_weights
        from senet_repro.training.trained_network import load_trained_network

    net = load_trained_network(options.run)
    about = write_about(_describe_weights(run, options.source))
    write_weights(options.file, export_weights(net, options.source), about)
    print(options.file)
    return 0


def _describe_weights(run: Run, source: str) -> dict[str, Any]:
    """Return what a reader of the file has to know to evaluate it: its network, and the images that it expects."""
    data = run.data
    # Left out where they are the usual ones, so that earlier versions read the file.
    sides = data.eval_resize_sides
    resized = {} if sides == "short" else {"eval_resize_sides": sides}
    return {
        **resized,
        "network": run.model.name,
        "source": source,
        "data": data.name,
        "train_px": data.train_px,
        "eval_px": data.eval_px,
        "eval_resize_px": data.eval_resize_px,
        "mean": [*data.mean],
        "std": [*data.std],
        "run": {"name": run_name(run), "run_key": run_key(run), "seed": run.seed},
    }
