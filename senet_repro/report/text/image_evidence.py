"""Runs compared image by image and one against another, in words and as data (report floor)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from senet_repro.core.wording import join_words
from senet_repro.report.claims.image_evidence import (
    ImageAgreement,
    ImageEvidence,
    gather_image_evidence,
)
from senet_repro.report.tables.build import ResultTable
from senet_repro.report.tables.numbers import count_seeds

HEADING = (
    "Image by image and run by run. Two networks of one seed disagree on an image where one alone is right. They "
    "differ where McNemar's test shows that one of them would be right more often on other images, too (p at most 0.05 "
    "after Holm over the seeds). That is said of these trained networks, and not of their rows."
)
HEADING_WITHOUT_IMAGES = "Run by run, since not every run kept which images it got right:"

HEADING_OF_RUNS = "Run by run:"


def format_image_evidence(table: ResultTable) -> str | None:
    """Return a line for each claim that one row is better than another, whose rows were run; None without any."""
    lines = []
    # Of a figure that no single image has there is no more to say.
    is_counted = any(metric.rank is not None for metric in table.metrics)
    heading = HEADING_WITHOUT_IMAGES if is_counted else HEADING_OF_RUNS
    for says, one in gather_image_evidence(table).items():
        if one.agreement is not None:
            heading = HEADING
        # Of a single run that kept no images there is nothing to say.
        if one.agreement is not None or one.chance is not None:
            lines.append(f"- {says}: {describe_image_evidence(one)}")
    return "\n".join([heading, "", *lines]) if lines else None


def describe_image_evidence(evidence: ImageEvidence) -> str:
    """Return on how many images the networks of two rows differ, and how often a run of the first is better."""
    sentences = []
    if evidence.agreement is not None:
        sentences.append(_describe_disagreement(evidence.agreement))
        sentences.append(_describe_tests(evidence, evidence.agreement))
    if evidence.chance is not None:
        chance = evidence.chance
        sentences.append(
            f"A run of {evidence.first} is the better one in {100 * chance.value:.0f} % of cases "
            f"(95 % interval {100 * chance.low:.0f} to {100 * chance.high:.0f} %)."
        )
    return " ".join(sentences)


def collect_image_evidence(table: ResultTable) -> dict[str, dict[str, Any]]:
    """Return the same as data, by what the claim says; shares lie between 0 and 1."""
    return {says: _collect_one(one) for says, one in gather_image_evidence(table).items()}


def _collect_one(evidence: ImageEvidence) -> dict[str, Any]:
    return {
        "rows": [evidence.first, evidence.second],
        "figure": evidence.metric.name,
        "agreement": asdict(evidence.agreement) if evidence.agreement else None,
        "chance_better": asdict(evidence.chance) if evidence.chance else None,
    }


def _describe_disagreement(agreement: ImageAgreement) -> str:
    """Return on how many images two rows disagree, set against two seeds of one row."""
    rows = (
        f"The rows disagree on {100 * agreement.disagreeing:.1f} % of {agreement.images:,} images"
    )
    if agreement.noise_floor is None:
        return f"{rows}."
    return f"{rows}, two seeds of one row on {100 * agreement.noise_floor:.1f} %."


def _describe_tests(evidence: ImageEvidence, agreement: ImageAgreement) -> str:
    """Return for how many seeds the two networks differ beyond the choice of images, and which one is ahead."""
    count = len(agreement.pairs)
    first, second = agreement.list_ahead()
    networks = f"The networks of {len(first) + len(second)} of {count_seeds(count)} differ"
    ahead = [
        f"{row} ahead in {len(seeds)}"
        for row, seeds in ((evidence.first, first), (evidence.second, second))
        if seeds
    ]
    if not ahead:
        return f"{networks}."
    return f"{networks}: {join_words(ahead, 'and')}."
