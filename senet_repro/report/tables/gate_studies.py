"""Studies of gates, by network: one over its images, or several seeds of a run over the seeds (report floor)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from senet_repro.config.studies import load_study
from senet_repro.core.choice import require_choice
from senet_repro.report.claims.borders import BorderVerdict, judge_by_borders
from senet_repro.results.excitation import GateStudy
from senet_repro.stats.estimates import Estimate, build_estimate, estimate_mean

STUDY = "excitation"
PAPERS_BLOCK = {"squeeze": "avg", "excitation": "sigmoid", "placement": "standard"}

_BOUNDLESS = {"relu": "Gates of a ReLU have no upper bound, so that none is close to it."}
_ABOUT_ONE = ("last_but_one_near_one_share", "last_but_one_less_others_near_one_share")


@dataclass(frozen=True)
class StudiedNetwork:
    """The studies of one network: of each of its seeds, or of one file of weights."""

    studies: list[GateStudy]

    @property
    def first(self) -> GateStudy:
        """Return the study of the least seed."""
        return self.studies[0]

    @property
    def name(self) -> str:
        """Return what the network is called, with its seeds where it has several."""
        if len(self.studies) == 1 or self.first.run is None:
            return self.first.name
        seeds = ", ".join(str(study.run["seed"]) for study in self.studies if study.run)
        return f"{self.first.run['name']} seeds {seeds}"

    @property
    def is_over_seeds(self) -> bool:
        """Return whether intervals are over seeds, and say something of a recipe; else they are of this network."""
        return len(self.studies) > 1

    @property
    def estimates(self) -> dict[str, Estimate]:
        """Return the figures by name, with intervals over seeds where there are several, or else over images."""
        if not self.is_over_seeds:
            return read_estimates(self.first)
        names = set(self.first.figures)
        for study in self.studies[1:]:
            names &= set(study.figures)
        return {
            name: estimate_mean([study.figures[name]["value"] for study in self.studies])
            for name in self.first.figures
            if name in names
        }

    @property
    def top1_err_pct(self) -> float:
        """Return the top-1 error of the images, a mean over seeds."""
        return fmean(study.top1_err_pct for study in self.studies)


def read_estimates(study: GateStudy) -> dict[str, Estimate]:
    """Return the figures of one study with their 95 % intervals over images, by name."""
    estimates = {}
    for name, stated in study.figures.items():
        error = stated["standard_error"]
        sd = error * study.images**0.5
        estimates[name] = build_estimate(
            study.images, stated["value"], sd, error, stated["degrees"]
        )
    return estimates


def group_studies(studies: Sequence[GateStudy]) -> list[StudiedNetwork]:
    """Return the studies by network: the seeds of a run together, each other file of weights by itself.

    Seeds whose images, crops, precision or version of the run differ stand apart.
    """
    groups: dict[tuple[object, ...], list[GateStudy]] = {}
    for study in studies:
        groups.setdefault(_identify_network(study), []).append(study)
    networks = []
    for own in groups.values():
        networks.append(StudiedNetwork(sorted(own, key=_find_seed)))
    return networks


def choose_network(networks: Sequence[StudiedNetwork], wanted: str | None) -> StudiedNetwork | None:
    """Return the network whose figures are drawn: of the name that is wanted, or the first with the paper's own block.

    None where there are no studies.

    Raises:
        ConfigError: there is none of that name; the message lists the names.
    """
    if wanted is None:
        papers = [one for one in networks if has_papers_block(one.first)]
        return next(iter([*papers, *networks]), None)
    by_name = {one.first.name.partition(" seed ")[0]: one for one in networks}
    require_choice("--gates", wanted, by_name)
    return by_name[wanted]


def has_papers_block(study: GateStudy) -> bool:
    """Return whether a network has the paper's own block, of any ratio, in its usual place."""
    return all(study.se[axis] == value for axis, value in PAPERS_BLOCK.items())


def judge_network(network: StudiedNetwork) -> list[BorderVerdict]:
    """Return the verdict on each statement of section 7.2 about a network."""
    claims = load_study(STUDY).claims
    estimates = dict(network.estimates)
    obstacles = {}
    boundless = _BOUNDLESS.get(network.first.se["excitation"])
    for claim in claims:
        if claim.figure in estimates and boundless and claim.figure in _ABOUT_ONE:
            del estimates[claim.figure]
            obstacles[claim.figure] = boundless
        elif claim.figure not in estimates:
            obstacles[claim.figure] = _explain_gap(network, claim.figure)
    return judge_by_borders(claims, estimates, obstacles)


def _explain_gap(network: StudiedNetwork, figure: str) -> str:
    """Return why a figure is not there."""
    has_statements = any("/" not in name for name in network.first.figures)
    if not has_statements:
        return (
            "The network has too few stages or blocks for it, or too few images of a class: it takes three stages with "
            "SE, three blocks in the last of them, and two images of a class."
        )
    if figure.endswith("_harm"):
        return "Gates were not held, see hold=true."
    return "These images cannot tell it."


def _identify_network(study: GateStudy) -> tuple[object, ...]:
    """Return what studies share that are of seeds of one run."""
    if study.run is None:
        return (study.weights["sha256"], study.key)
    return (
        study.run["run_key"],
        study.data["fingerprint"],
        study.size_px,
        study.resize_px,
        study.trainer["precision"],
    )


def _find_seed(study: GateStudy) -> int:
    return 0 if study.run is None else int(study.run["seed"])
