"""Sections 1 and 2 of a report: its question, and the claims that it tests (report floor)."""

from __future__ import annotations

from collections.abc import Sequence

from senet_repro.config.paper_tables import label_table
from senet_repro.core.wording import choose_form, count_noun, join_words
from senet_repro.report.claims.comparisons import MetricClaim
from senet_repro.report.claims.kinds import ClaimKind, read_claim
from senet_repro.report.paper.document import Block, Paragraph, Section, Table
from senet_repro.report.paper.facts import Facts, TestedClaim
from senet_repro.report.paper.naming import name_tables
from senet_repro.report.text.verdicts import format_paper_difference

SUBJECT = (
    "Squeeze-and-Excitation Networks [1] put a small block behind parts of a convolutional network: it averages each "
    "channel over the picture (squeeze), passes the averages through two fully connected layers (excitation), and "
    "scales every channel by the gate that comes out. The paper reports that this lowers the error of many networks at "
    "little cost."
)


def write_introduction(facts: Facts) -> Section:
    """Return what the reproduction asks."""
    blocks: list[Block] = [Paragraph(SUBJECT)]
    if facts.source is not None:
        blocks.append(Paragraph(facts.source.question, label="Question of this campaign"))
    else:
        blocks.append(
            Paragraph(
                f"This report sets {name_tables(facts.tables)} of the paper beside runs of our own, and judges what "
                "the paper says of them in words."
            )
        )
    return Section("Introduction", blocks)


def write_scope(facts: Facts) -> Section:
    """Return the claims that are tested, each with its section of the paper and the published figure."""
    claims = facts.claims
    blocks: list[Block] = [Paragraph(f"{describe_scope(facts)} They are given in our own words.")]
    if claims:
        blocks.append(
            Table(
                caption="The claims, and what the paper publishes",
                header=("", "claim", "table", "figure", "section", "published"),
                rows=[_list_claim_cells(one) for one in claims],
                words=4,
                notes=[
                    "Published is the difference of the rows that a claim is about, the first minus the last; of "
                    "more than two rows that are said to be as good, it is that of the two furthest apart. Where "
                    "nothing stands, the paper has no figure of one of them."
                ],
            )
        )
    if facts.verdicts.without_records:
        lacking = [
            f"{label_table(paper)} ({count_noun(len(paper.claims), 'claim')})"
            for paper in facts.verdicts.without_records
        ]
        blocks.append(
            Paragraph(f"Planned, and without a record yet: {join_words(lacking, 'and')}.")
        )
    if facts.others:
        names = name_tables(facts.others)
        blocks.append(
            Paragraph(
                f"Left out, since all that is here of them stands in the tables above, too: {names}."
            )
        )
    return Section("Scope of reproducibility", blocks)


def describe_scope(facts: Facts) -> str:
    """Return in a sentence how many claims of which tables are judged."""
    count = len(facts.claims)
    verb = choose_form(count, "is", "are")
    sentence = (
        f"{count_noun(count, 'claim')} of the paper about {name_tables(facts.tables)} {verb} judged"
    )
    if len(facts.judged) > count:
        sentence += ", some of them under several protocols"
    return f"{sentence}."


def name_figure(kind: ClaimKind) -> str:
    """Return which figure a claim is about, with the unit of differences in it."""
    if isinstance(kind, MetricClaim):
        return f"{kind.metric.title}, {kind.metric.difference_unit}"
    return kind.counted_size.title


def _list_claim_cells(one: TestedClaim) -> Sequence[str]:
    kind = read_claim(one.paper, one.claim)
    return (
        str(one.number),
        one.claim.says,
        label_table(one.paper),
        name_figure(kind),
        one.claim.section,
        format_paper_difference(kind),
    )
