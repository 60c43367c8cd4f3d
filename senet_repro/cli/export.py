"""`python -m senet_repro export`: a trained network as users of other libraries load it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from senet_repro.config.schema import WEIGHT_SOURCES
from senet_repro.core.matplotlib_folder import set_matplotlib_folder


def main(arguments: Sequence[str]) -> int:
    """Write the weights of a run's network under another library's names."""
    parser = argparse.ArgumentParser(
        prog="python -m senet_repro export",
        description="A trained network's weights under another library's names.",
    )
    parser.add_argument("run", type=Path, help="the folder of a run: runs/<name>-<key>/seed<k>")
    parser.add_argument("file", type=Path, help="what to write: FILE.safetensors or FILE.pth")
    parser.add_argument(
        "--source", choices=WEIGHT_SOURCES, default="timm", help="whose names and shapes (timm)"
    )
    options = parser.parse_args(arguments)
    # Lightning, which is imported here, imports matplotlib.
    set_matplotlib_folder()
    from senet_repro.models import (  # late: --help need not wait for torch
        export_weights,
        write_weights,
    )
    from senet_repro.training.trained_network import load_trained_network

    write_weights(options.file, export_weights(load_trained_network(options.run), options.source))
    print(options.file)
    return 0
