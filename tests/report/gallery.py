"""`docs/gallery.md` and its figures, made from the campaign on CIFAR-10.

`python -m tests.report.gallery` writes them; a test expects them as they are.
"""

from __future__ import annotations

from pathlib import Path

from senet_repro.config.paper_tables import find_tables
from senet_repro.report.figures.cost import draw_cost
from senet_repro.report.figures.curves import Folders
from senet_repro.report.figures.drawing import Drawing
from senet_repro.report.figures.gates import draw_gate_figures
from senet_repro.report.figures.learning_curves import draw_learning_curves
from senet_repro.report.page.page import SIGNS
from senet_repro.report.tables.build import ResultTable, build_tables
from senet_repro.report.tables.gate_studies import (
    StudiedNetwork,
    choose_network,
    group_studies,
    judge_network,
)
from senet_repro.report.tables.load import load_printable_results
from senet_repro.report.text.borders import describe_border
from senet_repro.report.text.gate_studies import LEGEND, list_block_cells
from senet_repro.report.text.markdown import align_columns
from senet_repro.results.excitation import load_studies
from tests.conftest import ROOT

DOCUMENT = ROOT / "docs" / "gallery.md"
FOLDER = ROOT / "docs" / "gallery"
CAMPAIGN = ROOT / "experiments" / "cifar10-ablations"

SHOWN = "cifar10-resnet29-r16"
COLUMNS = {
    SHOWN: "SE, r = 16",
    "cifar10-resnet29-r2": "r = 2",
    "cifar10-resnet29-r16-max": "max",
    "cifar10-resnet29-r16-nosqueeze": "NoSqueeze",
    "cifar10-resnet29-r16-tanh": "tanh",
    "cifar10-resnet29-r16-relu": "ReLU",
    "cifar10-resnet29-r16-pre": "PRE",
    "cifar10-resnet29-r16-post": "POST",
    "cifar10-resnet29-r16-identity": "Identity",
    "cifar10-resnet29-r16-conv3x3": "SE_3x3",
}
"""The networks of the table, by the names of their runs."""

TEXT = """\
# Gallery

Five figures from the networks of [the campaign on CIFAR-10](../experiments/cifar10-ablations/README.md), all of them
a **proxy** for the paper's: ResNet-29 instead of SE-ResNet-50, pictures of 16 pixels, five epochs, and **one seed**,
which is no evidence about a recipe. What stands here of gates holds for these very networks. `python -m senet_repro
report --results experiments/cifar10-ablations` draws them and all others; this page is written by `python -m
tests.report.gallery` from the committed records, and a test holds that it is up to date.

## Gates by class: Figure 6

![Mean gates of four classes and of all images in 50 channels of each of the nine SE blocks](gallery/figure6.svg)

The mean gate over 50 test images of a class, in 50 channels of each block that were drawn at random, and over all
10,000 images (dashed).

{blocks}

{legend}

## Gates within a class: Figure 7

![Mean gates of airplane and bird with a band of one standard deviation](gallery/figure7.svg)

## One picture on its way through the network

![Gates of the picture of a cat over the mean gates of all images, block by block](gallery/picture.svg)

A dot is a channel. Above the line this picture opens it wider than the average one does.

## What the gates of small networks do, and the paper's do not

Section 7.2 in numbers, for each kind of block that the campaign trained. Borders were fixed, with their reasons, in
[`conf/study/excitation.yaml`](../conf/study/excitation.yaml) before a network was read, and each network's verdicts
stand at a level of their own.

{signs}

{verdicts}

The first half of the paper's story is there in the standard SE network: at the end of its first stage gates hardly
ask for the class, and from the end of the second on they do. The second half is not. In SE-ResNet-50 the last stage
winds down: SE_5_2 lets nearly everything pass, SE_5_3 has one pattern for all classes, and the paper concludes that
these blocks can go. Here the last two blocks are the ones that tell classes apart best, hardly any of their gates comes
near one, and a class's pattern differs from the next one's in shape and not only in scale. Perhaps a network of nine
blocks, trained for five epochs, has none to spare for winding down; nothing here tests that. Nor does it lean on them
much: giving every image the mean gates of a block, whichever, costs the standard network less than half a point of
error, with intervals that hold 0, so that which blocks matter least cannot be told. Where the block stands in the
unit, and what it squeezes by, changes the picture more than r does: with the maximum, before the unit (PRE), after it
(POST) or inside its branch (SE_3x3) classes hardly differ in the shape of the last pattern. With ReLU gates the network
is one in name only: some of its gates grow to thousands while the last stage's are almost the same for every image.

On ImageNet the same command draws the six panels of the paper, SE_2_3 to SE_5_3. It was tried as a path without a
result: on 200 pictures, one for each of 200 classes, with SE-ResNet-50 in timm's form whose weights were drawn at
random, `python -m senet_repro excitation random.safetensors model=resnet50 data.root=... hold=false`. It names the
class that has fewer pictures than asked for and those that have none, and calls five of the nine sentences not
testable: for four of them one picture of a class tells too little, and for the last no gates were held. What it says of
the other four is about random numbers, the two that hold included: a block that was never trained gives all classes
one pattern.

## Training with and without SE: Figure 4

![Training and validation error of ResNet-29 without SE, with gates per position, and with SE](gallery/curves.svg)

Training dashed, as augmented, and validation solid; both networks of a pair in one frame.

## Error against cost

![Top-1 error over multiply-adds and over parameters, for r from 2 to 32 and without SE](gallery/cost.svg)
"""


