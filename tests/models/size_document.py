"""`docs/sizes.md`: every network's parameters and multiply-adds beside the published ones.

`python -m tests.models.size_document` counts them anew and writes it, which takes a minute or two.
"""

from __future__ import annotations

from collections.abc import Sequence

from senet_repro.cli.verbs.sizes import format_sizes
from senet_repro.models.sizes import Size, count_sizes
from tests.conftest import ROOT

DOCUMENT = ROOT / "docs" / "sizes.md"

TEXT = """\
# Sizes

What `python -m senet_repro sizes` prints: the parameters and the multiply-adds of every row of the paper's tables, as
they are counted on the networks of this project, beside the published ones, and the networks that the paper has no row
for. Nothing here is trained.

{sizes}
"""


def format_document(sizes: Sequence[Size]) -> str:
    """Return the whole page."""
    return TEXT.format(sizes=format_sizes(sizes))


if __name__ == "__main__":
    DOCUMENT.write_text(format_document(list(count_sizes())))
