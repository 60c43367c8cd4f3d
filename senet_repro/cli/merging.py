"""Take runs that others trained into a campaign: each is copied, checked where it was copied to, and only then kept.

FOLDER/<run>/seed<k> --> a folder for the moment --> CAMPAIGN/reported/<origin>/<run>/seed<k>
(theirs)                 (three files, checked)      (without the places of their machine)
"""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from senet_repro.cli.collect import copy_present, write_summaries
from senet_repro.cli.merge_checks import KnownRuns, check_run, explain_refusal
from senet_repro.core.errors import ConfigError
from senet_repro.core.printing import print_line, print_skipped
from senet_repro.core.wording import choose_form, count_noun
from senet_repro.report.tables.load import load_printable_results
from senet_repro.results.campaign import Campaign, require_campaign
from senet_repro.results.campaign_claims import check_claims
from senet_repro.results.campaign_file import read_campaign_file
from senet_repro.results.foreign_runs import (
    RefusedRunError,
    copy_files,
    drop_places,
    list_foreign_runs,
)
from senet_repro.results.record import NoRecordError, Record, write_record
from senet_repro.results.reported import (
    Origin,
    mark_code,
    name_origin_folder,
    name_run_folder,
    read_origin,
    read_origin_name,
    sort_reported,
    write_origin,
)
from senet_repro.results.run_folder import RunFolder
from senet_repro.results.seed_folders import list_seed_folders
from senet_repro.results.store import Results, list_diverged

OURS_AGAIN = "our own"
TAKEN_BEFORE = "taken before"
UNFINISHED = "without a record"


@dataclass
class _Merge:
    """One command: what is known, and what became of each of their runs."""

    origin: str
    folder: Path  # of the origin, in the campaign's
    known: KnownRuns
    writes: bool
    taken: list[Record] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    # Runs of which nothing is taken, and nothing is wrong with them.
    left: Counter[str] = field(default_factory=Counter)

    def take_run(self, source: Path) -> None:
        """Take the run in a folder of somebody else's, or note why not."""
        with TemporaryDirectory(prefix="senet_repro-merge-") as temporary:
            # Under its own names, by which its record is known.
            copy = Path(temporary, source.parent.name, source.name)
            try:
                copy_files(source, copy)
                record = check_run(copy, self.known)
                self._keep_run(copy, record)
            except NoRecordError:
                self.left[UNFINISHED] += 1
            except ConfigError as error:
                self.refused.append(f"{source}: {explain_refusal(error, copy, source)}")

    def _keep_run(self, copy: Path, checked: Record) -> None:
        """Put a run that was checked into the campaign, unless it is there.

        Raises:
            RefusedRunError: another record of it is there, or it is a copy of another run.
        """
        if self.known.is_our_own(checked):
            self.left[OURS_AGAIN] += 1
            return
        name = name_run_folder(checked)
        target = RunFolder(self.folder / name / f"seed{checked.seed}")
        record = replace(drop_places(checked), folder=target.path, origin=self.origin)
        if self.known.is_taken(record):
            self.left[TAKEN_BEFORE] += 1
            return
        self.known.require_new(record)
        if target.record_file.exists():
            raise RefusedRunError(
                f"{target.path} holds a record of it that cannot be believed: remove it first"
            )
        if self.writes:
            # First, so that whatever stops this, the same command knows whose the runs are.
            _tell_origin(self.folder, self.origin)
            target.path.mkdir(parents=True, exist_ok=True)
            source = RunFolder(copy)
            copy_present((source.epochs_file, source.find_image_file()), target.path)
            # Last, as in a run's own folder: where it is, the others are.
            write_record(target.path, record)
        self.known.add_record(record, f"{name} seed {record.seed} of {self.origin}")
        self.taken.append(record)


def merge_runs(folder: Path, into: Path, name: str, *, only_check: bool) -> int:
    """Take the runs in `folder`, which `name` reports, into the campaign `into`; return 1 where some were refused.

    With `only_check` nothing is written. Otherwise the campaign's tables and account are written anew.

    Raises:
        ConfigError: the folder, the campaign or the name is none, or no run could be taken.
    """
    origin = read_origin_name(name)
    campaign = require_campaign(into)
    source = read_campaign_file(into)
    check_claims(into, campaign)
    _require_foreign(folder, into)
    origin_folder = name_origin_folder(into, origin)
    _require_no_link(origin_folder)
    if origin_folder.is_dir() and not only_check:
        # Before anything is read: where an earlier command was cut short, its runs would belong to nobody.
        _tell_origin(origin_folder, origin)
    results = load_printable_results(into)
    print_skipped(results.unreadable)
    merge = _Merge(origin, origin_folder, _know_runs(results, origin, campaign), not only_check)
    found = list_foreign_runs(folder)
    merge.refused += found.problems
    for path in found.paths:
        merge.take_run(path)
    _print_runs(merge, results, into)
    for refusal in merge.refused:
        print_line(f"refused {refusal}", file=sys.stderr)
    if not merge.taken and not merge.left[TAKEN_BEFORE]:
        raise ConfigError(_explain_nothing(merge, folder))
    if merge.writes:
        _update_count(merge)
        write_summaries(into, campaign, source)
    print_line(_describe_merge(merge))
    return 1 if merge.refused else 0


