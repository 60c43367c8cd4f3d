"""Verdicts as Markdown and JSON (report floor)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from senet_repro.config.paper_tables import label_table
from senet_repro.config.schema import PaperTable
from senet_repro.core.wording import choose_form, count_noun, join_words
from senet_repro.report.claims.cost import Cost
from senet_repro.report.claims.evidence import caution_verdicts
from senet_repro.report.claims.judge import (
    Judged,
    compare_order,
    format_verdict,
    judge_together,
)
from senet_repro.report.claims.kinds import ClaimKind, find_paper_difference, read_claim
from senet_repro.report.claims.words import (
    CONTRADICTED,
    INCONCLUSIVE,
    NO_EFFECT,
    NOT_RUN,
    REPRODUCED,
    SMALLER,
    VERDICTS,
    tally_verdicts,
)
from senet_repro.report.tables.build import ResultTable
from senet_repro.report.tables.numbers import (
    count_seeds,
    format_p_cell,
    format_p_value,
    start_sentence,
)
from senet_repro.report.tables.origins import describe_reported
from senet_repro.report.tables.standing import Standing
from senet_repro.report.text.image_evidence import (
    format_image_evidence,
)
from senet_repro.report.text.markdown import align_columns
from senet_repro.report.text.notes import format_distinctions, format_heading, name_data
from senet_repro.report.text.pooled import format_pooled
from senet_repro.report.text.verdict_guide import explain_words
from senet_repro.results.metrics import Metric
from senet_repro.stats.estimates import LEVEL
from senet_repro.stats.ranks import RankAgreement

DECISIVE = (REPRODUCED, SMALLER, NO_EFFECT, CONTRADICTED)
"""The verdicts that decide a claim."""

HEADER = ("claim", "section", "verdict", "paper", "ours", "p", "n")


_PLACES = {
    Standing.PAPERS_OWN: "under the paper's protocol",
    Standing.CHANGED: "under a changed protocol",
    Standing.PROXY: "on a proxy (other data than the paper's)",
}
"""Where claims were judged, by the standing of their table."""


@dataclass(frozen=True)
class Verdicts:
    """Every claim of the tables asked for."""

    tables: list[tuple[ResultTable, list[Judged]]]
    without_records: list[PaperTable]

    @property
    def counts_by_standing(self) -> dict[Standing, dict[str, int]]:
        """Return how many claims have each verdict, apart for the paper's protocol, a changed one, and a proxy.

        Those of a table under two protocols count twice; standings without a table are left out.
        """
        counted: dict[Standing, dict[str, int]] = {}
        for standing in Standing:
            judged = self.list_judged(standing)
            if judged:
                counted[standing] = _count_verdicts(one.verdict for one in judged)
        return counted

    @property
    def counts_in_report(self) -> dict[str, int]:
        """Return how many claims of all tables have each verdict at the level of the whole report."""
        return _count_verdicts(one.verdict_in_report for _, judged in self.tables for one in judged)

    @property
    def claims_without_records(self) -> int:
        """Return how many claims are of tables without records."""
        return sum(len(paper.claims) for paper in self.without_records)

    def list_judged(self, standing: Standing) -> list[Judged]:
        """Return the verdicts on all tables of a standing."""
        found = []
        for table, judged in self.tables:
            if table.standing == standing:
                found += judged
        return found

    def count_provisional(self, standing: Standing) -> int:
        """Return how many verdicts on tables of a standing are provisional."""
        return sum(one.is_provisional for one in self.list_judged(standing))


def judge_tables(tables: Sequence[ResultTable], papers: Sequence[PaperTable]) -> Verdicts:
    """Return the verdicts on the tables there are, and which of the paper's tables have no record."""
    present = {table.paper.name for table in tables}
    judged = list(zip(tables, judge_together(tables), strict=True))
    return Verdicts(judged, [paper for paper in papers if paper.name not in present])


def _count_verdicts(verdicts: Iterable[str]) -> dict[str, int]:
    counts = Counter(verdicts)
    return {verdict: counts[verdict] for verdict in VERDICTS}


def format_verdicts(found: Verdicts, list_not_run: bool) -> str:
    """Return what was found in short, a table and its evidence for each table and protocol, and what the words mean.

    Tables whose claims could not be judged for want of runs are shown whole if `list_not_run`, and else named in short.
    """
    parts = ["## What was found", summarise_verdicts(found)]
    for table, judged in found.tables:
        if list_not_run or any(one.verdict != NOT_RUN for one in judged):
            parts.append(_format_table(table, judged))
    if list_not_run:
        parts += [_format_not_run(paper) for paper in found.without_records]
    parts.append(explain_words([one for _, judged in found.tables for one in judged]))
    return "\n\n".join(part for part in parts if part)


