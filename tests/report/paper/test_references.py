"""What is cited: the paper, and the sets of the records."""

from __future__ import annotations

from senet_repro.config.conf_dir import list_files
from senet_repro.report.paper.references import PAPER, SETS, cite_set, list_references
from tests.records import make_record


def test_the_paper_comes_first_and_each_set_once() -> None:
    records = [make_record([], seed=seed, top1=3.0) for seed in (0, 1)]
    references = list_references(records)
    assert references == [PAPER, SETS["digits"]]
    assert cite_set(records[0], references) == " [2]"


def test_only_sets_of_the_grid_have_publications() -> None:
    assert set(SETS) <= set(list_files("data"))
