"""Several tables in a few words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from senet_repro.config.paper_tables import find_table
from senet_repro.report.paper.naming import name_papers


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (["10"], "Table 10"),
        (["10", "11", "12", "10"], "Tables 10-12"),
        (["2", "10", "11", "last_stage"], "Tables 2, 10, 11 and section 4"),
        (["last_stage"], "section 4"),
    ],
)
def test_tables_in_a_row_are_a_range(wanted: list[str], expected: str) -> None:
    assert name_papers(map(find_table, wanted)) == expected


def test_a_table_of_ones_own_goes_by_its_title() -> None:
    own = replace(find_table("squeeze"), number=None, section="", title="Our squeeze")
    assert name_papers([find_table("10"), own]) == "Table 10 and Our squeeze"