def write_gallery() -> dict[Path, str]:
    """Return what belongs into the document and into each of its figures."""
    studies, problems = load_studies(CAMPAIGN)
    assert not problems
    networks = group_studies(studies)
    shown = choose_network(networks, SHOWN)
    assert shown is not None
    drawings = {drawing.name: drawing for drawing in draw_gate_figures(shown.first)}
    results = load_printable_results(CAMPAIGN)
    tables = {
        table.paper.name: table
        for table in build_tables(results, find_tables(["no_squeeze", "reduction_ratio"]))
    }
    drawings["curves"] = _draw_curves(tables["no_squeeze"], results.folders)
    cost = draw_cost(tables["reduction_ratio"], "cost")
    assert cost is not None
    drawings["cost"] = cost
    contents = {FOLDER / f"{name}.svg": drawing.svg for name, drawing in drawings.items()}
    words = ("reproduced", "contradicted", "inconclusive", "not testable")
    signs = ", ".join(f"{SIGNS[word]} {word}" for word in words)
    contents[DOCUMENT] = TEXT.format(
        blocks=align_columns(list_block_cells(shown)),
        legend=LEGEND,
        signs=signs,
        verdicts=_tabulate_verdicts(networks),
    )
    return contents


def _draw_curves(table: ResultTable, folders: Folders) -> Drawing:
    drawing = draw_learning_curves(table, "curves", folders)
    assert drawing is not None
    return drawing


def _tabulate_verdicts(networks: list[StudiedNetwork]) -> str:
    """A line for each claim, a column for each network: the verdict's sign and the figure."""
    judged = []
    for name in COLUMNS:
        network = choose_network(networks, name)
        assert network is not None
        judged.append(judge_network(network))
    lines = [["claim", "border", *COLUMNS.values()]]
    for verdicts in zip(*judged, strict=True):
        cells = [verdicts[0].claim.says, describe_border(verdicts[0].claim)]
        for one in verdicts:
            figure = "" if one.estimate is None else f" {one.estimate.mean:.2f}"
            cells.append(f"{SIGNS[one.verdict]}{figure}")
        lines.append(cells)
    return align_columns(lines)


def main() -> None:
    """Write the document and its figures."""
    FOLDER.mkdir(exist_ok=True)
    for path, content in write_gallery().items():
        path.write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
