"""Runs that others trained and reported to a campaign, as `merge` took them (results floor).

CAMPAIGN/reported/<origin>/origin.yaml      whom tables cite, when runs were taken last, and how many there are
CAMPAIGN/reported/<origin>/<run>/seed<k>/   record, epochs and outcomes of each

A run is *ours* where our own record of it lies in the campaign, *reported* where only theirs does, and *re-run* where
both do: then ours counts, and theirs is set beside it.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from omegaconf import OmegaConf

from senet_repro.config.validation import list_tasks
from senet_repro.core.errors import ConfigError
from senet_repro.core.files import write_text
from senet_repro.results.campaign import (
    Campaign,
    is_time,
    parse_yaml,
    read_text_if_there,
    take_values,
)
from senet_repro.results.record import NoRecordError, Record, RecordError
from senet_repro.results.record_rules import Rule, is_count, is_name
from senet_repro.results.run_folder import RunFolder
from senet_repro.results.seed_folders import REPORTED, list_seed_folders

ORIGIN_FILE = "origin.yaml"
"""The name of the file that says whose the runs beside it are."""

OURS = "ours"
"""The name of our own runs, where it is said whose runs are."""

LONGEST_ORIGIN = 80
SCHEMA_VERSION = 1

RunId = tuple[str, int]
"""A run key and a seed."""

Training = tuple[RunId, str | None]
"""A run and the hash of its epochs, which hold their times."""

_MEND = "python -m senet_repro merge writes it"
_LONGEST_FOLDER = 40


@dataclass(frozen=True, kw_only=True)
class Origin:
    """One who reported runs."""

    name: str  # as tables cite it
    merged_at: str  # UTC, ISO 8601: when a run was taken last
    runs: int


@dataclass(frozen=True)
class ReportedRun:
    """One run that was reported, beside our own of the same run and seed."""

    record: Record  # with its origin
    ours: Record | None = None
    # The reason for which it counts for nothing, in a reader's words; None where it may count.
    why_not: str | None = None

    @property
    def origin(self) -> str:
        """The name of who reported it."""
        return self.record.origin or OURS

    @property
    def counts(self) -> bool:
        """Whether it stands for its seed in tables and verdicts."""
        return self.ours is None and self.why_not is None


@dataclass(frozen=True)
class ReportedRecords:
    """The records that others reported, each with its origin, in the order of their paths."""

    records: list[Record] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)  # a message for each file that is left out


def read_origin_name(text: str) -> str:
    """Return the name of an origin as tables cite it, its blanks and letters in one form.

    Raises:
        ConfigError: it is empty, too long, cannot be printed in a line, or would pass for ours.
    """
    name = unicodedata.normalize("NFC", " ".join(text.split()))
    example = 'give who trained the runs, such as "Lab X, 2026"'
    if not is_name(name) or len(name) > LONGEST_ORIGIN:
        raise ConfigError(
            f"--from {name[:LONGEST_ORIGIN]!r}: no line of 1 to {LONGEST_ORIGIN} characters that can be printed; "
            f"{example}"
        )
    if name.casefold() in (OURS, "us", "our own"):
        raise ConfigError(f"--from {name}: tables would take the runs for ours; {example}")
    return name


def name_origin_folder(campaign_dir: Path, name: str) -> Path:
    """Return the folder for the runs of an origin; two names never share one, and every file system takes it."""
    # Letters without their accents; other scripts leave nothing that can be read, and the digest stands alone.
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", "-", plain.lower())
    readable = words[:_LONGEST_FOLDER].strip("-")
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    folder = f"{readable}-{digest}" if readable else digest
    return campaign_dir / REPORTED / folder


def read_origin(folder: Path) -> Origin:
    """Return whose runs lie in a folder.

    Raises:
        ConfigError: nothing there says it, or not in this form; the message names the mend.
    """
    path = folder / ORIGIN_FILE
    text = read_text_if_there(path, _MEND)
    if text is None:
        raise ConfigError(f"{path} is not there: {_MEND}")
    found = take_values(f"{path}", parse_yaml(path, text, _MEND), _RULES, _MEND)
    if found.pop("schema_version") > SCHEMA_VERSION:
        raise ConfigError(f"{path}: of a newer senet_repro; update it")
    return Origin(**found)


def write_origin(folder: Path, origin: Origin) -> None:
    """Write whose runs lie in a folder."""
    content = {"schema_version": SCHEMA_VERSION, **asdict(origin)}
    write_text(folder / ORIGIN_FILE, OmegaConf.to_yaml(OmegaConf.create(content)))


def list_origin_folders(results_dir: Path) -> list[Path]:
    """Return the folders of all origins, by name; none where nothing was merged."""
    try:
        return sorted(path for path in (results_dir / REPORTED).iterdir() if path.is_dir())
    except OSError:
        return []


def read_reported_records(
    results_dir: Path, read_record: Callable[[Path], Record]
) -> ReportedRecords:
    """Return every record that was reported to a campaign; `read_record` returns the one in a folder of a seed."""
    found = ReportedRecords()
    for folder in list_origin_folders(results_dir):
        try:
            origin = read_origin(folder)
        except ConfigError as error:
            found.problems.append(str(error))
            continue
        seeds = list_seed_folders(folder)
        found.problems.extend(seeds.problems)
        for path in seeds.paths:
            try:
                found.records.append(replace(read_record(path), origin=origin.name))
            except NoRecordError:
                continue
            except RecordError as error:
                found.problems.append(str(error))
    return found


def sort_reported(
    reported: Iterable[Record],
    ours: Mapping[RunId, Record],
    campaign: Campaign | None,
    diverged: Collection[RunId] = (),
) -> tuple[list[ReportedRun], list[str]]:
    """Return what each reported record is to a campaign, and a message for each that is no run of it.

    `ours` are our own records, `diverged` our own runs without one that would diverge again. Where several origins
    reported one run and seed, the one that was finished first counts, whatever came out of the others. A training that
    lies in two places is no second one, and stands for one run only.
    """
    runs: list[ReportedRun] = []
    problems: list[str] = []
    first: dict[RunId, str] = {}
    trainings = {_tell_training(record): record for record in ours.values()}
    for record in sorted(reported, key=lambda record: (record.finished_at, record.origin or "")):
        refusal = find_refusal(record, campaign, ours.values()) or _explain_copy(record, trainings)
        if refusal is not None:
            problems.append(f"{RunFolder(record.folder or Path()).record_file}: {refusal}")
            continue
        trainings[_tell_training(record)] = record
        run_id = (record.run_key, record.seed)
        why_not = _explain_plan(record, campaign)
        if why_not is None and run_id in diverged:
            why_not = "ours diverged, which counts"
        if why_not is None and run_id in first:
            why_not = f"that of {first[run_id]} was finished first"
        run = ReportedRun(record, ours.get(run_id), why_not)
        runs.append(run)
        if run.counts:
            first[run_id] = run.origin
    runs.sort(key=lambda run: (name_run_folder(run.record), run.record.seed, run.origin))
    return runs, problems


def find_refusal(record: Record, campaign: Campaign | None, ours: Iterable[Record]) -> str | None:
    """Return why a record is no run of a campaign, with the mend; None where it is one."""
    if campaign is None:
        return "reported to no campaign: put its plan.yaml back"
    if record.task not in list_tasks():
        return f"of a task that is not known here, {record.task}: update senet_repro"
    pictures = _explain_pictures(record, ours)
    if pictures is not None:
        return pictures
    name = name_run_folder(record)
    plan = campaign.describe_plan(name, record.seed)
    if plan is None:
        seeds = {
            seed for table in campaign.tables.values() if name in table.runs for seed in table.seeds
        }
        if seeds:
            listed = ", ".join(map(str, sorted(seeds)))
            return f"seed {record.seed} is not planned: the plan holds seeds {listed} of this run"
        return (
            "the plan holds no such run: other settings, other pictures or another version of the code; "
            "train it from a clone of the campaign, by campaign train"
        )
    if record.plan is not None and record.plan["sha256"] == campaign.sha256 and record.plan != plan:
        return "it names this campaign's plan and tells it otherwise: send the record as it was written"
    return None


def name_run_folder(record: Record) -> str:
    """Return the name of the folder of a run, as its record has it."""
    return f"{record.name}-{record.run_key[:8]}"


def mark_code(record: Record) -> str | None:
    """Return what is not known of the code that a run was trained by, as confounds name it; None where all is."""
    if record.commit is None:
        return "commit not recorded"
    if record.dirty is None:
        return "uncommitted changes not recorded"
    if record.dirty:
        return "with uncommitted changes"
    return None


def group_by_origin(runs: Sequence[ReportedRun]) -> dict[str, list[ReportedRun]]:
    """Return reported runs by the name of their origin, the names in alphabetical order."""
    by_origin: dict[str, list[ReportedRun]] = {}
    for name in sorted({run.origin for run in runs}):
        by_origin[name] = [run for run in runs if run.origin == name]
    return by_origin


def _explain_pictures(record: Record, ours: Iterable[Record]) -> str | None:
    """Return that a run saw other pictures than ours of the same set; None where it did not, or nobody can tell."""
    data = record.protocol["data"]
    own = {
        one.protocol["data"].get("fingerprint")
        for one in ours
        if one.protocol["data"]["name"] == data["name"]
    }
    fingerprint = data.get("fingerprint")
    if not own or fingerprint in own:
        return None
    ours_named = ", ".join(sorted(str(each)[:8] for each in own))
    return (
        f"trained on other pictures of {data['name']}: fingerprint {str(fingerprint)[:8]}, and ours have {ours_named}; "
        "take the set from where ours is from, and train it anew"
    )


def _tell_training(record: Record) -> Training:
    """Return what no two trainings have in common: the run and its epochs, which hold their times."""
    return (record.run_key, record.seed), record.metrics_sha256


def _explain_copy(record: Record, trainings: Mapping[Training, Record]) -> str | None:
    """Return that a record is of a training that another one is of; None where it is not, or nobody can tell."""
    other = trainings.get(_tell_training(record))
    if record.metrics_sha256 is None or other is None:
        return None
    return (
        f"the very training of {RunFolder(other.folder or Path()).record_file}, which is said to be of "
        f"{other.origin or OURS}: keep it in the folder of those who trained it, and remove it from the other"
    )


def _explain_plan(record: Record, campaign: Campaign | None) -> str | None:
    """Return why a run was not trained under the campaign's plan as it stands; None where it was."""
    if record.plan is None:
        return "not under this plan: under none"
    if campaign is None or record.plan["sha256"] != campaign.sha256:
        return f"not under this plan: under one of {record.plan['written_at']}, sha256 {record.plan['sha256'][:8]}"
    return None


_RULES = {
    "schema_version": Rule(is_count, f"{SCHEMA_VERSION}"),
    "name": Rule(is_name, "whom tables cite, in one line"),
    "merged_at": Rule(is_time, "a time in UTC, such as '2026-01-31T12:00:00+00:00'"),
    "runs": Rule(is_count, "how many runs there are"),
}
