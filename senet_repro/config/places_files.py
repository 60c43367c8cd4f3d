"""Where the parts of Places365 lie that come with lists of their pictures (config floor; no torch).

    categories_places365.txt, places365_train_<subset>.txt, places365_val.txt
                              in the root, or in a folder filelist_places365-*/ there
    training pictures         data_256_<subset>/ or data_large_<subset>/, else data_256/ or data_large/
    evaluation pictures       val_256/ or val_large/, in one folder

These are the names of the official archives and of torchvision. Small and large pictures are different pixels, so one
of the sizes may be there, and the same of both parts. An archive's folder may hold a folder of the same name.

A class is named by its category without the letter before it, such as apartment_building/outdoor, and numbered as in
the list of categories, also where others have no picture.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from senet_repro.config.picture_folders import (
    EVAL,
    PARTS,
    TRAIN,
    ClassFolders,
    PictureFolder,
    list_pictures,
)
from senet_repro.config.places_lists import (
    CATEGORIES,
    VAL_LIST,
    ListedPictures,
    read_categories,
    read_train_list,
    read_val_list,
)
from senet_repro.config.schema import Data
from senet_repro.core.errors import DataError
from senet_repro.core.wording import choose_form, name_some

PLACES = "places365"
SUBSETS = ("challenge", "standard")
SIZES = ("256", "large")
VAL_FOLDERS = tuple(f"val_{size}" for size in SIZES)
LIST_FOLDERS = "filelist_places365-"
"""The beginning of the names of folders that lists may lie in."""


@dataclass(frozen=True, kw_only=True)
class ListedFolder(PictureFolder):
    """A folder whose pictures a list names."""

    pictures: ListedPictures
    number: int | None = None  # of its class; None where the list states several

    @property
    def key(self) -> str:
        """Return the name of the folder within its set, with the number of its class, which only lists tell."""
        if self.number is None:
            return super().key
        return f"{super().key}/{self.number}"

    def list_pictures(self) -> list[str]:
        """Return the names of its pictures, in their order.

        Raises:
            DataError: the folder cannot be read, or holds other pictures than its list.
        """
        found = list_pictures(self.path).taken
        self.pictures.require_same(self.path, found)
        return found


def has_listed_layout(root: Path) -> bool:
    """Return whether a root holds the folders or lists of Places365, and no class folders.

    Raises:
        DataError: it holds the folders of both forms.
    """
    pictures = _find_folders(root, [*_list_train_names(*SUBSETS), *VAL_FOLDERS])
    classes = _find_folders(root, PARTS)
    if pictures and classes:
        raise DataError(
            f"{root} holds {classes[0]}/ and {pictures[0]}/, which are two forms of Places365: leave one of them there"
        )
    return bool(pictures) or (not classes and any(_list_places(root, CATEGORIES)))


def find_listed_places(data: Data, parts: Sequence[str]) -> ClassFolders:
    """Return the classes of Places365 and the folders with the pictures of some parts, as its lists state them.

    Classes without a picture may lack, but in both parts.

    Raises:
        DataError: a list or a folder is missing, or they are not of one another; the message names the file and line.
    """
    root = Path(data.root or "")
    subset = str(data.subset)
    categories = read_categories(_find_list(root, CATEGORIES, subset), data.classes)
    folders: list[PictureFolder] = []
    classes: list[set[str]] = []
    if TRAIN in parts:
        train = _find_train_folders(root, subset, categories)
        folders += train
        classes.append({folder.pictures.folder for folder in train})
    if EVAL in parts:
        evaluation, in_evaluation = _find_eval_folder(root, subset, categories)
        folders.append(evaluation)
        classes.append(in_evaluation)
    present = classes[0].union(*classes)
    if odd := sorted(present - classes[0].intersection(*classes)):
        verb = choose_form(len(odd), "is", "are")
        raise DataError(
            f"{root}: its lists must have pictures of the same classes in both parts; {name_some(odd)} {verb} in one "
            "only"
        )
    numbered = [category for category in categories if category in present]
    return ClassFolders(
        root=root,
        names=[_name_class(category) for category in numbered],
        labels=[categories[category] for category in numbered],
        folders=folders,
        is_numbered=True,
    )


def _find_train_folders(root: Path, subset: str, categories: dict[str, int]) -> list[ListedFolder]:
    """Return the folder of each class that the training list names, in the order of their numbers."""
    listed = read_train_list(_find_list(root, _name_train_list(subset), subset), categories)
    pictures = _choose_train_folder(root, subset)
    folders = []
    for category in categories:
        if category not in listed:
            continue
        own = listed[category]
        path = pictures / category.removeprefix("/")
        if not path.is_dir():
            raise DataError(
                f"{own.file}, line {own.first_line}: there is no folder {path}; fetch it again"
            )
        name, number = _name_class(category), categories[category]
        folders.append(ListedFolder(TRAIN, path, name, pictures=own, number=number))
    return folders


def _find_eval_folder(
    root: Path, subset: str, categories: dict[str, int]
) -> tuple[ListedFolder, set[str]]:
    """Return the folder of the evaluation pictures, and the categories that these are of."""
    own, stated = read_val_list(_find_list(root, VAL_LIST, subset), categories)
    path = _choose_eval_folder(root, subset)
    named = {picture: _name_class(category) for picture, category in stated.items()}
    return ListedFolder(EVAL, path, "", named, pictures=own), set(stated.values())


def _choose_train_folder(root: Path, subset: str) -> Path:
    """Return the folder of the training pictures of a subset.

    Raises:
        DataError: there is none, or one of each size.
    """
    found = _find_train_names(root, subset)
    if not found:
        looked_for = ", ".join(f"{name}/" for name in _list_train_names(subset))
        raise DataError(
            f"no training pictures in {root}: looked for {looked_for} or train/<class>/*; give data.root=DIR"
        )
    return _enter_folder(root, _require_one(root, found))


def _choose_eval_folder(root: Path, subset: str) -> Path:
    """Return the folder of the evaluation pictures, in the size of the training pictures where these are there.

    Raises:
        DataError: there is none, one of each size, or that of another size.
    """
    found = _find_folders(root, VAL_FOLDERS)
    if not found:
        looked_for = ", ".join(f"{name}/" for name in VAL_FOLDERS)
        raise DataError(
            f"no evaluation pictures in {root}: looked for {looked_for} or val/<class>/*; give data.root=DIR"
        )
    train = _find_train_names(root, subset)
    if len(train) != 1:
        return _enter_folder(root, _require_one(root, found))
    wanted = f"val_{train[0].split('_')[1]}"
    if wanted not in found:
        raise DataError(
            f"{root} holds {train[0]}/ and {found[0]}/, pictures of two sizes: put {wanted}/ there"
        )
    return _enter_folder(root, wanted)


def _require_one(root: Path, found: Sequence[str]) -> str:
    """Return the one folder that was found.

    Raises:
        DataError: there are several.
    """
    if len(found) > 1:
        raise DataError(
            f"{root} holds {found[0]}/ and {found[1]}/, the same pictures in two sizes, which are runs of their own: "
            "leave one of them there, or give a data.root with links to what is meant"
        )
    return found[0]


def _find_train_names(root: Path, subset: str) -> list[str]:
    """Return the folders of training pictures of a subset that are there: those that bear its name, or else any."""
    found = _find_folders(root, _list_train_names(subset))
    own = [name for name in found if name.endswith(subset)]
    return own or found


def _list_train_names(*subsets: str) -> list[str]:
    """Return the names that a folder of training pictures may have, those with the name of a subset first."""
    named = [f"data_{size}_{subset}" for subset in subsets for size in SIZES]
    return [*named, *(f"data_{size}" for size in SIZES)]


def _find_folders(root: Path, names: Sequence[str]) -> list[str]:
    return [name for name in names if (root / name).is_dir()]


def _enter_folder(root: Path, name: str) -> Path:
    """Return a folder of an archive, or the folder of its own name in it."""
    # An archive of a subset may hold the name without it: data_large_challenge/data_large.
    bare = "_".join(name.split("_")[:2])
    inner = _find_folders(root / name, [name, bare])
    if inner:
        return root / name / inner[0]
    return root / name


def _name_train_list(subset: str) -> str:
    return f"places365_train_{subset}.txt"


def _find_list(root: Path, name: str, subset: str) -> Path:
    """Return the list of a name, that in the root first, then that of the subset.

    Raises:
        DataError: there is none.
    """
    places = sorted(_list_places(root, name), key=lambda path: _rank_place(path, root, subset))
    if places:
        return places[0]
    message = (
        f"no {name} in {root} or a folder {LIST_FOLDERS}*/ there: fetch the lists of Places365"
    )
    for other in SUBSETS:
        if name == _name_train_list(subset) and any(_list_places(root, _name_train_list(other))):
            message += f", or give data.subset={other}, whose list is there"
    raise DataError(message)


def _rank_place(path: Path, root: Path, subset: str) -> tuple[bool, bool, str]:
    return path.parent != root, not path.parent.name.endswith(subset), path.parent.name


def _list_places(root: Path, name: str) -> Iterator[Path]:
    """Yield the lists of a name, wherever one may lie."""
    for folder in (root, *root.glob(f"{LIST_FOLDERS}*")):
        if (folder / name).is_file():
            yield folder / name


def _name_class(category: str) -> str:
    """Return the name of a category's class: /a/airfield is airfield."""
    return category[len("/a/") :]
