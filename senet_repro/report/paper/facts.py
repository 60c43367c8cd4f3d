"""The facts that a report in the form of a paper is written from: records, plan, verdicts, remarks (report floor)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from senet_repro.config.schema import Claim, PaperTable
from senet_repro.core.errors import ConfigError
from senet_repro.report.claims.judge import Judged
from senet_repro.report.page.sections import split_tables
from senet_repro.report.paper.remarks import Remarks, read_remarks
from senet_repro.report.tables.build import ResultRow, ResultTable, build_tables
from senet_repro.report.tables.load import load_printable_results
from senet_repro.report.tables.studies import Studies, read_studies
from senet_repro.report.text.verdicts import Verdicts, judge_tables
from senet_repro.results.account import Account, read_account
from senet_repro.results.campaign_file import CAMPAIGN_SOURCE, CampaignFile, read_campaign_file
from senet_repro.results.record import Record
from senet_repro.results.store import Results, pause_collection


@dataclass(frozen=True)
class TestedClaim:
    """A claim of the paper under the number that it has in the report."""

    number: int
    paper: PaperTable
    claim: Claim


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The facts about a results folder, whose path is none of them: the same records give the same report."""

    results: Results
    verdicts: Verdicts
    studies: Studies
    remarks: Remarks
    source: CampaignFile | None = None  # of a campaign's folder
    account: Account | None = None  # None where no campaign was planned there
    # Tables with records that are left out, since others show all that is here of them.
    others: Sequence[ResultTable] = field(default_factory=list)

    @property
    def tables(self) -> list[ResultTable]:
        """Return the tables of the report."""
        return [table for table, _ in self.verdicts.tables]

    @property
    def judged(self) -> list[Judged]:
        """Return the verdicts on all claims, in the order of their tables."""
        return [one for _, judged in self.verdicts.tables for one in judged]

    @property
    def rows(self) -> list[tuple[ResultTable, ResultRow]]:
        """Return every row that has records which count, with its table."""
        return [(table, row) for table in self.tables for row in table.rows if row.records]

    @property
    def records(self) -> list[Record]:
        """Return the records that the tables count, each once."""
        found: dict[tuple[str, int], Record] = {}
        for _, row in self.rows:
            for record in row.records:
                found[record.run_key, record.seed] = record
        return list(found.values())

    @property
    def claims(self) -> list[TestedClaim]:
        """Return the claims of the tables, numbered; those of a table under two protocols have one number."""
        papers = {table.paper.name: table.paper for table in self.tables}
        claims = [(paper, claim) for paper in papers.values() for claim in paper.claims]
        return [
            TestedClaim(number, paper, claim)
            for number, (paper, claim) in enumerate(claims, start=1)
        ]

    def find_first_number(self, table: ResultTable) -> int:
        """Return the number of a table's first claim; the others follow it. The table has a claim."""
        return next(one.number for one in self.claims if one.paper.name == table.paper.name)

    def number_verdicts(
        self, table: ResultTable, judged: Sequence[Judged]
    ) -> list[tuple[int, Judged]]:
        """Return the verdicts on all claims of a table, each with the number of its claim."""
        if not judged:
            return []
        return list(enumerate(judged, start=self.find_first_number(table)))


def gather_facts(
    results_dir: Path, papers: Sequence[PaperTable], *, shows_all: bool, only_ours: bool = False
) -> Facts:
    """Return the facts about a results folder, of the tables in `papers`.

    Tables that only share rows with others are left out, unless they were planned or `shows_all`; with `only_ours` the
    runs that others reported are.

    Raises:
        ConfigError: no record stands in one of the tables, or the plan, campaign.yaml or remarks.yaml is damaged.
    """
    remarks = read_remarks(results_dir)
    with pause_collection():
        results = load_printable_results(results_dir, only_ours=only_ours)
        tables = build_tables(results, papers)
    if not tables:
        raise ConfigError(_explain_nothing(results_dir, results))
    studies, problems = read_studies(results_dir, papers)
    results.unreadable.extend(problems)
    campaign = results.campaign
    planned = [] if campaign is None else list(campaign.tables)
    shown = tables if shows_all else _choose_tables(tables, planned)
    judged_papers = [table.paper for table in shown]
    # A planned table without a record is told, too: its claims were not run.
    present = {table.paper.name for table in tables}
    judged_papers += [
        paper for paper in papers if paper.name in planned and paper.name not in present
    ]
    source = None
    if (results_dir / CAMPAIGN_SOURCE).exists():
        source = read_campaign_file(results_dir)
    return Facts(
        results=results,
        verdicts=judge_tables(shown, judged_papers),
        studies=studies,
        remarks=remarks,
        source=source,
        account=None if campaign is None else read_account(results_dir, campaign),
        others=_leave_out(tables, shown),
    )


def _choose_tables(tables: Sequence[ResultTable], planned: Sequence[str]) -> list[ResultTable]:
    """Return the tables that something was trained for, and those that were planned, in their order."""
    _, others = split_tables(tables)
    unplanned = [table for table in others if table.paper.name not in planned]
    return _leave_out(tables, unplanned)


def _leave_out(tables: Sequence[ResultTable], others: Sequence[ResultTable]) -> list[ResultTable]:
    """Return the tables that are none of others; by identity, since comparing all their records would take long."""
    left = {id(table) for table in others}
    return [table for table in tables if id(table) not in left]


def _explain_nothing(results_dir: Path, results: Results) -> str:
    """Return why there is nothing to report, with the mend."""
    if results.records:
        return (
            f"no record in {results_dir} stands in a table that was asked for; "
            "`python -m senet_repro report` shows what is there"
        )
    return (
        f"no records in {results_dir}, and so nothing to report; give the folder that runs were written to, "
        "--results DIR"
    )
