"""Section 5 of a report and its summary: what may be concluded, and what people alone can say (report floor)."""

from __future__ import annotations

from collections.abc import Sequence

from senet_repro.core.wording import choose_form, count_noun
from senet_repro.report.claims.claim_pairs import list_confounds
from senet_repro.report.claims.judge import Judged, format_verdict
from senet_repro.report.paper.computing import describe_outcomes
from senet_repro.report.paper.document import Block, Listing, Paragraph, Section
from senet_repro.report.paper.facts import Facts
from senet_repro.report.paper.methods import describe_method
from senet_repro.report.paper.naming import name_variants
from senet_repro.report.paper.scope import describe_scope
from senet_repro.report.tables.build import ResultTable
from senet_repro.report.tables.numbers import count_seeds, start_sentence
from senet_repro.report.tables.standing import Standing
from senet_repro.report.text.verdict_guide import list_meanings
from senet_repro.report.text.verdicts import (
    DECISIVE,
    count_claims,
    describe_outcome,
)

HUMAN_SECTIONS = {
    "easy": "What was easy",
    "difficult": "What was difficult",
    "communication": "Communication with the original authors",
}
"""The title of each section that people alone can write, by its key in the file of remarks."""

DECIDED_IN_SUMMARY = 5
"""So many of the claims that are decided stand in the summary by name."""

LEFT_OUT = "The authors of this report left this section out."

SUMMARY_CHARACTERS = 420
"""So much of a remark stands in the summary, which has one page."""


def write_summary(facts: Facts) -> list[Paragraph]:
    """Return the summary: scope, methodology, results, and the remarks in short."""
    method = f"{describe_method(facts)} {describe_outcomes(facts)}"
    paragraphs = [
        Paragraph(describe_scope(facts), label="Scope of reproducibility"),
        Paragraph(method, label="Methodology"),
        Paragraph(_summarise_results(facts), label="Results"),
    ]
    for key, title in HUMAN_SECTIONS.items():
        text = _shorten_remark(getattr(facts.remarks, key))
        paragraphs.append(Paragraph(text, label=title))
    return paragraphs


def write_discussion(facts: Facts) -> Section:
    """Return what may and may not be concluded, as the facts have it, and the remarks of the authors."""
    blocks: list[Block] = [Paragraph("May be concluded:"), Listing(_list_conclusions(facts))]
    blocks += [Paragraph("May not be concluded, or not yet:"), Listing(_list_cautions(facts))]
    blocks += [Paragraph(text, label="Surprises") for text in facts.remarks.surprises[:1]]
    blocks += [Paragraph(text) for text in facts.remarks.surprises[1:]]
    meanings = list_meanings(facts.judged)
    if meanings:
        blocks.append(Paragraph("The words of the verdicts:"))
        blocks.append(Listing([f"{word}: {meaning}" for word, meaning in meanings.items()]))
    subsections = []
    for key, title in HUMAN_SECTIONS.items():
        texts = getattr(facts.remarks, key) or (LEFT_OUT,)
        subsections.append(Section(title, list(map(Paragraph, texts))))
    return Section("Discussion", blocks, subsections)


def _summarise_results(facts: Facts) -> str:
    """Return how many claims have which verdict, and the first of those that are decided by name."""
    sentences = count_claims(facts.verdicts)
    decided = []
    for number, one in _list_decided(facts):
        decided.append(f"claim {number}, {one.claim.says}: {format_verdict(one)}")
    if decided:
        sentences.append(f"Decided: {'; '.join(decided[:DECIDED_IN_SUMMARY])}.")
        left = len(decided) - DECIDED_IN_SUMMARY
        if left > 0:
            sentences.append(f"The discussion lists {count_noun(left, 'further claim')}.")
    return " ".join(sentences)


def _list_decided(facts: Facts) -> list[tuple[int, Judged]]:
    """Return the claims that are decided, with their numbers."""
    decided: list[tuple[int, Judged]] = []
    for table, judged in facts.verdicts.tables:
        numbered = facts.number_verdicts(table, judged)
        decided += [(number, one) for number, one in numbered if one.verdict in DECISIVE]
    return decided


