"""Campaigns whose truth is known, since it was put in, and what `verdict` makes of them.

`tests/report/evidence_document.py` writes a document from them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from senet_repro.config.paper_tables import find_table
from senet_repro.report.claims.judge import Judged
from senet_repro.report.tables.build import build_tables
from senet_repro.report.tables.load import load_printable_results
from senet_repro.report.text.verdicts import Verdicts, format_verdicts, judge_tables
from senet_repro.results.campaign import (
    EVERY_CLAIM,
    Campaign,
    PlannedTable,
    SmallestEffect,
    write_campaign,
)
from senet_repro.results.record import Record, write_record
from tests.records import add_outcomes, make_plan, row_records

LOWERS = "averages as the squeeze lower the error"
"""The claim of most campaigns, of Table 11: with SE 22.28 % of errors, without 23.30 %."""

ROBUST = "it matters little which squeeze"
CHAIN = "sigmoid is better than tanh, tanh than ReLU"
WITHOUT_SE = 23.30

NOISE = (0.06, -0.09, 0.02, 0.08, -0.07)
"""What five seeds add to a difference, in points, as trainings on ImageNet differ."""

Errors = Mapping[str, Sequence[float]]
"""The errors of seeds 0, 1, ... in percent, by row."""

Write = Callable[[Path], None]
"""Writes the records of a campaign into a folder."""


@dataclass(frozen=True, kw_only=True)
class MadeUp:
    """A campaign, and what must be said about one claim of it."""

    title: str
    put_in: str  # in one sentence
    write: Write
    verdict: str  # as it is printed
    words: Sequence[str]  # that must stand in the output
    claim: str = LOWERS
    table: str = "squeeze"


@dataclass(frozen=True)
class Shown:
    """What a reader gets to see of a campaign."""

    found: Verdicts
    text: str  # of `verdict`

    def find_judged(self, claim: str) -> Judged:
        ((_, judged),) = self.found.tables
        (one,) = [each for each in judged if each.claim.says == claim]
        return one

    def pick_lines(self, claim: str) -> list[str]:
        """The lines about one claim: its row under the head of the table, its evidence, and what is provisional."""
        lines = self.text.splitlines()
        head = next(index for index, line in enumerate(lines) if line.startswith("| claim"))
        (row,) = [line for line in lines if line.startswith(f"| {claim} ")]
        # Further below it may stand once more, with what its runs say image by image.
        evidence = next(line for line in lines if line.startswith(f"- {claim}: "))
        shared = [line for line in lines if line.startswith("Of every claim tested here")]
        provisional = [line for line in lines if line.startswith("Provisional")]
        return [
            *lines[head : head + 2],
            row,
            "",
            evidence,
            *(["", *shared] * bool(shared)),
            *(["", *provisional] * bool(provisional)),
        ]


def show(made_up: MadeUp, folder: Path) -> Shown:
    """Write a campaign into a folder and judge it."""
    made_up.write(folder)
    return judge_folder(folder, made_up.table)


def judge_folder(folder: Path, table: str) -> Shown:
    """What `verdict --results FOLDER --table TABLE` says."""
    papers = [find_table(table)]
    found = judge_tables(build_tables(load_printable_results(folder), papers), papers)
    return Shown(found, format_verdicts(found, list_not_run=True))


def _around(mean: float, noise: Sequence[float] = NOISE) -> list[float]:
    return [round(mean + each, 3) for each in noise]


def _with_and_without(differences: Sequence[float], base: float = WITHOUT_SE) -> Errors:
    """Errors whose seeds differ by so much between the network with SE and the one without."""
    # Both drift together from seed to seed, which pairing takes out.
    plain = [round(base + 0.05 * (3 * seed % 5 - 2), 3) for seed in range(len(differences))]
    with_se = [round(one + each, 3) for one, each in zip(plain, differences, strict=True)]
    return {"avg": with_se, "ResNet-50": plain}


def _make(errors: Errors, *overrides: str, table: str = "squeeze") -> list[Record]:
    records = []
    for row, figures in errors.items():
        records += row_records(find_table(table), row, figures, *overrides)
    return records


def _place(folder: Path, record: Record) -> Path:
    return folder / f"{record.name}-{record.run_key[:8]}" / f"seed{record.seed}"


def _save(folder: Path, records: Sequence[Record]) -> None:
    """Lay records where their runs would have left them."""
    for record in records:
        place = _place(folder, record)
        place.mkdir(parents=True, exist_ok=True)
        write_record(place, record)


def _plan(
    records: Sequence[Record],
    seeds: Sequence[int] = range(5),
    grows_from: int | None = None,
    table: str = "squeeze",
) -> list[Record]:
    plan = make_plan(seeds, grows_from=grows_from, tables=[table])
    return [replace(record, plan=plan) for record in records]


def _planned(errors: Errors, table: str = "squeeze") -> Write:
    """A campaign as it should be: five seeds planned, and all of them there."""
    return lambda folder: _save(folder, _plan(_make(errors, table=table), table=table))


def _write_unplanned(folder: Path) -> None:
    _save(folder, _make(_with_and_without(_around(-1.0))))


def _write_one_seed(folder: Path) -> None:
    _save(folder, _plan(_make(_with_and_without([-1.1])), [0]))


# By chance the first three say little, and whoever goes on until a t test is passed has passed it with seven.
ADDED = (-0.30, 0.10, -0.35, -0.50, -0.45, -0.55, -0.40)


def _write_added(folder: Path) -> None:
    _save(folder, _plan(_make(_with_and_without(ADDED)), range(3)))


# Drawn around 0. The seed of the draw is one of which the eighth look is the first that a t test passes, as happens
# to one in five who look after each seed.
PEEKED = np.random.default_rng(209).normal(0.0, 0.4, 8).round(3).tolist()


def _write_peeked(folder: Path) -> None:
    _save(folder, _plan(_make(_with_and_without(PEEKED)), range(3), grows_from=3))


def _write_grown(folder: Path) -> None:
    _save(folder, _plan(_make(_with_and_without(_around(-1.0))), range(3), grows_from=3))


def _write_holes(folder: Path) -> None:
    records = _plan(_make(_with_and_without(_around(-1.0))))
    _save(folder, [record for record in records if record.seed not in (1, 3)])


def _write_fewer_images(folder: Path) -> None:
    records = _plan(_make(_with_and_without(_around(-1.0))))
    lost = {"train": [f"train/n01440764/{image}.JPEG" for image in range(1300)]}
    _save(folder, [replace(one, skipped={} if one.axes is None else lost) for one in records])


def _on_proxy(
    differences: Sequence[float], smallest_effects: Mapping[str, SmallestEffect]
) -> Write:
    def write(folder: Path) -> None:
        errors = _with_and_without(differences, base=8.0)
        _save_campaign(folder, _make(errors, "protocol=cifar10"), smallest_effects)

    return write


EFFECT = SmallestEffect(points=0.2, because="five seeds of this network cannot see less")
CIFAR_IMAGES = 10_000


def _write_lucky_images(folder: Path) -> None:
    """Write runs of two networks that have one error on all images that could be, and not on those that were drawn.

    Each network has weak spots, 6 % of all images, which it gets wrong with nine seeds of ten.
    """
    draw = np.random.default_rng(10)
    records = []
    for row in ("avg", "ResNet-50"):
        is_weak = draw.random(CIFAR_IMAGES) < 0.06
        for record in _make({row: [0.0] * 5}, "protocol=cifar10"):
            is_wrong = is_weak & (draw.random(CIFAR_IMAGES) < 0.9)
            is_wrong |= draw.random(CIFAR_IMAGES) < 0.005
            records.append(add_outcomes(record, _place(folder, record), ~is_wrong))
    _save_campaign(folder, records, {EVERY_CLAIM: EFFECT})


def _save_campaign(
    folder: Path, records: Sequence[Record], smallest_effects: Mapping[str, SmallestEffect]
) -> None:
    """Write a campaign's plan, then its runs, which keep what the plan said."""
    names = {record.run_key: _place(folder, record).parent.name for record in records}
    planned = PlannedTable(
        overrides=["protocol=cifar10"],
        seeds=list(range(5)),
        claims=[LOWERS],
        smallest_effects=dict(smallest_effects),
        runs=sorted(names.values()),
    )
    campaign = Campaign(
        name="made up",
        written_at="2025-12-31T00:00:00+00:00",
        commit="0" * 40,
        tables={"squeeze": planned},
    )
    write_campaign(folder, campaign)
    # Its hash is known only now.
    read = load_printable_results(folder).campaign
    assert read is not None
    plan = read.describe_plan(planned.runs[0], 0)
    _save(folder, [replace(record, plan=plan) for record in records])


