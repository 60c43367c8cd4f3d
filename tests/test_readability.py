"""How the package reads: nodes a line, words in names of functions, reasons beside code, subjects of docstrings.

The limits are those of codebases that are read with ease; CONTRIBUTING.md, "Words", says what they are for.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.conftest import ROOT

FILES = sorted(
    path for top in ("senet_repro", "hydra_plugins") for path in (ROOT / top).rglob("*.py")
)
MOST_NODES_A_LINE = 8.5
MOST_ONE_WORD_NAMES = 0.15
LEAST_COMMENTS = 0.03

Definition = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@cache
def read_tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def find_docstrings(tree: ast.Module) -> Iterator[ast.Expr]:
    """Yield the docstrings of a file, those of constants included."""
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if is_text and isinstance(node.value.value, str):  # type: ignore[attr-defined]
            yield node  # type: ignore[misc]


def count_lines(path: Path) -> tuple[int, int]:
    """Return the lines of code of a file and those that are a comment alone; docstrings and blank lines are neither."""
    in_docstrings: set[int] = set()
    for docstring in find_docstrings(read_tree(path)):
        in_docstrings.update(range(docstring.lineno, (docstring.end_lineno or 0) + 1))
    code = comments = 0
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if number in in_docstrings or not line.strip():
            continue
        if line.strip().startswith("#"):
            comments += 1
        else:
            code += 1
    return code, comments


def list_function_names() -> list[str]:
    names = []
    for path in FILES:
        for node in ast.walk(read_tree(path)):
            is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            if is_function and not node.name.startswith("__"):  # type: ignore[attr-defined]
                names.append(node.name)  # type: ignore[attr-defined]
    return names


def test_a_line_holds_one_idea() -> None:
    nodes = sum(sum(1 for _ in ast.walk(read_tree(path))) for path in FILES)
    lines = sum(count_lines(path)[0] for path in FILES)
    assert nodes / lines <= MOST_NODES_A_LINE


def test_functions_are_named_by_what_they_do_to_what() -> None:
    names = list_function_names()
    one_word = [name for name in names if len(re.findall("[a-z0-9]+", name)) == 1]
    assert len(one_word) / len(names) <= MOST_ONE_WORD_NAMES, sorted(set(one_word))


def test_reasons_stand_above_the_code() -> None:
    counts = [count_lines(path) for path in FILES]
    code = sum(lines for lines, _ in counts)
    assert sum(comments for _, comments in counts) / code >= LEAST_COMMENTS


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_docstrings_have_a_subject_that_a_reader_can_see(path: Path) -> None:
    for docstring in find_docstrings(read_tree(path)):
        text = ast.literal_eval(docstring.value)
        first_word = (re.findall(r"[A-Za-z]+", text) or [""])[0]
        assert first_word.lower() not in ("what", "who", "those", "of"), text
