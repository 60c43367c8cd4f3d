"""Have a process answer many command lines, and look at what it answered."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.conftest import ROOT

# A command takes a tenth of it on a quiet machine; processor time does not count what others use.
MOST_CPU_S = 2.0
# Words of Hydra, OmegaConf, argparse and Python that tell a user nothing.
FOREIGN = (
    "Traceback",
    "could not be converted",
    "is not Optional",
    "is not a subclass",
    "Could not override",
    "not in struct",
    "LexerNoViableAlt",
    "mismatched input",
    "extraneous input",
    "token recognition",
    "no viable alternative",
    "Error executing job",
    "object has no attribute",
    "usage:",
)


def answer_commands(commands: Sequence[Sequence[str]], folder: Path) -> list[dict[str, Any]]:
    """Give the command lines to one process, that answers each in an empty folder of `folder`."""
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "HOME": str(folder / "home")}
    # For one core: the runs of a sweep are then trained in that process, where records are written in their place.
    environment["LOKY_MAX_CPU_COUNT"] = "1"
    process = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.answering_process"],
        input=json.dumps(commands),
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return [json.loads(line) for line in process.stdout.splitlines()]


def find_foreign_words(answer: dict[str, Any]) -> list[str]:
    """Return what an answer says in words that are not ours."""
    return [f"says {word!r}: {answer['err']}" for word in FOREIGN if word in answer["err"]]