def summarise_verdicts(found: Verdicts) -> str:
    """Return how many claims have which verdict, which are decided, and what is missing."""
    parts = [
        list_items(count_claims(found)),
        list_items(_list_decided(found)),
        list_items(list_missing(found)),
    ]
    return "\n\n".join(part for part in parts if part)


def list_items(lines: Sequence[str]) -> str:
    """Return lines as a list in Markdown."""
    return "\n".join(f"- {line}" for line in lines)


def count_claims(found: Verdicts) -> list[str]:
    """Return in sentences how many claims have which verdict, by the standing of their tables and all together."""
    lines = []
    for standing, counts in found.counts_by_standing.items():
        tally = tally_verdicts(counts)
        provisional = found.count_provisional(standing)
        if provisional:
            tally += f"; {provisional} of them provisional"
        lines.append(f"{count_noun(sum(counts.values()), 'claim')} {_PLACES[standing]}: {tally}.")
    without = found.claims_without_records
    if without:
        lines.append(
            f"{count_noun(without, 'claim')} of tables without records: {without} {NOT_RUN}."
        )
    family = describe_family([judged for _, judged in found.tables])
    return [*lines, family] if family else lines


def _list_decided(found: Verdicts) -> list[str]:
    """Return a line for each claim that is decided, where several tables would have to be read for them."""
    if len(found.tables) < 2:
        return []
    lines = []
    for table, judged in found.tables:
        for one in judged:
            if one.verdict in DECISIVE:
                outcome = describe_outcome(one)
                claim = f"{_name_table(table, found)}, {one.claim.says}"
                lines.append(f"{format_verdict(one)}: {claim}. {outcome}")
    return lines


def list_missing(found: Verdicts) -> list[str]:
    """Return what is lacking for verdicts on all claims that nothing but chance could change."""
    without_runs = []
    reasons: dict[str, dict[str, None]] = {}
    undecided = 0
    for table, judged in found.tables:
        name = _name_table(table, found)
        lacking: dict[str, None] = {}
        for one in judged:
            lacking |= dict.fromkeys(one.lacking)
            undecided += one.verdict == INCONCLUSIVE and one.seeds is not None
            for reason in one.provisos:
                reasons.setdefault(reason, {})[name] = None
        if lacking:
            without_runs.append(f"{join_words(lacking, 'and')} ({name})")
    lines = [f"{start_sentence(reason)} ({', '.join(names)})." for reason, names in reasons.items()]
    if without_runs:
        lines.append(f"Rows without runs: {'; '.join(without_runs)}.")
    if undecided:
        claims = count_noun(undecided, "inconclusive claim")
        are, them = choose_form(undecided, "is", "are"), choose_form(undecided, "it", "them")
        lines.append(f"{claims} {are} a matter of seeds: `power` says what would settle {them}.")
    counted = describe_counted([one for _, judged in found.tables for one in judged])
    if counted:
        lines.append(counted)
    return lines + _list_reported(found)


def describe_counted(judged: Sequence[Judged]) -> str:
    """Return which claims no seed settles, since sizes were counted on another network; nothing without one."""
    counted = sum(one.verdict == INCONCLUSIVE and isinstance(one.kind, Cost) for one in judged)
    if not counted:
        return ""
    claims = count_noun(counted, "inconclusive claim")
    return f"Seeds do not settle {claims} about sizes: these were counted on another network than the paper's."


def _list_reported(found: Verdicts) -> list[str]:
    """Return a line on the claims that rest on runs of others, which nobody trained here; nothing without one."""
    resting = [one for _, judged in found.tables for one in judged if one.reported]
    if not resting:
        return []
    origins: dict[str, None] = {}
    tables: dict[str, None] = {}
    for one in resting:
        origins |= dict.fromkeys(one.reported)
        tables[_name_table(one.table, found)] = None
    claims = count_noun(len(resting), "claim")
    verb = choose_form(len(resting), "rests", "rest")
    return [
        f"{claims} {verb} on runs that {join_words(origins, 'and')} reported, and that were not trained here "
        f"({', '.join(tables)})."
    ]


def _name_table(table: ResultTable, found: Verdicts) -> str:
    """Return which table it is, with its data where the same table is there on others."""
    label = label_table(table.paper)
    if sum(other.paper.name == table.paper.name for other, _ in found.tables) > 1:
        return f"{label} on {name_data(table)}"
    return label


def describe_family(judged: Sequence[Sequence[Judged]]) -> str:
    """Return what the verdicts on several tables are at a level that all share; nothing for a single table."""
    if len(judged) < 2:
        return ""
    counts = _count_verdicts(one.verdict_in_report for of_table in judged for one in of_table)
    return (
        f"If all {len(judged)} tables share the {100 * LEVEL:g} % risk that chance alone makes any claim reproduced or "
        f"contradicted, this remains: {tally_verdicts(counts)}."
    )


