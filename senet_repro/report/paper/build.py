"""Build the report in the form of a paper from the facts about a results folder (report floor)."""

from __future__ import annotations

from senet_repro.report.paper.discussion import write_discussion, write_summary
from senet_repro.report.paper.document import Document
from senet_repro.report.paper.facts import Facts
from senet_repro.report.paper.findings import write_results
from senet_repro.report.paper.methods import write_methods
from senet_repro.report.paper.references import list_references
from senet_repro.report.paper.scope import write_introduction, write_scope

TITLE = "[Re] Squeeze-and-Excitation Networks"
"""The title of a report whose authors give none, as ReScience C begins titles of replications."""

NO_AUTHORS = "The authors left out their names."


def build_document(facts: Facts) -> Document:
    """Return the whole report; its numbers are those of the records, and its opinions those of the remarks."""
    remarks = facts.remarks
    references = list_references(facts.records)
    return Document(
        title=" ".join(remarks.title) or TITLE,
        authors=remarks.authors or (NO_AUTHORS,),
        summary=write_summary(facts),
        sections=[
            write_introduction(facts),
            write_scope(facts),
            write_methods(facts, references),
            write_results(facts),
            write_discussion(facts),
        ],
        references=references,
    )
