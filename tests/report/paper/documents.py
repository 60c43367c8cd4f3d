"""A small document with every kind of block, whose texts are the same hostile one."""

from __future__ import annotations

from senet_repro.report.paper.document import (
    Commands,
    Document,
    Listing,
    Paragraph,
    Section,
    Table,
)


def make_document(text: str) -> Document:
    """A document that holds a text in each place where one can stand."""
    table = Table(text, (text, "n"), [(text, "-1"), ("b", text)], words=1, notes=[text])
    blocks = [
        Paragraph(text, label=text),
        Paragraph(text),
        Listing([text, text], first=4),
        Listing([text]),
        Commands([text, "python -m senet_repro 'stages=[2,3]' r=4"]),
        table,
    ]
    return Document(
        title=text,
        authors=(text, text),
        summary=[Paragraph(text, label="Results")],
        sections=[
            Section("One", blocks, [Section("Below", [Paragraph(text)])]),
            Section("Two", [table]),
        ],
        references=[text],
    )
