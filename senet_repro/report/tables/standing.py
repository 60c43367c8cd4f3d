"""Name how far the numbers of a table can stand for the paper's (report floor)."""

from __future__ import annotations

from enum import StrEnum


class Standing(StrEnum):
    """The standing of a table, as it is written beside its numbers."""

    PAPERS_OWN = "the paper's protocol"
    CHANGED = "not the paper's protocol"
    PROXY = "a proxy"  # other data than the paper's, and so a changed protocol, too
