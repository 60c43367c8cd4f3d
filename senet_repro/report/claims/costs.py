"""Section 4's claims about time, judged by the ratios that were measured in one setting (report floor)."""

from __future__ import annotations

from senet_repro.config.network_pairs import list_network_pairs
from senet_repro.config.studies import load_study
from senet_repro.report.claims.borders import BorderVerdict, judge_by_borders
from senet_repro.report.tables.costs import CostTable
from senet_repro.results.costs import KINDS, ONE_IMAGE
from senet_repro.stats.estimates import Estimate

STUDY = "cost"
OTHER_DEVICE = "The paper's figure is of a CPU, and this one would be of a GPU."


def judge_costs(table: CostTable) -> list[BorderVerdict]:
    """Return the verdicts of the study of costs in one setting; none of a rehearsal, whose figures say nothing."""
    if table.is_quick:
        return []
    is_on_gpu = table.setting.device_type == "cuda"
    estimates: dict[str, Estimate] = {}
    obstacles = {}
    for network, pair in list_network_pairs().items():
        for kind in KINDS:
            obstacles[f"{kind}.{network}"] = (
                f"{pair.se_name} was not measured in this setting: `cost model={network}` does it."
            )
    for row in table.rows:
        for kind in KINDS:
            figure = f"{kind}.{row.cost.network}"
            if kind == ONE_IMAGE and is_on_gpu:
                obstacles[figure] = OTHER_DEVICE
            else:
                estimates[figure] = row.estimate_ratio(kind)
    return judge_by_borders(load_study(STUDY).claims, estimates, obstacles)
