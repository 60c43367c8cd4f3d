"""A document as LaTeX: whole, numbered by LaTeX itself, and no text of it is markup."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from senet_repro.report.paper.document import Document, Section, Table
from senet_repro.report.paper.latex import MOST_LINES, render_latex
from tests.report.paper.documents import make_document
from tests.report.renamed import HOSTILE

FROM_PEOPLE = (
    "µ ± ≤ ≥ \N{LEFT DOUBLE QUOTATION MARK}quotes\N{RIGHT DOUBLE QUOTATION MARK} \N{RIGHT SINGLE QUOTATION MARK} "
    "Łódź SE_Stage_2 a_b 100 % & # $ ^ ~ \\ {x} <y> [z] * -- 10\N{MINUS SIGN}3"
)


def test_a_document_is_whole_and_takes_booktabs_alone() -> None:
    text = render_latex(make_document("a text"))
    assert re.findall(r"\\usepackage.*", text) == [r"\usepackage{booktabs}"]
    begun = re.findall(r"\\begin{(\w+)}", text)
    assert sorted(begun) == sorted(re.findall(r"\\end{(\w+)}", text))
    assert re.findall(r"\\(?:sub)?section{.*}", text) == [
        r"\section{One}",
        r"\subsection{Below}",
        r"\section{Two}",
    ]
    assert r"\setcounter{enumi}{3}" in text
    assert text.index("Reproducibility summary") < text.index(r"\clearpage") < text.index("One")


def test_texts_are_escaped_and_negative_numbers_have_a_minus() -> None:
    text = render_latex(make_document("100 % of a_b, -1.02 in seeds 1-4"))
    assert r"100 \% of a\_b, $-$1.02 in seeds 1-4" in text
    assert "a_b" not in text


def test_commands_stay_as_they_are_typed() -> None:
    text = render_latex(make_document("x"))
    line = r"python -m senet\_repro \char13{}stages=\allowbreak{}{[}2,\allowbreak{}3]\char13{}"
    assert line in text


def test_a_table_that_no_page_holds_is_parted() -> None:
    rows = [(str(number), "x") for number in range(2 * MOST_LINES + 1)]
    table = Table("Many rows", ("row", "figure"), rows, notes=["The note."])
    document = Document(
        title="t", authors=(), summary=[], sections=[Section("One", [table])], references=[]
    )
    text = render_latex(document)
    assert text.count(r"\begin{tabular}") == 3
    assert text.count("Many rows (continued)") == 2
    assert text.count("The note.") == 1


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex on this machine")
def test_a_document_compiles_whatever_its_texts_are(tmp_path: Path) -> None:
    text = f"{HOSTILE} {FROM_PEOPLE} {'word ' * 200}"
    (tmp_path / "paper.tex").write_text(render_latex(make_document(text)), encoding="utf-8")
    command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "paper.tex"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, errors="replace"
    )
    assert done.returncode == 0, done.stdout[-2000:]
