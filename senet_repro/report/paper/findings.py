"""Section 4 of a report: figures beside the paper's, verdicts, what is open, and studies of networks (report floor)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from senet_repro.core.wording import count_noun, join_words
from senet_repro.report.claims.borders import BorderVerdict
from senet_repro.report.claims.costs import judge_costs
from senet_repro.report.claims.judge import Judged, compare_order, format_verdict
from senet_repro.report.claims.seeds_needed import POWER, SECOND_SEED, plan_seeds
from senet_repro.report.claims.words import tally_verdicts
from senet_repro.report.paper.document import Block, Listing, Paragraph, Section, Table
from senet_repro.report.paper.facts import Facts
from senet_repro.report.paper.naming import head_table
from senet_repro.report.paper.scope import name_figure
from senet_repro.report.tables.build import ResultRow, ResultTable
from senet_repro.report.tables.gate_studies import judge_network
from senet_repro.report.tables.importance import judge_importance
from senet_repro.report.tables.numbers import (
    choose_difference_spec,
    choose_value_spec,
    format_interval,
    format_number,
)
from senet_repro.report.text.borders import name_claim
from senet_repro.report.text.costs import format_cost_heading
from senet_repro.report.text.evaluations import (
    format_rescored_heading,
    list_rescored_cells,
    list_rescored_notes,
)
from senet_repro.report.text.notes import (
    explain_gap,
    format_seed_count,
    list_notes,
)
from senet_repro.report.text.pooled import format_pooled
from senet_repro.report.text.seeds_needed import describe_need
from senet_repro.report.text.studies import GATES, IMPORTANCE
from senet_repro.report.text.verdicts import (
    count_claims,
    describe_counted,
    describe_order,
    format_ours,
    format_published,
    format_tested_p,
)
from senet_repro.results.metrics import Metric

METRICS_BESIDE = 3
"""So many further metrics find room in one table."""


def write_results(facts: Facts) -> Section:
    """Return every table with its verdicts, what is inconclusive, and the studies that lie in the folder."""
    subsections = [_write_table(facts, table, judged) for table, judged in facts.verdicts.tables]
    subsections.append(_write_open_claims(facts))
    studies = _write_studies(facts)
    if studies:
        subsections.append(Section("Studies without training", studies))
    return Section("Results", [Paragraph(" ".join(count_claims(facts.verdicts)))], subsections)


def _write_table(facts: Facts, table: ResultTable, judged: Sequence[Judged]) -> Section:
    blocks: list[Block] = list(_list_figures(table))
    if judged:
        blocks.append(_write_verdicts(facts.number_verdicts(table, judged)))
        sentences = [
            f"{one.claim.says} ({format_verdict(one)}). {one.sentences[0]}" for one in judged
        ]
        blocks.append(Listing(sentences, facts.find_first_number(table)))
    agreement = compare_order(table)
    if agreement:
        blocks.append(Paragraph(describe_order(agreement, table.metrics[0])))
    pooled = format_pooled(table)
    if pooled:
        blocks.append(Paragraph(pooled))
    return Section(head_table(table), blocks)


def _list_figures(table: ResultTable) -> list[Table]:
    """Return the paper's figures beside ours: the first metric with its differences, and then the others."""
    headline = table.metrics[0]
    label = headline.label
    header = ["row", f"paper {headline.heading}", "ours", "n", f"paper Δ {label}", "our Δ"]
    rows = [_list_headline_cells(table, row) for row in table.rows]
    caption = "The paper's figures beside ours"
    figures = [Table(caption, header, rows, notes=list_notes(table, with_departures=False))]
    others = [metric for metric in table.metrics[1:] if _has_figure(table, metric)]
    for start in range(0, len(others), METRICS_BESIDE):
        metrics = others[start : start + METRICS_BESIDE]
        headings = ["row"]
        for metric in metrics:
            headings += [f"paper {metric.heading}", "ours"]
        names = join_words([metric.label for metric in metrics], "and")
        further = [_list_further_cells(row, metrics) for row in table.rows]
        figures.append(Table(f"{caption}: {names}", headings, further))
    return figures


def _has_figure(table: ResultTable, metric: Metric) -> bool:
    return any(
        metric.name in row.estimates or metric.name in row.paper.figures for row in table.rows
    )


def _list_headline_cells(table: ResultTable, row: ResultRow) -> list[str]:
    metric = table.metrics[0]
    spec, difference_spec = choose_value_spec(metric), choose_difference_spec(metric)
    ours = format_interval(row.estimates.get(metric.name), spec) or explain_gap(row)
    count = format_seed_count(table, row) if row.records else ""
    published = format_number(row.paper.published(metric.name), spec)
    if table.is_baseline(row):
        return [row.name, published, ours, count, "baseline", "baseline"]
    return [
        row.name,
        published,
        ours,
        count,
        format_number(table.paper_delta(row, metric.name), difference_spec),
        format_interval(row.differences.get(metric.name), difference_spec),
    ]