MADE_UP = (
    MadeUp(
        title="Full replication",
        put_in="SE lowers the error by 1.00 points, as in the paper.",
        write=_planned(_with_and_without(_around(-1.0))),
        verdict="reproduced",
        words=["Our interval holds the paper's -1.02.", "Seeds planned 0-4, found 0-4."],
    ),
    MadeUp(
        title="A tenth of the effect",
        put_in="SE lowers the error by 0.10 points, and the seeds agree well enough to show it.",
        write=_planned(_with_and_without(_around(-0.1, [each / 2 for each in NOISE]))),
        verdict="smaller than published",
        words=["excludes the paper's -1.02, and even half of it, -0.51.", "nearer to 0"],
    ),
    MadeUp(
        title="None",
        put_in="SE changes nothing.",
        write=_planned(_with_and_without(_around(0.0))),
        verdict="no effect",
        words=["TOST within ± 0.34 points: p < 0.001", "excludes the paper's -1.02"],
    ),
    MadeUp(
        title="Harm",
        put_in="SE raises the error by 0.40 points.",
        write=_planned(_with_and_without(_around(0.4))),
        verdict="contradicted",
        words=["top-1 error +0.40", "One-sided paired t for the opposite: p < 0.001"],
    ),
    MadeUp(
        title="Too much noise",
        put_in="SE lowers the error by half a point, and seeds differ ten times as much as usual.",
        write=_planned(_with_and_without(_around(-0.5, [10 * each for each in NOISE]))),
        verdict="inconclusive",
        words=["Our interval holds the paper's -1.02 and 0."],
    ),
    MadeUp(
        title="One seed",
        put_in="SE lowers the error by 1.10 points, once.",
        write=_write_one_seed,
        verdict="inconclusive",
        words=["One seed has no spread: no evidence either way."],
    ),
    MadeUp(
        title="Seeds added to a plan of three",
        put_in="Three seeds were planned and say little; four more were added, with which a t test would pass.",
        write=_write_added,
        verdict="inconclusive",
        words=["4 unplanned (3-6), which do not count", "3 seeds in common"],
    ),
    MadeUp(
        title="Peeked",
        put_in="Nothing is there, and someone looked after each seed until a t test passed, at the eighth.",
        write=_write_peeked,
        verdict="inconclusive",
        words=[
            "after Holm and a correction for looking after each seed",
            "may grow, judged from 3 seeds on",
        ],
    ),
    MadeUp(
        title="Grown as planned",
        put_in="SE lowers the error by 1.00 points, looked at after three, four and five seeds.",
        write=_write_grown,
        verdict="reproduced",
        words=["after Holm and a correction for looking after each seed"],
    ),
    MadeUp(
        title="With holes",
        put_in="SE lowers the error by 1.00 points; two of the five planned seeds are not there.",
        write=_write_holes,
        verdict="reproduced (provisional)",
        words=["Provisional, since planned seeds 1, 3 are missing.", "1 of them provisional"],
    ),
    MadeUp(
        title="Without a plan",
        put_in="SE lowers the error by 1.00 points, and no plan was written.",
        write=_write_unplanned,
        verdict="reproduced (provisional)",
        words=["Provisional, since no plan was written before these runs."],
    ),
    MadeUp(
        title="A row trained on fewer images",
        put_in="SE lowers the error by 1.00 points; its runs left out 1,300 pictures that could not be read.",
        write=_write_fewer_images,
        verdict="reproduced",
        words=["beside what is tested: trained without 1,300 images (avg)."],
    ),
    MadeUp(
        title="A proxy whose plan names no smallest effect",
        put_in="On CIFAR-10 SE lowers the error by 0.30 points; nobody said before which gain matters there.",
        write=_on_proxy(_around(-0.3), {}),
        verdict="reproduced (provisional)",
        words=[
            "No plan says how small a gain matters on this proxy, so the claim is tested against 0 alone.",
            "Provisional, since no plan says how small a gain matters on this proxy.",
            "1 reproduced, 3 not run; 1 of them provisional",
        ],
    ),
    MadeUp(
        title="A proxy with a planned smallest effect",
        put_in="The same, and the plan says that 0.20 points matter.",
        write=_on_proxy(_around(-0.3), {EVERY_CLAIM: EFFECT}),
        verdict="reproduced",
        words=[
            "0.2 points, as planned for this proxy: five seeds of this network cannot see less."
        ],
    ),
    MadeUp(
        title="A proxy with a gain that is too small to matter",
        put_in="Of the 0.20 points that matter SE gains 0.08, and the seeds agree well enough to show it.",
        write=_on_proxy(_around(-0.08, [each / 2 for each in NOISE]), {EVERY_CLAIM: EFFECT}),
        verdict="no effect",
        words=["TOST within ± 0.2 points: p = 0.001 after Holm", "nearer to 0"],
    ),
    MadeUp(
        title="Equal networks, lucky images",
        put_in="Two networks have one error on all images there could be; the 10,000 that were drawn suit one of them.",
        write=_write_lucky_images,
        verdict="inconclusive",
        words=["-0.44 ± 0.59 points, 5 seeds in common, over 10,000 images"],
    ),
    MadeUp(
        title="A chain of two pairs, one of them smaller",
        put_in="Sigmoid is better than tanh by 0.15 points (0.72 published), tanh than ReLU by 0.45 (0.47).",
        write=_planned(
            {
                "sigmoid": _around(22.85, NOISE[::-1]),
                "tanh": _around(23.00, [0.05, -0.06, 0.0, 0.06, -0.07][::-1]),
                # This pair holds less surely, and is as large as published.
                "relu": _around(23.45, [3 * each for each in NOISE]),
            },
            table="excitation",
        ),
        verdict="smaller than published",
        words=[
            "sigmoid minus tanh (of 2 pairs of rows the one that decides)",
            "p = 0.024 for all pairs",
        ],
        claim=CHAIN,
        table="excitation",
    ),
    MadeUp(
        title="Two rows alike",
        put_in="Averages and maxima differ by 0.05 points, a twentieth of what SE gains.",
        write=_planned(
            {**_with_and_without(_around(-1.0)), "max": _around(22.35, (0, 0, 0, 0, 0))}
        ),
        verdict="reproduced",
        words=[
            "TOST within 0.5 of the gain of SE",
            "SE's gain on the same data and seeds, avg against ResNet-50: +1.00",
        ],
        claim=ROBUST,
    ),
    MadeUp(
        title="Two rows alike where SE gains nothing",
        put_in="All three networks have one error, so half of what SE gains is nothing.",
        write=_planned({**_with_and_without(_around(0.0)), "max": _around(23.3, (0, 0, 0, 0, 0))}),
        verdict="inconclusive",
        words=["which may be nothing that a share could be taken of"],
        claim=ROBUST,
    ),
)
