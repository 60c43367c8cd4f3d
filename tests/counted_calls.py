"""How much a command does, as the number of its calls: a busy or a slow machine changes nothing about it."""

from __future__ import annotations

import compileall
import functools
import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT

# The program's own arguments follow the file for the count.
_COUNTED = """
import cProfile, sys
code, count_file = sys.argv[1:3]
del sys.argv[1:3]
profile = cProfile.Profile()
profile.enable()
try:
    exec(code)
finally:
    profile.disable()
    with open(count_file, "w") as file:
        file.write(str(sum(entry.callcount for entry in profile.getstats())))
"""


@functools.cache
def _compile_the_package() -> None:
    """Write the package's bytecode: a program that finds none compiles what it imports, which would be counted."""
    assert compileall.compile_dir(ROOT / "senet_repro", quiet=1)


def count_calls(folder: Path, code: str, *arguments: str, cwd: Path = ROOT) -> tuple[int, str]:
    """Return how many functions a Python program calls, imports included, and what it prints; it must succeed.

    The count is kept in a file in `folder`.
    """
    _compile_the_package()
    count_file = folder / "calls.txt"
    done = subprocess.run(
        [sys.executable, "-c", _COUNTED, code, str(count_file), *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        # The order of a set of words depends on the seed of their hashes, and how much is sorted and compared on it.
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"},
    )
    assert done.returncode == 0, done.stderr
    return int(count_file.read_text()), done.stdout
