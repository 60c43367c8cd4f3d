"""`python -m senet_repro campaign`: plan a whole campaign, train it in rounds, tell how far it is, collect its results.

campaign.yaml --> plan.yaml, to be committed --> runs/NAME, trained in rounds --> the campaign's folder
(its author)      (train, the first time)        (train, as often as needed)      (collect, report)
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from senet_repro.cli.options import parse_path
from senet_repro.core.choice import require_choice
from senet_repro.core.errors import ConfigError, Stopped
from senet_repro.core.printing import print_line, print_skipped, print_text

if TYPE_CHECKING:
    from senet_repro.results.campaign import Campaign, PlannedTable
    from senet_repro.results.campaign_file import CampaignFile

DESCRIPTION = (
    "A campaign that is planned before its first run. Trains it, tells how far it is, collects its results, and "
    "writes its report."
)


# The plan bounds the sweep.
_MOST_POINTS = 1_000_000


@dataclass(frozen=True)
class Place:
    """Where a campaign lies: what is committed of it, and where its runs are trained."""

    folder: Path  # with campaign.yaml, plan.yaml and what is collected
    results_dir: Path
    documents: tuple[Path, ...] = ()  # beside its own, those that show its results


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    parser.add_argument("action", metavar="ACTION", help="train, status, collect or report")
    parser.add_argument(
        "folder", type=parse_path, metavar="FOLDER", help="the folder of its campaign.yaml"
    )
    parser.add_argument(
        "--results",
        type=parse_path,
        metavar="DIR",
        help="where the runs are trained (runs/ and the name of FOLDER)",
    )
    parser.add_argument(
        "--document",
        type=parse_path,
        action="append",
        default=[],
        metavar="FILE",
        help="report: fill the blocks of this document, too, as those of FOLDER/README.md",
    )


def run_verb(options: argparse.Namespace) -> int:
    """Do one of the four things for a campaign; return 1 where a run failed and may be trained again.

    A run that diverged is an outcome, and no failure of the command. `train` returns 1 wherever a run is left to train.

    Raises:
        ConfigError: there is no such campaign, or it cannot be trained as it was planned; the message names the mend.
    """
    require_choice("campaign", options.action, list(_ACTIONS))
    if options.document and options.action != "report":
        raise ConfigError(f"--document is of campaign report: leave it out of {options.action}")
    folder: Path = options.folder
    name = folder.resolve().name
    place = Place(folder, options.results or Path("runs") / name, tuple(options.document))
    return _ACTIONS[options.action](place)


def _train_campaign(place: Place) -> int:
    """Train every run that is missing, all rows of one seed after those of another; the first time, write the plan."""
    from senet_repro.cli.account_text import describe_account
    from senet_repro.cli.collect import restore_collected
    from senet_repro.core.checkout import read_commit
    from senet_repro.results.account import read_account, refuse_other_plans
    from senet_repro.results.campaign import read_campaign
    from senet_repro.results.campaign_claims import check_claims
    from senet_repro.results.campaign_file import read_campaign_file

    source = read_campaign_file(place.folder)
    campaign = read_campaign(place.folder)
    if campaign is None:
        return _plan_campaign(place, source)
    _require_committed(place)
    check_claims(place.folder, campaign)
    _check_plan(place, source, campaign)
    _copy_plan(place)
    account = read_account(place.results_dir, campaign, place.folder)
    refuse_other_plans(account, campaign)
    restore_collected(account, place.results_dir)
    if account.unsettled:
        print_text(describe_account(account, source.budget_h), file=sys.stderr)
        if read_commit().dirty:
            print(
                "files of the code differ from its commit, as the records will say", file=sys.stderr
            )
        _train_rounds(place, source)
        account = read_account(place.results_dir, campaign, place.folder)
    print_text(describe_account(account, source.budget_h))
    return 1 if account.unsettled else 0


def _tell_status(place: Place) -> int:
    """Print how far the campaign is."""
    from senet_repro.cli.account_text import describe_account
    from senet_repro.results.account import read_account
    from senet_repro.results.campaign import require_campaign
    from senet_repro.results.campaign_file import read_campaign_file

    campaign = require_campaign(place.folder)
    source = read_campaign_file(place.folder)
    account = read_account(place.results_dir, campaign, place.folder)
    print_text(describe_account(account, source.budget_h))
    print_skipped(account.problems)
    may_be_mended = [run for run in account.failed if not run.is_settled]
    return 1 if may_be_mended else 0


def _collect_results(place: Place) -> int:
    """Copy what is finished into the campaign's folder, and write its tables and its account there."""
    from senet_repro.cli.collect import collect_campaign
    from senet_repro.results.campaign import require_campaign
    from senet_repro.results.campaign_claims import check_claims
    from senet_repro.results.campaign_file import read_campaign_file

    campaign = require_campaign(place.folder)
    check_claims(place.folder, campaign)
    source = read_campaign_file(place.folder)
    collect_campaign(place.folder, place.results_dir, campaign, source)
    return 0


def _write_report(place: Place) -> int:
    """Write what a reader sees of the campaign into its folder, from what was collected there."""
    from senet_repro.cli.campaign_report import report_campaign
    from senet_repro.results.campaign import require_campaign
    from senet_repro.results.campaign_claims import check_claims

    campaign = require_campaign(place.folder)
    check_claims(place.folder, campaign)
    report_campaign(place.folder, campaign, place.documents)
    return 0


_ACTIONS: dict[str, Callable[[Place], int]] = {
    "train": _train_campaign,
    "status": _tell_status,
    "collect": _collect_results,
    "report": _write_report,
}


