"""Studies of gates in words: the figures of each block, and the verdicts on section 7.2 (report floor)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from senet_repro.core.wording import count_noun, join_words
from senet_repro.report.claims.borders import BorderVerdict
from senet_repro.report.tables.gate_studies import PAPERS_BLOCK, StudiedNetwork, judge_network
from senet_repro.report.tables.numbers import format_interval
from senet_repro.report.text.borders import collect_border_verdicts, format_border_verdicts
from senet_repro.report.text.markdown import escape_markdown, format_noted_table

COLUMNS = {
    "class_share": ("share between classes", ".3f"),
    "near_one_share": ("share above 0.9", ".3f"),
    "pattern_correlation": ("class pattern r", ".3f"),
    "scale_spread": ("class scale sd", ".3f"),
    "within_sd": ("sd within class", ".3f"),
    "harm": ("error if held, points", "+.2f"),
}
"""The heading and the format of each figure of a block."""

LEGEND = (
    "Share between classes: of the variance of gates, adjusted for chance. Share above 0.9: of all gates. Class "
    "pattern r: mean correlation, over channels, of a class's mean gates with those of all images; class scale sd: "
    "how far the slopes of classes differ, 1 being the usual scale. Sd within class: of a channel's gate. Error if "
    "held: by how much the top-1 error rises if every image gets the mean gates of that block."
)


def format_network(network: StudiedNetwork) -> str:
    """Return a network's heading, the figures of its blocks and the verdicts on section 7.2, as Markdown."""
    verdicts = judge_network(network)
    return "\n\n".join(
        [
            format_noted_table(
                format_network_heading(network), list_block_cells(network), [LEGEND]
            ),
            format_border_verdicts(verdicts),
            *map(escape_markdown, list_network_notes(network)),
        ]
    )


def format_network_heading(network: StudiedNetwork) -> str:
    """Return whose gates were read on which images."""
    first = network.first
    title = first.data["title"]
    return f"Section 7.2: the gates of {network.name} on {title}, {first.images:,} images"


def list_block_cells(network: StudiedNetwork) -> list[list[str]]:
    """Return the figures of each block, with half their 95 % intervals; the first line is the header."""
    estimates = network.estimates
    shown = {
        name: column
        for name, column in COLUMNS.items()
        if any(figure.startswith(f"{name}/") for figure in estimates)
    }
    lines = [["block", *(heading for heading, _ in shown.values())]]
    for block in network.first.blocks:
        cells = [block]
        for name, (_, spec) in shown.items():
            cells.append(format_interval(estimates.get(f"{name}/{block}"), spec))
        lines.append(cells)
    return lines


def list_network_notes(network: StudiedNetwork) -> list[str]:
    """Return what the intervals are over, what the verdicts hold for, and whatever departs from the paper's way."""
    first = network.first
    axes = first.se
    notes = []
    if network.is_over_seeds:
        notes.append(
            f"Intervals are over {count_noun(len(network.studies), 'seed')}, so the verdicts are of the recipe."
        )
    else:
        notes.append(
            "Intervals are over images, so the verdicts are of this one network and of no other: another seed may "
            "differ."
        )
    proxy = first.data["proxy"]
    if proxy is not None or first.network != "resnet50":
        what = first.network if proxy is None else f"{first.network} on {proxy}"
        notes.append(
            f"A proxy: the paper read SE-ResNet-50 on ImageNet, and this is {what}. The blocks are those in the same "
            "place."
        )
    others = [f"{axis} {axes[axis]}" for axis, value in PAPERS_BLOCK.items() if axes[axis] != value]
    if others:
        notes.append(f"Not the paper's block: {join_words(others, 'and')}.")
    whole = first.data["whole_images"]
    if first.images != whole and whole:
        notes.append(f"On {first.images:,} of {whole:,} evaluation images.")
    notes.append(
        f"Top-1 error {network.top1_err_pct:.2f} %, precision {first.trainer['precision']} on "
        f"{first.hardware['name']}; channels of the curves drawn with seed {first.draw_seed}."
    )
    notes += [f"{note[:1].upper()}{note[1:]}." for note in first.notes]
    return notes


def collect_network(network: StudiedNetwork, verdicts: Sequence[BorderVerdict]) -> dict[str, Any]:
    """Return the figures and verdicts of a network as plain values, as JSON holds them."""
    return {
        "section": "7.2",
        "network": network.name,
        "data": network.first.data["title"],
        "images": network.first.images,
        "interval_over": "seeds" if network.is_over_seeds else "images",
        "notes": list_network_notes(network),
        "figures": {
            name: {"value": one.mean, "half_width": one.half_width, "n": one.n}
            for name, one in network.estimates.items()
        },
        "verdicts": collect_border_verdicts(verdicts),
    }
