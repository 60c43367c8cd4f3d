"""What people say of their reproduction: read in paragraphs, refused where it is something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from senet_repro.core.errors import ConfigError
from senet_repro.report.paper.remarks import EXAMPLE, REMARKS, REMARKS_FILE, Remarks, read_remarks


def test_without_a_file_nothing_is_said_and_everything_is_missing(tmp_path: Path) -> None:
    assert read_remarks(tmp_path) == Remarks()
    assert Remarks().missing == list(REMARKS)


def test_the_example_of_the_errors_has_every_key(tmp_path: Path) -> None:
    (tmp_path / REMARKS_FILE).write_text(EXAMPLE)
    assert read_remarks(tmp_path).missing == []


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("easy: a text", ("a text",)),
        ("easy: [one, two]", ("one", "two")),
        ("easy: |\n  one\n  line\n\n  another\n", ("one line", "another")),
        ("easy: |\n  one\n   \n  another\n \n\n  third\n", ("one", "another", "third")),
        ("easy:", ()),
        ("easy: ['', ' ']", ()),
        ("easy: '${seed} is no reference'", ("${seed} is no reference",)),
    ],
)
def test_a_remark_is_a_text_or_several_in_paragraphs(
    tmp_path: Path, written: str, read: tuple[str, ...]
) -> None:
    (tmp_path / REMARKS_FILE).write_text(written)
    assert read_remarks(tmp_path).easy == read


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("eazy: x", "unknown key 'eazy'; did you mean easy"),
        ("zzz: x", "there are title, authors, surprises, easy, difficult and communication"),
        ("easy: 3", "give a text or a list of texts"),
        ("easy: [a, 3]", "give a text or a list of texts"),
        ("easy: {a: b}", "give a text or a list of texts"),
        ('easy: "\\u202eturned"', "letters that can be printed"),
        (f"easy: {'x' * 20_001}", "in letters that can be printed, each of up to 20,000"),
        ("- easy", "not a part with keys"),
        ("easy: [", "no YAML"),
    ],
)
def test_another_key_or_value_is_refused_with_the_mend(
    tmp_path: Path, written: str, message: str
) -> None:
    (tmp_path / REMARKS_FILE).write_text(written)
    with pytest.raises(ConfigError, match=message) as error:
        read_remarks(tmp_path)
    assert REMARKS_FILE in str(error.value)