def _plan_campaign(place: Place, source: CampaignFile) -> int:
    """Write the plan of a campaign, to be committed before its first run."""
    from senet_repro.cli.planning import (
        describe_table,
        draw_up_campaign,
        refuse_begun,
    )
    from senet_repro.results.campaign import PLAN_FILE, check_names, write_campaign
    from senet_repro.results.campaign_claims import write_claims

    tables = _plan_tables(place, source)
    for begun_in in (place.results_dir, place.folder):
        refuse_begun(begun_in, tables)
    campaign = draw_up_campaign(place.folder.resolve().name, tables)
    check_names(place.folder, campaign)
    write_claims(place.folder, campaign)
    # Last: where it is, the campaign is planned.
    write_campaign(place.folder, campaign)
    for name, table in tables.items():
        print_line(describe_table(name, table))
    print_line(f"planned in {place.folder / PLAN_FILE}, and nothing trained yet")
    print_line("commit the folder, so that the plan is known to be older than its runs:")
    print_line(f"  {_name_commit(place)}")
    print_line("then the same command trains it")
    return 0


def _plan_tables(place: Place, source: CampaignFile) -> dict[str, PlannedTable]:
    """Return what the campaign's file plans of each table.

    Raises:
        ConfigError: it plans nothing that can be; the message names the file.
    """
    from senet_repro.cli.planning import (
        Words,
        compose_rows,
        list_lacking_rows,
        plan_tables,
        read_words,
    )
    from senet_repro.config.overrides import read_overrides
    from senet_repro.results.campaign_file import CAMPAIGN_SOURCE

    try:
        words = Words(read_words(source.sweep).overrides, source.seeds)
        runs = compose_rows(read_overrides(_list_words(place, source)))
        tables = plan_tables(words, runs, None, source.smallest_effects)
    except ConfigError as error:
        raise ConfigError(f"{place.folder / CAMPAIGN_SOURCE}: {error}") from error
    for line in list_lacking_rows(runs, tables):
        print_text(line, file=sys.stderr)
    return tables


def _name_commit(place: Place) -> str:
    """Return the command that commits the campaign's folder."""
    return f"git add {shlex.quote(str(place.folder))} && git commit"


def _require_committed(place: Place) -> None:
    """Accept a campaign whose plan, claims and own file are committed, or lie in no checkout.

    Raises:
        ConfigError: one is not committed as it stands.
    """
    from senet_repro.core.checkout import is_committed
    from senet_repro.results.campaign import PLAN_FILE
    from senet_repro.results.campaign_claims import CLAIMS_FILE
    from senet_repro.results.campaign_file import CAMPAIGN_SOURCE

    for name in (PLAN_FILE, CLAIMS_FILE, CAMPAIGN_SOURCE):
        path = place.folder / name
        if is_committed(path) is False:
            raise ConfigError(
                f"{path} is not committed as it stands, and a plan comes before its runs: {_name_commit(place)}; "
                f"one that was changed since is put back by git checkout {shlex.quote(str(path))}"
            )


def _check_plan(place: Place, source: CampaignFile, campaign: Campaign) -> None:
    """Accept a campaign's file that plans the very tables, runs, seeds and effects of its plan.

    Raises:
        ConfigError: it plans others, as where its words or the code were changed.
    """
    from senet_repro.results.campaign import PLAN_FILE
    from senet_repro.results.campaign_file import CAMPAIGN_SOURCE

    if _plan_tables(place, source) != campaign.tables:
        raise ConfigError(
            f"{place.folder / CAMPAIGN_SOURCE} does not plan any more what {PLAN_FILE} beside it holds: "
            f"put the file back, or the code at commit {campaign.commit}, or plan another campaign in another folder"
        )


def _copy_plan(place: Place) -> None:
    """Put the plan beside the runs, which keep its hash in their records.

    Raises:
        ConfigError: another plan lies there.
    """
    from senet_repro.core.files import read_bytes, write_bytes
    from senet_repro.results.campaign import PLAN_FILE

    plan = read_bytes(place.folder / PLAN_FILE)
    copy = place.results_dir / PLAN_FILE
    if not copy.exists():
        place.results_dir.mkdir(parents=True, exist_ok=True)
        write_bytes(copy, plan)
    elif read_bytes(copy) != plan:
        raise ConfigError(
            f"{copy} is another plan than the campaign's: give another folder for its runs, --results DIR"
        )


def _train_rounds(place: Place, source: CampaignFile) -> None:
    """Train what is missing as one sweep, which goes seed by seed, so that no core waits between rounds."""
    from senet_repro.cli import train
    from senet_repro.cli.command_line import CommandLine
    from senet_repro.core.matplotlib_folder import set_matplotlib_folder
    from senet_repro.core.streams import guard_streams

    words = [f"hydra.sweeper.most_points={_MOST_POINTS}", *_list_words(place, source)]
    words.append(f"seed={','.join(map(str, sorted(source.seeds)))}")
    # A run goes on where nobody reads what it says.
    guard_streams()
    set_matplotlib_folder()
    # Which runs failed, the account tells.
    try:
        train.main(CommandLine(["--multirun"], words, is_sweep=True), leaves_diverged=True)
    except (KeyboardInterrupt, Stopped):
        # The line of the stop, which follows, begins with a line end of its own.
        print("\nthe same command goes on from here", file=sys.stderr, end="")
        raise


def _list_words(place: Place, source: CampaignFile) -> list[str]:
    """Return the words of the sweep, but for its seeds."""
    return [*source.sweep, *source.machine, f"results_dir={place.results_dir}"]
