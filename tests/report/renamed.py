"""Tables whose names hold what Markdown, HTML and LaTeX read as markup."""

from __future__ import annotations

from dataclasses import replace

from senet_repro.report.tables.build import ResultTable

HOSTILE = "[1]* \\ & % _ # $ ~ ^ { } <b> | -- ± Δ 中\n`é`"


def renamed(table: ResultTable, name: str) -> ResultTable:
    """The table with `name` in its title, its note and the name of each row."""
    paper = table.paper

    def new(row: str | None) -> str | None:
        return row and f"{name} {row}"

    rows = {
        f"{name} {row}": replace(value, baseline=new(value.baseline))
        for row, value in paper.rows.items()
    }
    paper = replace(
        paper, title=name, note=name, rows=rows, baseline=new(paper.baseline), claims=[]
    )
    return replace(
        table, paper=paper, rows=[replace(row, name=f"{name} {row.name}") for row in table.rows]
    )
