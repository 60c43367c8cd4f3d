"""The table of sizes: every row of the paper with its counts, and their verdicts."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from senet_repro.config.composition import compose
from senet_repro.config.paper_tables import paper_tables
from senet_repro.config.schema import DETECTION, Row, Run
from senet_repro.models import list_models
from senet_repro.models import sizes as module
from senet_repro.models.cost import count_run, count_runs
from senet_repro.models.sizes import Size, count_sizes
from tests.models.expected_sizes import expected_sizes, network_of_run
from tests.models.size_document import DOCUMENT, format_document


def expected_counts(runs: Sequence[Run]) -> list[tuple[int, int]]:
    """Return the counts of the networks of runs from the file of expected sizes, and those of detectors as counted."""
    counts = []
    for run in runs:
        if run.task == DETECTION:
            # They are of no published size; test_detector_cost.py counts them by hand.
            counts.append(count_run(run))
            continue
        expected = expected_sizes()[network_of_run(run)]
        counts.append((expected.params, expected.macs))
    return counts


@pytest.fixture(scope="module")
def listed() -> list[Size]:
    """The whole table of sizes; test_cost.py counts the networks that are looked up here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "count_runs", expected_counts)
        return list(count_sizes())


def test_every_row_of_every_table_is_listed_and_then_the_networks_of_no_table(
    listed: list[Size],
) -> None:
    rows = [(table.name, row) for table in paper_tables().values() for row in table.rows]
    in_tables = [(size.table.name, size.row) for size in listed if size.table]
    assert in_tables == rows
    others = [size.row for size in listed if not size.table]
    assert others == [f"{se}{name}" for name in others[::2] for se in ("", "SE-")]
    assert set(others) <= {f"{se}{name}" for name in list_models() for se in ("", "SE-")}


def test_every_row_meets_the_published_figures_or_says_why(listed: list[Size]) -> None:
    for size in listed:
        assert size.verdict != "off", f"{size.row}: {size.params_off}, {size.macs_off}"
        assert (size.verdict == "known") <= bool(size.published.size_note)
    assert {size.row for size in listed if size.verdict == "known"} == {
        "ShuffleNet",
        "SE-ShuffleNet",
    }
    assert {size.verdict for size in listed} == {
        "match",
        "known",
        "not published",
        "cited only",
        "not in the paper",
    }


def test_the_page_of_sizes_holds_what_is_counted_now(listed: list[Size]) -> None:
    mend = "python -m tests.models.size_document writes it anew"
    assert DOCUMENT.read_text() == format_document(listed), mend


def test_the_network_of_a_run_is_the_one_that_is_counted() -> None:
    points = (["r=16", "se.bias=true"], ["stages=none"], ["model=resnet20", "se.bias=true"])
    runs = [compose(["data=cifar10", *point]) for point in points]
    assert count_runs(runs) == expected_counts(runs)
    assert count_runs([runs[0]] * 3) == expected_counts([runs[0]] * 3)


@pytest.mark.parametrize(
    ("published", "verdict"),
    [
        (Row(params_m=1.004, gflops=2.0), "match"),
        (Row(params_m=1.006, gflops=2.0), "off"),
        (Row(params_m=1.006, gflops=2.0, size_note="a reason"), "known"),
        (Row(params_m=1.0, gflops=2.02), "off"),
        (Row(gflops=1.995), "match"),
        (Row(), "not published"),
    ],
)
def test_a_verdict_allows_half_a_percent(published: Row, verdict: str) -> None:
    table = next(iter(paper_tables().values()))
    assert Size(table, "row", published, params=1_000_000, macs=2_000_000_000).verdict == verdict


@pytest.mark.parametrize(("published", "verdict"), [(4.2, "match"), (4.3, "off")])
def test_a_verdict_allows_what_the_printed_decimal_hides(published: float, verdict: str) -> None:
    table = next(iter(paper_tables().values()))
    assert Size(table, "row", Row(params_m=published), params=4_231_976, macs=1).verdict == verdict


def test_a_row_without_a_network_is_only_cited() -> None:
    table = next(iter(paper_tables().values()))
    assert (
        Size(table, "row", Row(axes=None, params_m=1.0), params=None, macs=None).verdict
        == "cited only"
    )