def describe_outcome(one: Judged) -> str:
    """Return a claim's difference in the paper and in ours with its interval, how sure it is, and over how many seeds.

    Where there is no difference, the reason is returned.
    """
    if one.difference is None:
        return one.evidence
    published = format_published(one)
    parts = []
    if published:
        parts = [f"Paper {published}"]
    parts.append(f"ours {one.kind.format_ours(one.difference)}{_name_unit(one.kind)}")
    if isinstance(one.kind, Cost):
        parts.append("counted, so no test")
    else:
        if one.p_value is not None:
            parts.append(format_p_value(one.p_value))
        parts.append(count_seeds(one.n))
    if one.reported:
        parts.append(describe_reported(one.reported))
    return f"{', '.join(parts)}."


def _name_unit(kind: ClaimKind) -> str:
    """Return the unit of our difference, behind a blank; a cost is printed with its own."""
    if isinstance(kind, Cost):
        return ""
    return f" {kind.metric.difference_unit}"


def describe_order(agreement: RankAgreement, metric: Metric) -> str:
    """Return whether our rows come in the paper's order, and how likely that is by chance."""
    orders = "a sample of orders"
    if agreement.exact:
        orders = "all orders"
    return (
        f"Order of the {agreement.n} rows by {metric.title} beside the paper's: Kendall's tau {agreement.tau:+.2f}, "
        f"where +1 is the same order and -1 the reverse. Of {orders} {100 * agreement.p_value:.1f} % agree as well or "
        f"better (p = {agreement.p_value:.3f})."
    )


def _format_table(table: ResultTable, judged: Sequence[Judged]) -> str:
    agreement = compare_order(table)
    parts = [
        f"### {format_heading(table)}",
        caution_verdicts(table),
        format_distinctions(table),
        align_columns([HEADER, *map(_list_cells, judged)]),
        _format_evidence(judged),
        _explain_provisional(judged),
        format_pooled(table),
        format_image_evidence(table),
        describe_order(agreement, table.metrics[0]) if agreement else None,
    ]
    return "\n\n".join(part for part in parts if part)


def _format_evidence(judged: Sequence[Judged]) -> str:
    """Return the evidence for each claim that was judged; what is the same for all that were tested stands once."""
    shared = _find_shared(judged)
    lines = []
    for one in judged:
        if not one.lacking:
            own = [sentence for sentence in one.sentences if sentence not in shared]
            lines.append(f"- {one.claim.says}: {' '.join(own)}")
    if shared:
        lines += ["", f"Of every claim tested here: {' '.join(shared)}"]
    return "\n".join(lines)


def _find_shared(judged: Sequence[Judged]) -> list[str]:
    """Return the sentences that the evidence for each tested claim has; nothing of a single one."""
    tested = [one for one in judged if one.seeds is not None]
    if len(tested) < 2:
        return []
    return [
        sentence
        for sentence in tested[0].sentences
        if all(sentence in one.sentences for one in tested)
    ]


def _explain_provisional(judged: Sequence[Judged]) -> str | None:
    """Return why verdicts of a table are provisional, each reason once; None where none is."""
    reasons: dict[str, None] = {}
    for one in judged:
        if one.is_provisional:
            reasons |= dict.fromkeys(one.provisos)
    if not reasons:
        return None
    return f"Provisional, since {'; '.join(reasons)}."


def _format_not_run(paper: PaperTable) -> str:
    lines: list[Sequence[str]] = [HEADER]
    for claim in paper.claims:
        published = format_paper_difference(read_claim(paper, claim))
        lines.append((claim.says, claim.section, NOT_RUN, published, "", "", ""))
    heading = f"### {label_table(paper)}: {paper.title} (no records)"
    return f"{heading}\n\n{align_columns(lines)}"


def _list_cells(one: Judged) -> list[str]:
    return [
        one.claim.says,
        one.claim.section,
        format_verdict(one),
        format_published(one),
        format_ours(one),
        format_tested_p(one),
        str(one.n or ""),
    ]


def format_paper_difference(kind: ClaimKind) -> str:
    """Return the paper's own difference of all rows of a claim as it is printed; nothing where a figure is missing."""
    return kind.format_paper(find_paper_difference(kind))


def format_published(one: Judged) -> str:
    """Return the paper's own difference of the rows that ours is of, as it is printed; nothing where it has none."""
    return one.kind.format_paper(one.paper_difference)


def format_ours(one: Judged) -> str:
    """Return our own difference of a claim's rows as it is printed; nothing where there is none."""
    return one.kind.format_ours(one.difference) if one.difference else ""


def format_tested_p(one: Judged) -> str:
    """Return a claim's p value for a column headed p, or the word `counted` where sizes are compared."""
    if one.p_value is not None:
        return format_p_cell(one.p_value)
    # Sizes are no sample, so there is nothing to test.
    if isinstance(one.kind, Cost) and one.difference:
        return "counted"
    return ""
