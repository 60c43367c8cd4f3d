"""Name several tables of the paper together (report floor)."""

from __future__ import annotations

from collections.abc import Iterable

from senet_repro.config.schema import PaperTable
from senet_repro.core.wording import choose_form, join_words
from senet_repro.report.tables.build import ResultTable
from senet_repro.report.tables.numbers import start_sentence
from senet_repro.report.tables.planned_seeds import list_seeds
from senet_repro.report.text.notes import format_heading


def name_papers(papers: Iterable[PaperTable]) -> str:
    """Return tables as a sentence lists them, each once: `Tables 10-16 and section 4`; our own go by their titles."""
    numbers: set[int] = set()
    others: dict[str, None] = {}
    for paper in papers:
        if paper.number:
            numbers.add(paper.number)
        elif paper.section:
            others[f"section {paper.section}"] = None
        else:
            others[paper.title] = None
    words = list(others)
    if numbers:
        noun = choose_form(len(numbers), "Table", "Tables")
        # Numbers in a row are written as those of seeds are.
        words.insert(0, f"{noun} {list_seeds(numbers)}")
    return join_words(words, "and")


def name_tables(tables: Iterable[ResultTable]) -> str:
    """Return the same of tables that were rebuilt."""
    return name_papers(table.paper for table in tables)


def name_variants(tables: Iterable[ResultTable]) -> str:
    """Return the same, and of a table that is there under several protocols what distinguishes each."""
    alike = []
    distinct: dict[str, None] = {}
    for table in tables:
        if table.distinctions:
            name = start_sentence(name_tables([table]))
            distinct[f"{name} with {join_words(table.distinctions, 'and')}"] = None
        else:
            alike.append(table)
    words = [name_tables(alike)] if alike else []
    return join_words([*words, *distinct], "and")


def head_table(table: ResultTable) -> str:
    """Return the heading of a table, told apart from those of the same table under other protocols."""
    heading = format_heading(table)
    if not table.distinctions:
        return heading
    return f"{heading}: {join_words(table.distinctions, 'and')}"
