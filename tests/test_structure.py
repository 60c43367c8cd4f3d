"""The house's shape: floors that import only downwards, short files and functions, one place that builds SE blocks."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGE = ROOT / "senet_repro"
FLOORS = {
    "core": 0,
    "config": 1,
    "models": 2,
    "data": 2,
    "results": 2,
    "stats": 2,
    "mirrors": 3,
    "training": 4,
    "tasks": 5,
    "benchmarks": 6,
    "execution": 6,
    "report": 6,
    "cli": 7,
}
FILES = sorted(PACKAGE.rglob("*.py"))


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def _floor(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if parts[0] == "senet_repro" and len(parts) > 1 and parts[1] in FLOORS else None


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_downwards(path: Path) -> None:
    own = path.relative_to(PACKAGE).parts[0]
    if own not in FLOORS:
        return
    for module in _imports(path):
        other = _floor(module)
        if other and other != own:
            assert FLOORS[other] < FLOORS[own], f"{path} imports {module}"


def test_hydra_is_used_in_config_and_in_one_module_of_cli() -> None:
    users = [
        path for path in FILES if any(name.split(".")[0] == "hydra" for name in _imports(path))
    ]
    above = [path.name for path in users if path.parent.name != "config"]
    assert above == ["train.py"]


def test_lower_and_upper_floors_import_no_torch() -> None:
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for floor in ("core", "config", "results", "stats", "report", "cli")
        for path in sorted((PACKAGE / floor).rglob("*.py"))
    ]
    code = f"import sys\nfor m in {modules!r}: __import__(m)\nassert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_there_are_no_import_cycles() -> None:
    graph = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): {
            name for name in _imports(path) if name.startswith("senet_repro.")
        }
        for path in FILES
    }
    done: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, f"cycle: {' -> '.join((*trail, module))}"
        if module in done or module not in graph:
            return
        for other in sorted(graph[module]):
            visit(other, (*trail, module))
        done.add(module)

    for module in graph:
        visit(module, ())


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_files_functions_and_constructors_stay_short(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 60, node.name
            if node.name == "__init__":
                assert len(node.args.args) - 1 + len(node.args.kwonlyargs) <= 7


def test_every_model_file_has_its_builder_which_takes_its_options() -> None:
    from senet_repro.config.conf_dir import list_files
    from senet_repro.config.schema import MODEL_OPTIONS
    from senet_repro.models import list_models
    from senet_repro.models.registry import _BUILDERS, model_info

    assert list_files("model") == list_models()
    for name, build in _BUILDERS.items():
        stated = model_info(name)
        assert stated.name == name
        parameters = inspect.signature(build).parameters.values()
        assert [p.name for p in parameters if p.kind is p.KEYWORD_ONLY] == list(stated.options)
        # The file is the only place of a default.
        assert all(p.default is p.empty for p in parameters)
        assert all(value in MODEL_OPTIONS[option] for option, value in stated.options.items())


def test_the_public_face_is_lazy_and_whole() -> None:
    code = (
        "import sys, senet_repro\nassert 'torch' not in sys.modules\n"
        "from senet_repro import create_model, list_models\nassert 'resnet50' in list_models()\n"
        "assert create_model.__doc__ and list_models.__doc__"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_torch_and_torchvision_are_a_matching_pair_whose_ops_answer() -> None:
    import torch
    import torchvision

    boxes = torch.tensor([[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 1.0]])
    assert torchvision.ops.nms(boxes, torch.tensor([0.8, 0.9]), 0.5).tolist() == [1]


def test_signal_handlers_are_installed_by_one_file() -> None:
    users = [path.name for path in FILES if "signal.signal(" in path.read_text()]
    assert users == ["signals.py"]
