"""Check a run that others trained: whether its record can be believed, is of the campaign, and is nobody's copy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from senet_repro.core.errors import ConfigError
from senet_repro.report.tables.load import find_obstacle
from senet_repro.results.campaign import Campaign, is_time
from senet_repro.results.foreign_runs import RefusedRunError
from senet_repro.results.outcomes import Outcomes, find_disagreement, load_outcomes
from senet_repro.results.record import Record, name_training, read_record
from senet_repro.results.reported import RunId, find_refusal
from senet_repro.results.run_folder import RunFolder
from senet_repro.tasks import find_task


@dataclass
class KnownRuns:
    """The runs that a reported one is set beside."""

    campaign: Campaign
    ours: dict[RunId, Record]
    # Those that the same origin reported before.
    earlier: dict[RunId, Record]
    # Whose epochs are known, in words, by their hash: no two trainings take the same time to the microsecond.
    epochs: dict[str, str]

    def is_our_own(self, record: Record) -> bool:
        """Return whether a record is of a training of ours, as in a clone of the campaign."""
        own = self.ours.get((record.run_key, record.seed))
        return own is not None and name_training(own) == name_training(record)

    def is_taken(self, record: Record) -> bool:
        """Return whether the same record was taken from the origin before."""
        return self.earlier.get((record.run_key, record.seed)) == record

    def require_new(self, record: Record) -> None:
        """Accept a record of a run that the origin has not reported yet, and whose epochs are nobody else's.

        Raises:
            RefusedRunError: another record of the run was taken before, or it is a copy.
        """
        earlier = self.earlier.get((record.run_key, record.seed))
        if earlier is not None:
            raise RefusedRunError(
                f"{earlier.folder} holds another record of it: a run counts once; remove that first, if it was wrong"
            )
        original = self.epochs.get(record.metrics_sha256 or "")
        if original is not None:
            raise RefusedRunError(
                f"its epochs are those of {original}, their times included: a copy and no run of its own; train it"
            )

    def add_record(self, record: Record, words: str) -> None:
        """Know a record of the origin that is being merged; `words` name it."""
        self.earlier[record.run_key, record.seed] = record
        if record.metrics_sha256 is not None:
            self.epochs[record.metrics_sha256] = words

    def find_size(self, record: Record) -> tuple[int, int] | None:
        """Return the parameters and multiply-adds of our own runs of a record's network; None where there are none."""
        for own in self.ours.values():
            if own.run_key == record.run_key:
                return own.params, own.macs
        return None

    def find_labels(self, record: Record) -> Outcomes | None:
        """Return outcomes of ours on the pictures that a record was evaluated on; None where there are none."""
        for own in self.ours.values():
            has_its_data = own.protocol["data"] == record.protocol["data"]
            if has_its_data and own.eval_images == record.eval_images:
                outcomes = load_outcomes(own)
                if outcomes is not None:
                    return outcomes
        return None


def check_run(folder: Path, known: KnownRuns) -> Record:
    """Return the record of a run in a folder of ours that it was copied into, once all of it was checked.

    Raises:
        NoRecordError: the run has none.
        RecordError: it cannot be believed.
        RefusedRunError: it is no run of the campaign, or its figures do not follow from what lies beside it.
        ConfigError: its outcomes are damaged.
    """
    record = read_record(RunFolder(folder).record_file)
    obstacle = find_refusal(record, known.campaign, known.ours.values()) or find_obstacle(record)
    if obstacle is not None:
        raise RefusedRunError(obstacle)
    # Of several records of a run the first counts, and times of one form alone can be set beside each other.
    if not is_time(record.finished_at):
        raise RefusedRunError(
            f"it was finished at {record.finished_at!r}, which is no time in UTC as records have it: send the record "
            "as it was written"
        )
    _require_size(record, known)
    _require_evidence(record, RunFolder(folder))
    if record.outcomes is not None:
        _check_outcomes(record, RunFolder(folder), known)
    return record


def _require_size(record: Record, known: KnownRuns) -> None:
    """Accept a record whose network has as many parameters and multiply-adds as ours of the same run.

    Raises:
        RefusedRunError: it has others.
    """
    size = known.find_size(record)
    if size is not None and size != (record.params, record.macs):
        raise RefusedRunError(
            f"its network has {record.params:,} parameters and {record.macs:,} multiply-adds, and ours of the same "
            f"run {size[0]:,} and {size[1]:,}: send the record as it was written"
        )


def _require_evidence(record: Record, folder: RunFolder) -> None:
    """Accept a record beside which everything lies that its figures can be checked by.

    Raises:
        RefusedRunError: something is missing.
    """
    # Before there were plans a record had no hashes either; such a one is shown, and counts for nothing.
    is_bare = record.metrics_sha256 is None or record.outcomes is None
    if record.plan is not None and is_bare:
        raise RefusedRunError(
            "it has no hash of its epochs or outcomes, so that nothing in it can be checked: "
            "send the record as it was written"
        )
    if record.metrics_sha256 is not None and not folder.epochs_file.exists():
        raise RefusedRunError(
            f"{folder.epochs_file.name} is not beside it, and its figures are checked by it: send it, too"
        )


def _check_outcomes(record: Record, folder: RunFolder, known: KnownRuns) -> None:
    """Accept a record whose figures follow from what was found on each of all evaluation images.

    Raises:
        RefusedRunError: they do not, or the file is missing, another one, or of other images.
        ConfigError: it is damaged.
    """
    kept = find_task(record.task).read_outcomes(folder)
    if kept is None:
        raise RefusedRunError(
            "the outcomes of its evaluation images are not beside it, and its figures are checked by them: "
            f"send {folder.find_image_file().name}, too"
        )
    if kept.summary != record.outcomes:
        raise RefusedRunError(f"{kept.file.name} is not the one that its record was made with")
    if kept.summary["images"] != record.eval_images:
        raise RefusedRunError(
            f"{kept.file.name} holds {kept.summary['images']:,} images, and it evaluated {record.eval_images:,}"
        )
    disagreement = find_disagreement(kept.measured, record.metrics)
    if disagreement is not None:
        name, measured = disagreement
        raise RefusedRunError(
            f"its {name} is {record.metrics[name]:g}, and {measured:g} by its {kept.file.name}: train it anew"
        )
    ours = known.find_labels(record)
    theirs = load_outcomes(record)
    if ours is not None and theirs is not None and not theirs.has_labels_of(ours):
        raise RefusedRunError(
            f"{kept.file.name} has other labels than ours of the same images: train it on the set that ours is from"
        )


def explain_refusal(error: ConfigError, copy: Path, source: Path) -> str:
    """Return why a run is refused, with the names of its own files in place of those of their copies."""
    return str(error).replace(f"{copy}/", "").replace(str(copy), str(source))
