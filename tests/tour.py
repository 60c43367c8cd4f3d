"""`docs/tour.ipynb`, executed in a kernel of its own and freed of what differs from machine to machine.

`python -m tests.tour`, or `make notebook`, executes it and writes it anew; a test executes it as well.
"""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from traitlets.config import Config

from tests.conftest import ROOT

NOTEBOOK = ROOT / "docs" / "tour.ipynb"
# A cell that takes so long has hung, also on a machine that is busy.
LIMIT_S = 400
EXACT = "exact"
"""The tag of cells whose outputs are the same on every machine."""

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
"""Whatever a kernel says beside these, such as its version, would change with the machine."""


def read_tour() -> NotebookNode:
    """Return the notebook as it is committed."""
    return nbformat.read(NOTEBOOK, as_version=4)


def execute_tour(tour: NotebookNode) -> NotebookNode:
    """Return a copy of the notebook with the outputs of a fresh kernel, which works in the root of the repository.

    Raises:
        CellExecutionError: a cell failed; the message holds the cell and its traceback.
    """
    executed = deepcopy(tour)
    # In a folder of few letters: the path of a socket may have hardly more than a hundred.
    with TemporaryDirectory(prefix="tour") as sockets:
        # Files rather than ports, at which anybody on the machine could listen.
        transport = {"transport": "ipc", "ip": str(Path(sockets) / "kernel")}
        client = NotebookClient(
            executed,
            config=Config(KernelManager=transport),
            timeout=LIMIT_S,
            # When a cell began and ended would change each time.
            record_timing=False,
            coalesce_streams=True,
            resources={"metadata": {"path": str(ROOT)}},
            # The history is a file in the home directory.
            extra_arguments=["--HistoryManager.enabled=False"],
        )
        client.execute()
    executed.metadata = NotebookNode(METADATA)
    return executed


def list_outputs(tour: NotebookNode) -> list[NotebookNode]:
    """Return the outputs of all cells, in their order."""
    return [output for cell in tour.cells for output in cell.get("outputs", [])]


def read_exact_outputs(tour: NotebookNode) -> dict[str, Any]:
    """Return the outputs of those cells that say the same on every machine, by the names of the cells."""
    tagged = [cell for cell in tour.cells if EXACT in cell.metadata.get("tags", [])]
    return {cell.id: cell.outputs for cell in tagged}


def write_tour() -> None:
    """Execute the notebook, and write it where it is committed."""
    executed = execute_tour(read_tour())
    nbformat.validate(executed)
    nbformat.write(executed, NOTEBOOK)


if __name__ == "__main__":
    write_tour()
