"""Bring the findings of the seeds of one network together: curves, and the areas between them (report floor)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from senet_repro.config.importance import ALL_STAGES, GATE, L1, RANDOM
from senet_repro.config.studies import load_study
from senet_repro.report.claims.borders import BorderVerdict, judge_by_borders
from senet_repro.results.importance import Importance
from senet_repro.stats.estimates import Estimate, estimate_mean, least_sd_pct

STUDY = "importance"
_FIGURES = {"gate_below_random": RANDOM, "gate_below_l1": L1}
"""The figures of the study: by which measure channels are masked whose error the gates' lies below."""


@dataclass(frozen=True)
class Finding:
    """The findings of all seeds of one network, of which there is at least one; all have the same masks."""

    seeds: list[Importance]

    @property
    def first(self) -> Importance:
        """Return the finding that stands for all in what they share."""
        return self.seeds[0]

    @property
    def name(self) -> str:
        """Return what the network is called."""
        run = self.first.run
        return str(run["name"]) if run else self.first.network

    def list_scopes(self) -> list[str]:
        """Return the stages that are masked alone, and all of them together."""
        return list(self.first.errors_pct)

    def list_measures(self) -> list[str]:
        """Return the measures by which channels were ranked."""
        return list(self.first.errors_pct[ALL_STAGES])

    def estimate_unmasked(self) -> Estimate:
        """Return the error without a mask, in percent."""
        return estimate_mean([one.unmasked_err_pct for one in self.seeds])

    def estimate_errors(self, scope: str, measure: str) -> list[Estimate]:
        """Return the error by share, in percent: the mean over rankings and seeds, with the interval over seeds."""
        by_seed = [_average_rankings(one, scope, measure) for one in self.seeds]
        return [estimate_mean(errors) for errors in zip(*by_seed, strict=True)]

    def estimate_area(self, scope: str, measure: str, beside: str) -> Estimate:
        """Return by how many points the error of a measure lies below that of another, as a mean over the shares."""
        areas = []
        for one in self.seeds:
            own = _average_rankings(one, scope, measure)
            other = _average_rankings(one, scope, beside)
            areas.append(fmean(other) - fmean(own))
        return estimate_mean(areas, least_sd_pct(self.first.scored_images))


def _average_rankings(one: Importance, scope: str, measure: str) -> list[float]:
    """Return the error by share, as a mean over the times that channels were ranked."""
    return [fmean(errors) for errors in zip(*one.errors_pct[scope][measure], strict=True)]


def group_seeds(found: Sequence[Importance]) -> list[Finding]:
    """Return the findings by network, in the order of the first seed of each; of a seed the last one counts.

    Seeds with other measures, stages, images or another precision stand apart.
    """
    by_network: dict[tuple[object, ...], dict[object, Importance]] = {}
    for one in found:
        shape = _list_curves(one)
        images = (one.data["fingerprint"], one.measured_images, one.scored_images)
        group = (one.network_key, shape, images, one.trainer["precision"])
        seed = one.run["seed"] if one.run else 0
        by_network.setdefault(group, {})[seed] = one
    return [Finding(list(seeds.values())) for seeds in by_network.values()]


def _list_curves(one: Importance) -> tuple[tuple[str, ...], ...]:
    """Return each stage that was masked, with the measures by which it was."""
    return tuple((scope, *by_measure) for scope, by_measure in one.errors_pct.items())


def judge_importance(finding: Finding) -> list[BorderVerdict]:
    """Return the verdict on each claim of the study, of masks in all stages.

    The interval is over seeds, since the claims are about what training makes of gates: one network is no evidence.
    """
    estimates: dict[str, Estimate] = {}
    obstacles: dict[str, str] = {}
    for figure, beside in _FIGURES.items():
        missing = [each for each in (GATE, beside) if each not in finding.list_measures()]
        if missing:
            obstacles[figure] = f"Channels were not ranked by {' and '.join(missing)}."
            continue
        estimates[figure] = finding.estimate_area(ALL_STAGES, GATE, beside)
        if len(finding.seeds) == 1:
            obstacles[figure] = "One seed does not tell how far networks of other seeds differ."
    return judge_by_borders(load_study(STUDY).claims, estimates, obstacles)


def describe_scope(scope: str) -> str:
    """Return in words where channels are masked."""
    return "all stages" if scope == ALL_STAGES else f"stage {scope}"


def collect_spreads(one: Importance, scope: str, measure: str) -> Mapping[str, list[float]]:
    """Return the least and the greatest error by share over the times that one seed's channels were ranked."""
    by_share = list(zip(*one.errors_pct[scope][measure], strict=True))
    return {
        "least": [min(errors) for errors in by_share],
        "most": [max(errors) for errors in by_share],
    }
