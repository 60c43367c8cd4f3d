"""Every row's counts, pinned to the last parameter, and their verdicts."""

from __future__ import annotations

import pytest

from senet_repro.config.schema import Row
from senet_repro.config.tables import paper_tables
from senet_repro.models.sizes import Size, sizes

PARAMS = {
    ("reduction_ratio", "r = 2"): 45_676_584,
    ("reduction_ratio", "r = 4"): 35_616_808,
    ("reduction_ratio", "r = 8"): 30_586_920,
    ("reduction_ratio", "r = 16"): 28_071_976,
    ("reduction_ratio", "r = 32"): 26_814_504,
    ("reduction_ratio", "original"): 25_557_032,
    ("stages", "SE_Stage_2"): 25_581_608,
    ("stages", "SE_Stage_3"): 25_688_104,
    ("stages", "SE_Stage_4"): 26_343_464,
    ("integration", "SE-PRE"): 27_548_200,
    ("se_3x3", "SE_3x3"): 25_714_216,
    ("no_squeeze", "NoSqueeze"): 28_071_976,
    ("last_stage", "all but the last"): 26_499_112,
}


@pytest.mark.slow
@pytest.mark.usefixtures("one_thread")
def test_every_row_is_counted_exactly_and_meets_the_published_figures() -> None:
    found = {(size.table.name, size.row): size for size in sizes()}
    assert len(found) == sum(len(table.rows) for table in paper_tables().values())
    assert {key: found[key].params for key in PARAMS} == PARAMS
    assert {size.verdict for size in found.values()} == {"match", "not published"}
    assert found["no_squeeze", "NoSqueeze"].macs == 4_269_015_040
    assert found["reduction_ratio", "original"].macs == 3_857_973_248


@pytest.mark.parametrize(
    ("published", "verdict"),
    [
        (Row(params_m=1.004, gflops=2.0), "match"),
        (Row(params_m=1.006, gflops=2.0), "off"),
        (Row(params_m=1.0, gflops=2.02), "off"),
        (Row(gflops=1.995), "match"),
        (Row(), "not published"),
    ],
)
def test_a_verdict_allows_half_a_percent(published: Row, verdict: str) -> None:
    table = next(iter(paper_tables().values()))
    assert Size(table, "row", published, params=1_000_000, macs=2_000_000_000).verdict == verdict
