"""Folders as they were committed, read from git in the checkout around the present folder (core floor).

Names are git's own: a revision such as HEAD or v1.0, and with a colon a path in it, such as HEAD:experiments/demo.
"""

from __future__ import annotations

import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from senet_repro.core.checkout import run_git


def find_commit(revision: str) -> str | None:
    """Return the hash of the commit that a revision names, 40 hexadecimal digits; None where it names none.

    That is so, too, outside of a checkout, and where there is no git.
    """
    found = _find_object(revision)
    # Of a tag its commit. Behind the revision itself, git would take this for a part of a date as in HEAD@{yesterday}.
    return found and _find_object(f"{found}^{{commit}}")


def find_tree(name: str) -> str | None:
    """Return the hash of the folder that a name such as HEAD:experiments/demo stands for; None where it is none."""
    found = _find_object(name)
    # A whole hash is taken for an object, whether there is one or not.
    if found is None or _try_git("cat-file", "-t", found) != "tree":
        return None
    return found


def find_committed_path(folder: Path) -> str | None:
    """Return where a folder lies in the checkout, as git writes paths; None of one that lies outside of it."""
    try:
        return folder.resolve().relative_to(_find_top()).as_posix()
    except ValueError:
        return None


def list_files_named(commit: str, name: str) -> list[PurePosixPath]:
    """Return the paths of all files of a name in a commit."""
    listed = run_git(_find_top(), "ls-tree", "-r", "--name-only", commit)
    paths = map(PurePosixPath, listed.splitlines())
    return [path for path in paths if path.name == name]


def extract_tree(tree: str, target: Path, is_wanted: Callable[[PurePosixPath], bool]) -> None:
    """Write the files of a committed folder into `target`, those alone whose paths below it are wanted.

    Raises:
        OSError: they cannot be written, or git ended before the last of them.
    """
    # From the top: in a folder below it, git would look for that folder in the tree.
    command = ["git", "-C", str(_find_top()), "archive", "--format=tar", tree]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        try:
            # As a stream: a folder may hold gigabytes of weights that nobody asks for.
            with tarfile.open(fileobj=process.stdout, mode="r|") as archive:
                for member in archive:
                    path = PurePosixPath(member.name)
                    if member.isfile() and ".." not in path.parts and is_wanted(path):
                        _write_member(archive, member, target / path)
        except tarfile.TarError as error:
            raise OSError(f"git cannot give the folder {tree}: {error}") from error


def _write_member(archive: tarfile.TarFile, member: tarfile.TarInfo, file: Path) -> None:
    content = archive.extractfile(member)
    assert content is not None
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.read())


def _find_top() -> Path:
    """Return the top folder of the checkout around the present folder.

    Raises:
        OSError: git keeps no files here, as in a bare repository.
    """
    top = _try_git("rev-parse", "--show-toplevel")
    if top is None:
        raise OSError("git has no checkout around this folder; give the command in one")
    return Path(top).resolve()


def _find_object(name: str) -> str | None:
    """Return the hash of what git knows by a name; None where it knows nothing."""
    # Such a word would be an option to git.
    if name.startswith("-"):
        return None
    return _try_git("rev-parse", "--verify", "--quiet", name)


def _try_git(*arguments: str) -> str | None:
    """Return what git prints in the present folder, without the line's end; None where it fails or is not there."""
    try:
        return run_git(Path(), *arguments).rstrip("\n")
    # Also in the checkout of another user. A word with a zero byte is none for any process.
    except (OSError, subprocess.CalledProcessError, ValueError):
        return None
