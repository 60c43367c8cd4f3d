"""A document as Markdown: numbered, lined up, and no text of it is markup."""

from __future__ import annotations

import re

import pytest

from senet_repro.report.paper.markdown import escape_prose, render_markdown
from tests.report.paper.documents import make_document
from tests.report.renamed import HOSTILE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain text, 4.5 % of it", "plain text, 4.5 % of it"),
        ("SE_Stage_2 and _this_", r"SE_Stage_2 and \_this\_"),
        ("<b> [a](b) *c* `d` ~e~ $f$ a|b", r"\<b\> \[a\](b) \*c\* \`d\` \~e\~ \$f\$ a\|b"),
        ("a & b &lt; &#60;", r"a & b \&lt; \&#60;"),
        ("1. one", r"1\. one"),
        ("1.5 points", "1.5 points"),
        ("- item", r"\- item"),
        ("-1.02 points", "-1.02 points"),
        ("## heading", r"\## heading"),
        ("#1 of them", "#1 of them"),
        ("---", r"\---"),
        ("two\nlines", "two lines"),
        ("back\\slash", r"back\\slash"),
    ],
)
def test_nothing_in_a_text_is_markup(text: str, expected: str) -> None:
    assert escape_prose(text) == expected


def test_sections_are_numbered_and_lists_go_on_where_they_are_told() -> None:
    text = render_markdown(make_document("a_text"))
    assert text.startswith(
        "# a_text\n\na_text\n\na_text\n\n## Reproducibility summary\n\n> **Results.** a_text\n"
    )
    headings = re.findall(r"^#+ .*", text, re.MULTILINE)[2:]
    assert headings == ["## 1 One", "### 1.1 Below", "## 2 Two", "## References"]
    assert "4. a_text\n5. a_text\n\n- a_text\n" in text
    assert "| a_text |      n |\n| ------ | -----: |\n| a_text |     -1 |\n" in text
    assert text.endswith("\\[1\\] a_text\n")


def test_no_text_opens_html_ends_a_cell_or_leaves_its_block() -> None:
    text = render_markdown(make_document(HOSTILE))
    fenced = re.findall(r"^````*bash\n.*?^````*$", text, re.MULTILINE | re.DOTALL)
    assert len(fenced) == 1
    outside = text.replace(fenced[0], "")
    assert not re.search(
        r"(?<!\\)[<\[*`|$](?!\s*[-\\\w])", re.sub(r"^\|.*|\*\*", "", outside, flags=re.MULTILINE)
    )
    rows = [line for line in outside.splitlines() if line.startswith("|")]
    assert len({len(re.findall(r"(?<!\\)\|", row)) for row in rows}) == 1


def test_controls_in_a_text_are_shown_and_not_obeyed() -> None:
    assert "\\x1b\\u202e" in render_markdown(make_document("\x1b\u202e"))
