"""`docs/tour.ipynb`: it runs offline and within its folder, and what is committed is what it says."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from nbformat import NotebookNode

import senet_repro
from tests.conftest import ROOT
from tests.tour import NOTEBOOK, execute_tour, list_outputs, read_exact_outputs, read_tour

MOST_BYTES = 400_000
MOST_LINES = 20
# Python runs sitecustomize at its start: here in the kernel and in each command that it starts.
WATCH = """
import os, sys, warnings

FOLDER = os.environ["TOUR_FOLDER"]
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
PATHS = {"open": (0,), "os.mkdir": (0,), "os.rename": (0, 1), "os.link": (1,), "os.symlink": (1,)}
HOSTS = ("localhost", "127.0.0.1", "::1", "", None)

def note(line):
    log = os.open(FOLDER + "/log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(log, (line + "\\n").encode())
    os.close(log)

def watch(event, arguments):
    if event == "open" and not arguments[2] & WRITES:
        return
    for place in PATHS.get(event, ()):
        # A number is a file that was opened before.
        if not isinstance(arguments[place], int):
            path = os.path.realpath(os.fsdecode(arguments[place]))
            if not path.startswith((FOLDER + "/", "/dev/")):
                note(f"{event} {path}")
    host = None
    if event == "socket.getaddrinfo":
        host = arguments[0]
    elif event in ("socket.connect", "socket.sendto") and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    if host not in HOSTS:
        note(f"{event} {host}")

def warn(message, category, filename, lineno, file=None, line=None):
    note(f"{category.__name__} {message}")

sys.addaudithook(watch)
warnings.showwarning = warn
"""


def watch_processes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have every Python that is started write into a log where it warns, goes to a network or writes elsewhere."""
    for name in ("home", "tmp", "watch"):
        (folder / name).mkdir()
    (folder / "watch" / "sitecustomize.py").write_text(WATCH)
    log = folder / "log"
    log.touch()
    monkeypatch.setenv("TOUR_FOLDER", str(folder))
    monkeypatch.setenv("PYTHONPATH", str(folder / "watch"), prepend=os.pathsep)
    # What Python compiles lies beside its source.
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("HOME", str(folder / "home"))
    monkeypatch.setenv("TMPDIR", str(folder / "tmp"))
    elsewhere = ("IPYTHONDIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR")
    for variable in (*elsewhere, "MPLCONFIGDIR", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(variable, raising=False)
    # Once torch is imported, as by another test of this process, it has written its own choice there.
    monkeypatch.delenv("TORCHINDUCTOR_CACHE_DIR", raising=False)
    return log


@pytest.fixture(scope="module")
def tour() -> NotebookNode:
    return read_tour()


@pytest.mark.slow
def test_the_tour_runs_offline_within_its_folder_and_counts_what_is_committed(
    tour: NotebookNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = watch_processes(tmp_path, monkeypatch)
    # A cell that fails raises its traceback.
    executed = execute_tour(tour)
    assert log.read_text() == ""
    assert [output for output in list_outputs(executed) if output.get("name") == "stderr"] == []
    committed = read_exact_outputs(tour)
    assert {"parameters", "formula", "multiply-adds", "placements"} <= committed.keys()
    assert read_exact_outputs(executed) == committed
    assert list((tmp_path / "tmp").glob("senet_tour_*")) == []


@pytest.mark.parametrize(
    ("code", "noted"),
    [
        ("open('{outside}', 'w')", "open {outside}"),
        ("import os; os.mkdir('{outside}')", "os.mkdir {outside}"),
        # Of datagrams: to connect sends nothing yet.
        (
            "import socket; socket.socket(type=socket.SOCK_DGRAM).connect_ex(('192.0.2.1', 9))",
            "socket.connect 192.0.2.1",
        ),
        ("import warnings; warnings.warn('old')", "UserWarning old"),
        ("open('{inside}', 'w'); open('/dev/null', 'w'); open('{code}')", ""),
    ],
)
def test_what_a_tour_must_not_do_is_noticed(
    code: str, noted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "tour"
    folder.mkdir()
    log = watch_processes(folder, monkeypatch)
    names = {"outside": tmp_path / "outside", "inside": folder / "inside", "code": __file__}
    subprocess.run([sys.executable, "-c", code.format(**names)], check=True, cwd=folder)
    assert log.read_text().strip() == noted.format(**names)


def test_the_committed_tour_was_executed_once_from_its_top(tour: NotebookNode) -> None:
    counts = [cell.execution_count for cell in tour.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))
    assert [output for output in list_outputs(tour) if output.get("name") == "stderr"] == []
    assert any("image/png" in output.get("data", {}) for output in list_outputs(tour))


def test_the_committed_tour_is_small_and_tells_nothing_of_a_machine(tour: NotebookNode) -> None:
    assert NOTEBOOK.stat().st_size < MOST_BYTES
    assert set(tour.metadata.language_info) == {"name"}
    for output in list_outputs(tour):
        assert "application/vnd.jupyter.widget-view+json" not in output.get("data", {})
        data = {kind: text for kind, text in output.get("data", {}).items() if kind != "image/png"}
        told = output.get("text", "") + json.dumps(data)
        paths = re.findall(r"(?<![\w.])/\w+/", told)
        times = re.findall(r"\d+ (?:s|min|hours)\b|\d\d:\d\d|20\d\d-\d\d", told)
        assert (paths, times) == ([], []), told


def test_each_cell_of_the_tour_is_short_and_has_words_before_it(tour: NotebookNode) -> None:
    for before, cell in zip(tour.cells, tour.cells[1:], strict=False):
        if cell.cell_type == "code":
            assert before.cell_type == "markdown", cell.id
            assert cell.source.count("\n") < MOST_LINES, cell.id


def test_the_tour_uses_public_names_alone(tour: NotebookNode) -> None:
    code = "\n".join(cell.source for cell in tour.cells if cell.cell_type == "code")
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            assert not any(alias.name.startswith("senet_repro") for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("senet_repro"):
            assert node.module == "senet_repro"
            assert {alias.name for alias in node.names} <= set(senet_repro.__all__)


def test_what_the_tour_names_is_there(tour: NotebookNode) -> None:
    text = "\n".join(cell.source for cell in tour.cells if cell.cell_type == "markdown")
    links = re.findall(r"\]\(([^)#]+)\)", text)
    files = re.findall(r"`((?:conf|senet_repro)/[\w./-]+)`", text)
    assert links
    assert files
    assert all((NOTEBOOK.parent / link).exists() for link in links)
    assert all((ROOT / file).exists() for file in files)
