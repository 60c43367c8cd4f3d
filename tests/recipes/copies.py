"""A copy of the project to add something to, and the command line as that copy serves it."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.commands import run_warm
from tests.conftest import ROOT

PARTS = ("senet_repro", "conf", "hydra_plugins")


@dataclass(frozen=True)
class ProjectCopy:
    """The files that a recipe may touch, in a folder of their own."""

    folder: Path

    @classmethod
    def make(cls, folder: Path) -> ProjectCopy:
        """Copy the project into a folder."""
        for part in PARTS:
            shutil.copytree(
                ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__")
            )
        return cls(folder)

    def add_file(self, path: str, text: str) -> None:
        """Write a file that is not there yet."""
        target = self.folder / path
        assert not target.exists(), f"{path} is there already"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def append(self, path: str, text: str) -> None:
        """Add lines at the end of a file."""
        target = self.folder / path
        target.write_text(target.read_text() + text)

    def add_lines(self, path: str, *, after: str, lines: str) -> None:
        """Add lines after the only line of a file that begins with `after`."""
        target = self.folder / path
        before = target.read_text().splitlines(keepends=True)
        (index,) = [i for i, line in enumerate(before) if line.lstrip().startswith(after)]
        before.insert(index + 1, lines)
        target.write_text("".join(before))

    def replace(self, path: str, old: str, new: str) -> None:
        """Replace words that stand in a file once."""
        target = self.folder / path
        text = target.read_text()
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {path}"
        target.write_text(text.replace(old, new))

    def replace_pattern(self, path: str, pattern: str, new: str) -> None:
        """Replace what a pattern matches, which it must do once."""
        target = self.folder / path
        text, count = re.subn(pattern, new, target.read_text())
        assert count == 1, f"{pattern!r} matches {count} times in {path}"
        target.write_text(text)

    def call(self, *arguments: str) -> str:
        """Return what a command prints on standard output; it must succeed."""
        done = run_warm(*arguments, cwd=self.folder, PYTHONPATH=str(self.folder))
        assert done.returncode == 0, done.stderr
        return done.stdout
