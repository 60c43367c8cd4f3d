"""Open a side of a comparison: a results folder, or one as it was committed (cli floor)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from senet_repro.cli.options import require_readable
from senet_repro.core.committed_folder import (
    extract_tree,
    find_commit,
    find_committed_path,
    find_tree,
    list_files_named,
)
from senet_repro.core.errors import ConfigError
from senet_repro.core.home import expand_home
from senet_repro.core.wording import name_some
from senet_repro.report.tables.load import leave_out_unprintable
from senet_repro.report.text.comparison import SideName
from senet_repro.results.campaign import PLAN_FILE
from senet_repro.results.reported import ORIGIN_FILE
from senet_repro.results.run_folder import RunFolder
from senet_repro.results.seed_folders import REPORTED
from senet_repro.results.store import Results, load_results

_FOLDER = RunFolder(Path())
# All that is compared; weights and checkpoints may be large.
_READ_FILES = {
    file.name
    for file in (
        _FOLDER.record_file,
        _FOLDER.epochs_file,
        _FOLDER.outcomes_file,
        _FOLDER.detections_file,
        # Where ours diverged, a run that others reported does not count.
        _FOLDER.status_file,
    )
}


@contextmanager
def open_side(word: str, results_dir: Path) -> Iterator[tuple[SideName, Results]]:
    """Read the records of a side, whose outcomes can be read until the block ends.

    `word` is a results folder, or a revision of git, alone or with a folder as in HEAD:experiments/demo; of a revision
    alone the folder is `results_dir`. A folder comes first where a word is both.

    Raises:
        ConfigError: it is neither, the commit has no such folder, or there are no records.
    """
    folder = Path(expand_home(word))
    if word and folder.exists():
        require_readable("compare: ", folder)
        yield SideName(word), _require_records(word, load_results(folder))
        return
    tree, name = _find_committed(word, results_dir)
    with TemporaryDirectory(prefix="senet_repro-compare-") as place:
        extract_tree(tree, Path(place), _is_read)
        try:
            found = load_results(Path(place))
        except ConfigError as error:
            raise ConfigError(str(error).replace(place, name.given)) from error
        results = _require_records(name.given, found)
        # A reader knows nothing of the folder in which they lie for a moment.
        told = [message.replace(place, name.given) for message in results.unreadable]
        yield name, replace(results, unreadable=told)


def _require_records(given: str, results: Results) -> Results:
    """Return the results of a side whose records can be compared, if there are any."""
    printable = leave_out_unprintable(results)
    if printable.records:
        return printable
    reason = ""
    if printable.unreadable:
        reason = f" that can be read ({name_some(printable.unreadable, 1)})"
    raise ConfigError(
        f"compare: there are no records in {given}{reason}; give a folder that runs were written to, such as runs or "
        "experiments/NAME"
    )


def _find_committed(word: str, results_dir: Path) -> tuple[str, SideName]:
    """Return the hash of the committed folder that a word names, and the name of the side."""
    commit = find_commit(word)
    if commit is not None:
        return _find_results(word, commit, results_dir)
    tree = find_tree(word)
    # git allows colons in dates before that of the folder.
    revision, colon, folder = word.rpartition(":")
    commit = find_commit(revision) if colon else None
    if tree is not None:
        return tree, SideName(word, commit)
    if commit is not None:
        raise ConfigError(_explain_lacking(word, revision, folder, commit))
    raise ConfigError(
        f"compare: '{word}' is neither a folder nor a commit here; give a results folder, such as runs or "
        "experiments/NAME, or a commit, such as HEAD or HEAD:experiments/NAME"
    )


def _find_results(revision: str, commit: str, results_dir: Path) -> tuple[str, SideName]:
    """Return the folder of `--results` in a commit that was given alone."""
    path = find_committed_path(results_dir)
    if path is None:
        raise ConfigError(
            f"compare: --results {results_dir} lies outside of this checkout, and no commit holds it; give the folder "
            f"behind the commit, such as {revision}:experiments/NAME"
        )
    tree = find_tree(f"{commit}:{path}")
    if tree is None:
        raise ConfigError(_explain_lacking(revision, revision, path, commit))
    return tree, SideName(f"{revision}:{path}", commit)


def _explain_lacking(word: str, revision: str, folder: str, commit: str) -> str:
    """Return that a commit has no such folder, and which of its folders have records."""
    message = f"compare: {word}: commit {commit[:7]} has no folder {folder}"
    if PurePosixPath(folder).name == "runs":
        message += ", since results in runs/ are usually not committed"
    places: dict[str, None] = {}
    for path in list_files_named(commit, _FOLDER.record_file.name):
        # A record lies in the folder of a seed, and that in the folder of a run.
        if len(path.parts) > 3:
            places[f"{revision}:{path.parents[2]}"] = None
    if not places:
        return f"{message}; it holds no records at all: give a results folder, or commit one first"
    return f"{message}; give one that has records there: {name_some(places)}"


def _is_read(path: PurePosixPath) -> bool:
    """Return whether a file below a results folder is one of a run's that are compared, or says whether it counts."""
    parts = path.parts
    # Runs that others reported lie below a folder for each origin, and count by the plan.
    if parts[0] == REPORTED:
        parts = parts[2:]
        if parts == (ORIGIN_FILE,):
            return True
    return parts == (PLAN_FILE,) or (len(parts) == 3 and path.name in _READ_FILES)
