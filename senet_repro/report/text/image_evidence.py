"""What runs say beside their mean, in words and as data (report floor)."""

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
from senet_repro.report.tables.numbers import end_plural


def format_image_evidence(table: ResultTable) -> str | None:
    """Return a line for each claim that one row is better than another, whose rows were run; None without any."""
    found = gather_image_evidence(table)
    if not found:
        return None
    lines = [f"- {says}: {describe_image_evidence(one)}" for says, one in found.items()]
    return "\n".join(["Image by image and run by run:", "", *lines])


def describe_image_evidence(evidence: ImageEvidence) -> str:
    """Return on how many images the networks of two rows differ, and how often a run of the first is better."""
    sentences = []
    if evidence.agreement is None:
        sentences.append("Not every run kept which images it got right.")
    else:
        sentences.append(_describe_disagreement(evidence, evidence.agreement))
        sentences.append(_describe_tests(evidence, evidence.agreement))
    if evidence.chance is not None:
        chance = evidence.chance
        sentences.append(
            f"A run of {evidence.first} is better than one of {evidence.second} in {chance.value:.0%} of cases "
            f"(95 % interval {chance.low:.0%} to {chance.high:.0%})."
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


def _describe_disagreement(evidence: ImageEvidence, agreement: ImageAgreement) -> str:
    """Return how often two networks are not right alike, set against two seeds of one network."""
    sentence = (
        f"{evidence.first} and {evidence.second} of one seed are not both right or both wrong on "
        f"{100 * agreement.disagreeing:.1f} % of the {agreement.images:,} images"
    )
    if agreement.noise_floor is None:
        return f"{sentence}."
    return f"{sentence}, two seeds of one network on {100 * agreement.noise_floor:.1f} %."


def _describe_tests(evidence: ImageEvidence, agreement: ImageAgreement) -> str:
    """Return for how many seeds the two networks differ beyond the choice of images."""
    count = len(agreement.pairs)
    first, second = agreement.list_ahead()
    test = "on images like these (McNemar's test of the two networks, Holm over seeds)"
    if not first and not second:
        return f"The networks of no seed differ {test}."
    ahead = [
        f"{row} ahead in {len(seeds)}"
        for row, seeds in ((evidence.first, first), (evidence.second, second))
        if seeds
    ]
    differing = len(first) + len(second)
    return (
        f"The networks of {differing} of {count} seed{end_plural(count)} differ {test}: "
        f"{join_words(ahead, 'and')}."
    )
