"""One setting in which a protocol departs from the paper's, as every format writes it (report floor)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Departure:
    """Hold a setting with our value of it and the paper's, all in a reader's words."""

    setting: str
    ours: str
    papers: str

    def __str__(self) -> str:
        """Return it as a sentence lists it, the paper's value in brackets: `epochs 30 (270)`."""
        return f"{self.setting} {self.ours} ({self.papers})"
