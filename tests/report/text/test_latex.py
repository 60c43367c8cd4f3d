"""Tables as LaTeX: what is data is never markup, and the whole compiles."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from senet_repro.config.paper_tables import find_table, paper_tables
from senet_repro.report.tables.build import build_tables
from senet_repro.report.text.latex import escape_latex, format_latex
from senet_repro.results.store import Results
from tests.records import make_record
from tests.report.renamed import HOSTILE, renamed

DOCUMENT = r"\documentclass{article}\usepackage{booktabs,graphicx}\begin{document}\input{tables}\end{document}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("50 % of A&B", r"50 \% of A\&B"),
        ("a_b #1 $2 {3}", r"a\_b \#1 \$2 \{3\}"),
        ("~ ^ \\", r"\textasciitilde{} \textasciicircum{} \textbackslash{}"),
        ("± Δ", r"$\pm$ $\Delta$"),
        ("<b> |", r"\textless{}b\textgreater{} \textbar{}"),
        ("--allow-mixed --- x", r"-{}-allow-mixed -{}-{}- x"),
        ("[5] *", "{[}5] {*}"),
        ("two\nlines\t", "two lines"),
        ("Besançon, Łódź", "Besançon, Łódź"),
        ("中 \x1b\x00", "U+4E2D U+001BU+0000"),
    ],
)
def test_no_character_of_the_data_is_read_as_markup(text: str, expected: str) -> None:
    assert escape_latex(text) == expected


def test_the_papers_figures_and_ours_stand_in_groups_of_their_own() -> None:
    (table,) = build_tables(
        Results([make_record([], seed=0, top1=3.0)]), [find_table("reduction_ratio")]
    )
    lines = format_latex([table]).splitlines()
    assert r"\usepackage{booktabs,graphicx}" in lines[0]
    assert lines[0].startswith("%")
    assert r" & \multicolumn{5}{c}{Paper} & \multicolumn{7}{c}{Ours} \\" in lines
    assert r"\cmidrule(lr){2-6}\cmidrule(lr){7-13}" in lines
    assert r"\caption{Reduction ratio (the paper's Table 10; digits, a proxy)}" in lines
    row = next(line for line in lines if line.startswith("r = 8"))
    assert r"\multicolumn{2}{c}{not run}" in row
    row = next(line for line in lines if line.startswith("r = 16"))
    assert "$22.28$ & $6.03$ & $-1.02$" in row
    assert "$3.00$ &  &" in row  # one seed, no interval


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex on this machine")
def test_all_tables_compile_whatever_their_rows_and_notes_are_called(tmp_path: Path) -> None:
    points = [
        [],
        ["stages=none"],
        ["squeeze=max"],
        ["+experiment=imagenet"],
        ["+experiment=cifar10", "model=wrn16_8"],
    ]
    records = [
        make_record(point, seed=seed, top1=3.0 + seed) for point in points for seed in (0, 1)
    ]
    tables = build_tables(Results(records), list(paper_tables().values()))
    assert len(tables) > 8
    text = format_latex([*tables, *(renamed(table, HOSTILE) for table in tables)])
    (tmp_path / "tables.tex").write_text(text, encoding="utf-8")
    (tmp_path / "main.tex").write_text(DOCUMENT)
    command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "main.tex"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, errors="replace"
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "main.pdf").stat().st_size > 10_000