def _require_foreign(folder: Path, into: Path) -> None:
    """Accept a folder of results that is not the campaign's own.

    Raises:
        ConfigError: it is no folder, or lies in the campaign's, or that lies in it.
    """
    if not folder.is_dir():
        raise ConfigError(
            f"{folder}: there is no such folder; give the results of others, unpacked"
        )
    theirs, ours = folder.resolve(), into.resolve()
    if theirs.is_relative_to(ours) or ours.is_relative_to(theirs):
        raise ConfigError(
            f"{folder} and {into} are one folder, or one lies in the other: give the results of others"
        )


def _require_no_link(folder: Path) -> None:
    """Accept the folder of an origin, there or not yet, that lies in the campaign and nowhere else.

    Raises:
        ConfigError: it or the folder around it is a link, so that runs would be written elsewhere.
    """
    for path in (folder.parent, folder):
        if path.is_symlink():
            raise ConfigError(
                f"{path} is a link, and a campaign keeps what others report in folders of its own: put a folder there"
            )


def _tell_origin(folder: Path, name: str) -> None:
    """Write whose runs lie in a folder, unless it says so already; the folder's own name holds the hash of `name`."""
    with suppress(ConfigError):
        if read_origin(folder).name == name:
            return
    folder.mkdir(parents=True, exist_ok=True)
    _write_origin(folder, name)


def _write_origin(folder: Path, name: str) -> None:
    """Write whose runs lie in a folder, how many there are, and that the last was taken now."""
    runs = len(list_seed_folders(folder).paths)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    write_origin(folder, Origin(name=name, merged_at=now, runs=runs))


def _know_runs(results: Results, origin: str, campaign: Campaign) -> KnownRuns:
    """Return what is known of a campaign's runs before others are taken."""
    known = KnownRuns(campaign, {}, {}, {})
    for record in results.records:
        if record.origin is not None:
            continue
        known.ours[record.run_key, record.seed] = record
        if record.metrics_sha256 is not None:
            words = f"our {name_run_folder(record)} seed {record.seed}"
            known.epochs[record.metrics_sha256] = words
    for run in results.reported:
        words = f"{name_run_folder(run.record)} seed {run.record.seed} of {run.origin}"
        if run.origin == origin:
            known.add_record(run.record, words)
        elif run.record.metrics_sha256 is not None:
            known.epochs[run.record.metrics_sha256] = words
    return known


def _print_runs(merge: _Merge, results: Results, into: Path) -> None:
    """Print what each run that is taken is to the campaign in `into`."""
    others = [run.record for run in results.reported if run.origin != merge.origin]
    diverged = list_diverged(results, merge.taken, into)
    known = merge.known
    runs, _ = sort_reported([*others, *merge.taken], known.ours, known.campaign, diverged)
    for run in runs:
        if run.record.origin != merge.origin:
            continue
        role = "counts, since only they trained it"
        if run.ours is not None:
            role = "re-run by us, so that ours counts"
        elif run.why_not is not None:
            role = f"shown, and does not count: {run.why_not}"
        parts = [role, mark_code(run.record)]
        remarks = "; ".join(part for part in parts if part)
        print_line(f"{name_run_folder(run.record)} seed {run.record.seed}: {remarks}")


def _update_count(merge: _Merge) -> None:
    """Write how many runs of the origin there are, if runs were taken or its file says another number."""
    runs = len(list_seed_folders(merge.folder).paths)
    if merge.taken or read_origin(merge.folder).runs != runs:
        _write_origin(merge.folder, merge.origin)


def _explain_nothing(merge: _Merge, folder: Path) -> str:
    """Return why no run could be taken, with the mend."""
    reasons = _list_left(merge)
    if not reasons:
        return f"{folder} holds no run: give the folder in which <name>-<key>/seed<k> lie, such as runs/NAME"
    return f"nothing to take from {folder}: {'; '.join(reasons)}"


def _describe_merge(merge: _Merge) -> str:
    """Return how many runs were taken, and what became of the others."""
    verb = "taken into"
    if not merge.writes:
        verb = "would be taken into"
    taken = f"{count_noun(len(merge.taken), 'run')} of {merge.origin} {verb} {merge.folder}"
    line = "; ".join([taken, *_list_left(merge)])
    if not merge.writes:
        line += "; nothing was written"
    return line


def _list_left(merge: _Merge) -> list[str]:
    """Return how many runs were not taken, for each reason."""
    parts = []
    for reason, count in merge.left.items():
        parts.append(f"{count} {reason}")
    if merge.refused:
        were = choose_form(len(merge.refused), "was", "were")
        parts.append(f"{len(merge.refused)} {were} refused, each named above")
    return parts
