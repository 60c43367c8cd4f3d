"""A slip in a table's file is named where it stands."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from senet_repro.config.paper_tables import find_table
from senet_repro.config.schema import Claim, PaperTable, Row
from senet_repro.config.table_checks import check_table
from senet_repro.core.errors import ConfigError

FILE = "conf/ablation/squeeze.yaml"
CLAIM: dict[str, Any] = {"section": "6.2", "says": "so", "kind": "lower", "rows": ["avg", "max"]}

SLIPS: dict[str, tuple[dict[str, Any], str]] = {
    "name": ({"name": "other"}, "its table is named other; give name: squeeze"),
    "baseline": ({"baseline": "mean"}, "baseline=mean: give max or avg"),
    "axis": ({"rows": {"max": Row(axes={"stage": 4})}, "baseline": None}, "row max: axes=stage"),
    "row's baseline": (
        {"rows": {"max": Row(baseline="none")}, "baseline": None},
        "row max: baseline=none",
    ),
    "claim's row": ({"claims": [Claim(**{**CLAIM, "rows": ["avg", "min"]})]}, "'so': rows=min"),
    "one row": ({"claims": [Claim(**{**CLAIM, "rows": ["avg"]})]}, "two rows or more"),
    "margin": ({"claims": [Claim(**{**CLAIM, "kind": "equivalent"})]}, "need a margin"),
    "increase": (
        {"claims": [Claim(**{**CLAIM, "kind": "cost", "margin": 1.0})]},
        "two rows and an increase_pct",
    ),
    "rivals' margins": (
        {"claims": [Claim(**{**CLAIM, "kind": "rivals", "most_share": 0.5})]},
        "give margins: {DATA: POINTS}, 0 or more",
    ),
    "below's rows": (
        {"claims": [Claim(**{**CLAIM, "kind": "below"})]},
        "needs a row that is trained, and one that is cited (axes: null)",
    ),
    "rivals' share": (
        {"claims": [Claim(**{**CLAIM, "kind": "rivals", "margins": {"imagenet": 0.1}})]},
        "give a most_share above 0",
    ),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_named_with_its_file(slip: str) -> None:
    changes, message = SLIPS[slip]
    table: PaperTable = deepcopy(find_table("squeeze"))
    check_table(table, FILE)
    for name, value in changes.items():
        setattr(table, name, value)
    if "rows" in changes:
        table.claims = []
    with pytest.raises(ConfigError) as raised:
        check_table(table, FILE)
    assert str(raised.value).startswith(f"{FILE}: ")
    assert message in str(raised.value)