def _shorten_remark(texts: Sequence[str]) -> str:
    """Return as many words of a remark as the summary has room for."""
    if not texts:
        return LEFT_OUT
    whole = " ".join(texts)
    if len(whole) <= SUMMARY_CHARACTERS:
        return whole
    beginning, _, _ = whole[:SUMMARY_CHARACTERS].rpartition(" ")
    # A text without a blank is cut where the room ends.
    return f"{beginning or whole[:SUMMARY_CHARACTERS]} … (in full in the discussion)"


def _list_conclusions(facts: Facts) -> list[str]:
    """Return the claims that are decided, each with its figures."""
    decided = []
    for number, one in _list_decided(facts):
        verdict = f"{format_verdict(one)}{_name_place(one)}"
        decided.append(f"Claim {number}, {one.claim.says}: {verdict}. {describe_outcome(one)}")
    return decided or [
        "Nothing of what the paper's tables claim: none of the numbered claims is decided."
    ]


def _name_place(one: Judged) -> str:
    """Return where a verdict holds; nothing under the paper's own protocol."""
    if one.table.standing == Standing.PAPERS_OWN:
        return ""
    return f" on {one.table.set_name}"


def _list_cautions(facts: Facts) -> list[str]:
    """Return what limits the verdicts: other data, few seeds, missing plans, many tests, and what went wrong."""
    cautions = [*_list_standings(facts), *_list_seed_cautions(facts), *_list_provisos(facts)]
    if len(facts.tables) > 1:
        cautions.append(
            "Each table has a risk of 5 % of its own that chance alone makes any of its claims reproduced or "
            "contradicted; section 4 says what remains if all tables share it."
        )
    for table in facts.tables:
        confounds = list_confounds(table)
        if confounds:
            differing = "; ".join(confounds)
            cautions.append(
                f"{start_sentence(name_variants([table]))}: compared rows differ, or may differ, in more than SE: "
                f"{differing}."
            )
    skipped = len(facts.results.unreadable)
    if skipped:
        verb = choose_form(skipped, "was", "were")
        files = count_noun(skipped, "file")
        cautions.append(
            f"{files} of the results folder {verb} left out, since they cannot be read or believed; "
            "the command names each."
        )
    return cautions or ["Nothing limits these verdicts but chance, at the level that is given."]


def _list_standings(facts: Facts) -> list[str]:
    grouped: dict[Standing, list[ResultTable]] = {}
    for table in facts.tables:
        grouped.setdefault(table.standing, []).append(table)
    cautions = []
    if Standing.PROXY in grouped:
        names = start_sentence(name_variants(grouped[Standing.PROXY]))
        cautions.append(
            f"{names}: the runs are on a proxy, which is other data than the paper's. What was found holds there, and "
            "neither confirms nor refutes the paper's figures."
        )
    if Standing.CHANGED in grouped:
        names = start_sentence(name_variants(grouped[Standing.CHANGED]))
        cautions.append(
            f"{names}: the runs follow a changed protocol, so that the paper's figures are neither confirmed nor "
            "refuted by them."
        )
    return cautions


def _list_seed_cautions(facts: Facts) -> list[str]:
    """Return which rows have a single seed, or so few that intervals are wide."""
    by_count: dict[int, list[ResultTable]] = {}
    for table in facts.tables:
        by_count.setdefault(len(table.seeds), []).append(table)
    cautions = []
    for count, tables in by_count.items():
        names = start_sentence(name_variants(tables))
        if count == 1:
            cautions.append(
                f"{names}: one seed is no evidence, since it does not tell how far seeds differ."
            )
        else:
            cautions.append(
                f"{names}: {count_seeds(count)} at most; a difference smaller than its interval may be chance."
            )
    return cautions


def _list_provisos(facts: Facts) -> list[str]:
    """Return why verdicts may yet change for another reason than chance, each reason once."""
    reasons: dict[str, list[ResultTable]] = {}
    for one in facts.judged:
        for reason in one.provisos:
            reasons.setdefault(reason, []).append(one.table)
    return [
        f"{start_sentence(reason)} ({name_variants(tables)}): verdicts that decide are provisional there."
        for reason, tables in reasons.items()
    ]