def _list_further_cells(row: ResultRow, metrics: Sequence[Metric]) -> list[str]:
    cells = [row.name]
    for metric in metrics:
        spec = choose_value_spec(metric)
        cells.append(format_number(row.paper.published(metric.name), spec))
        cells.append(format_interval(row.estimates.get(metric.name), spec))
    return cells


def _write_verdicts(numbered: Sequence[tuple[int, Judged]]) -> Table:
    """Return the verdict on each claim with the paper's difference, ours with its interval, p and n."""
    rows = []
    for number, one in numbered:
        rows.append(
            [
                str(number),
                format_verdict(one),
                name_figure(one.kind),
                format_published(one),
                format_ours(one),
                format_tested_p(one),
                str(one.n or ""),
            ]
        )
    return Table(
        caption="The verdicts on its claims",
        header=("claim", "verdict", "figure", "paper", "ours", "p", "n"),
        rows=rows,
        words=3,
    )


def _write_open_claims(facts: Facts) -> Section:
    """Return the seeds and the hours that would settle each claim that is inconclusive."""
    blocks: list[Block] = []
    goals: set[str] = set()
    for table, judged in facts.verdicts.tables:
        needed = plan_seeds(table, POWER)
        if not needed:
            continue
        goals |= {one.goal for one in needed}
        numbers = {one.claim.says: number for number, one in facts.number_verdicts(table, judged)}
        items = []
        for need in needed:
            number = numbers[need.judged.claim.says]
            items.append(f"Claim {number}: {describe_need(need, POWER)}")
        blocks += [Paragraph(f"{head_table(table)}:"), Listing(items)]
    if blocks:
        blocks.insert(0, Paragraph(_introduce_seeds(goals)))
    else:
        blocks.append(Paragraph("No claim about a metric is inconclusive for want of seeds."))
    counted = describe_counted(facts.judged)
    if counted:
        blocks.append(Paragraph(counted))
    return Section("What is inconclusive, and what would settle it", blocks)


def _introduce_seeds(goals: Collection[str]) -> str:
    """Return what the numbers of seeds below mean, by what the seeds are to show."""
    sentences = []
    if SECOND_SEED in goals:
        sentences.append(
            "Where a claim has one seed, a second is asked for: it tells how far seeds differ, and then how many would "
            "settle the claim."
        )
    if any(goal != SECOND_SEED for goal in goals):
        sentences.append(
            f"So many seeds would settle these claims with a chance of {POWER:.0%}, if the differences are as they "
            "look so far."
        )
    sentences.append(
        "Times are those of the missing runs one after the other, each as long as its row's runs so far; claims share "
        "runs, so the times of several do not add up."
    )
    return " ".join(sentences)


def _write_studies(facts: Facts) -> list[Block]:
    """Return the verdicts on networks that are there, kind by kind, and weights that were scored again."""
    studies = facts.studies
    blocks: list[Block] = []
    if studies.gates:
        judged = [judge_network(network) for network in studies.gates]
        names = [network.name for network in studies.gates]
        blocks.append(_tally_study(GATES, names, judged))
    if studies.importance:
        judged = [judge_importance(finding) for finding in studies.importance]
        names = [finding.name for finding in studies.importance]
        blocks.append(_tally_study(IMPORTANCE, names, judged))
    if studies.costs:
        judged = [judge_costs(table) for table in studies.costs]
        names = [format_cost_heading(table) for table in studies.costs]
        blocks.append(_tally_study("Section 4: what SE costs", names, judged))
    for table in studies.rescored:
        head, *rows = list_rescored_cells(table)
        notes = list_rescored_notes(table)
        blocks.append(Table(format_rescored_heading(table), head, rows, words=3, notes=notes))
    return blocks


def _tally_study(
    heading: str, names: Sequence[str], judged: Sequence[Sequence[BorderVerdict]]
) -> Table:
    """Return how many of the networks bear each claim of a study out."""
    counts: dict[str, Counter[str]] = {}
    sections: dict[str, str] = {}
    for verdicts in judged:
        for one in verdicts:
            name = name_claim(one.claim)
            counts.setdefault(name, Counter())[one.verdict] += 1
            sections[name] = one.claim.section
    rows = [(name, sections[name], tally_verdicts(found)) for name, found in counts.items()]
    networks = count_noun(len(names), "network")
    return Table(
        caption=f"{heading}, by how many of {networks}",
        header=("claim", "section", "verdicts"),
        rows=rows,
        words=3,
        notes=[
            "Judged one by one, by borders that were fixed before, so that a verdict holds for its own network alone: "
            f"{'; '.join(names)}."
        ],
    )
