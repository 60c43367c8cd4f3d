"""Read what a study of gates is asked for: classes, images, channels and blocks (config floor; no torch)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from senet_repro.config.class_folders import find_class_folders
from senet_repro.config.evaluation import take_own_words
from senet_repro.config.imagenet_classes import read_wnids
from senet_repro.config.picture_folders import EVAL
from senet_repro.config.schema import Data
from senet_repro.core.choice import require_choice
from senet_repro.core.errors import ConfigError

OWN_KEYS = ("classes", "images", "channels", "blocks", "draw_seed", "hold")
"""The keys of a study of gates that no evaluation has."""

PAPERS_CLASSES = {
    "n01443537": "goldfish",
    "n02110958": "pug",
    "n03954731": "plane",
    "n09246464": "cliff",
}
"""The classes of Figures 6 and 7 by their WordNet ids.

ImageNet's class of the label "plane" is the carpenter's plane (index 726), and no aircraft, whose class is the airliner
(n02690373, index 404). The paper names the label alone, so that is the one taken here.
"""
MOST_CLASSES = 7
"""A panel has a colour for each class, and one for all of them."""

_CLASS_NAMES = {
    "cifar10": (
        "airplane",
        "automobile",
        "bird",
        "cat",
        "deer",
        "dog",
        "frog",
        "horse",
        "ship",
        "truck",
    )
}
# The paper shows four.
_USUAL_CLASSES = 4
_TRUTHS = {"true": True, "false": False}


@dataclass(frozen=True, kw_only=True)
class ExcitationWords:
    """The words of a command about a study of gates."""

    classes: list[str] | None = None  # None: the paper's, or the first of a set that has them not
    images: int = 50  # of each class, for the curves of single classes
    channels: int = 50  # drawn at random from each block, for the curves
    blocks: list[str] | None = None  # that the figures show; None: chosen by the network
    draw_seed: int = 0  # of the channels
    hold: bool = True  # also re-score the network with each block's gates held at their means


@dataclass(frozen=True)
class StudiedClass:
    """A class of whose images the gates are shown apart."""

    label: int
    name: str


def split_study_words(words: Sequence[str]) -> tuple[ExcitationWords, list[str]]:
    """Return what the words say about the study of gates, and those of the evaluation, which are left.

    Raises:
        ConfigError: a value cannot be; the message names the key and the mend.
    """
    own, rest = take_own_words(words, OWN_KEYS)
    if "hold" in own:
        require_choice("hold", own["hold"].lower(), _TRUTHS)
    usual = ExcitationWords()
    said = ExcitationWords(
        classes=_read_names("classes", own["classes"]) if "classes" in own else None,
        images=_read_count("images", own, usual.images, 2),
        channels=_read_count("channels", own, usual.channels, 1),
        blocks=_read_names("blocks", own["blocks"]) if "blocks" in own else None,
        draw_seed=_read_count("draw_seed", own, usual.draw_seed, 0),
        hold=_TRUTHS[own.get("hold", "true").lower()],
    )
    if said.classes is not None and len(said.classes) > MOST_CLASSES:
        raise ConfigError(
            f"classes: a panel shows {MOST_CLASSES} classes at most, and these are {len(said.classes)}; give fewer"
        )
    return said, rest


def choose_classes(data: Data, wanted: Sequence[str] | None) -> list[StudiedClass]:
    """Return the classes to show, in their order: those that are wanted, or the paper's, or else the first four.

    A class is wanted by its name, its folder's name, or its number among the outputs of the network.

    Raises:
        ConfigError: there is no such class in the set; the message names some that there are.
    """
    known = _list_classes(data)
    if wanted is None:
        papers = [known[wnid] for wnid in PAPERS_CLASSES if wnid in known]
        if papers and data.classes == len(read_wnids()):
            # Those that a part of ImageNet lacks, too: the study names them.
            return [StudiedClass(read_wnids()[wnid], name) for wnid, name in PAPERS_CLASSES.items()]
        return papers or list(known.values())[:_USUAL_CLASSES]
    by_word = {one.name: one for one in known.values()} | known
    by_word |= {str(one.label): one for one in known.values()}
    chosen = []
    for word in wanted:
        if word not in by_word:
            some = ", ".join(list(known)[:5])
            raise ConfigError(
                f"classes={word}: {data.name} has no such class with evaluation images; there are {some} and others"
            )
        chosen.append(by_word[word])
    return list(dict.fromkeys(chosen))


def _list_classes(data: Data) -> dict[str, StudiedClass]:
    """Return the classes that have evaluation images, by the name of their folder or their own, in their order."""
    if data.kind != "folders":
        names = _CLASS_NAMES.get(data.name, tuple(map(str, range(data.classes))))
        return {name: StudiedClass(label, name) for label, name in enumerate(names)}
    numbers = find_class_folders(data, [EVAL]).numbers
    return {
        folder: StudiedClass(label, PAPERS_CLASSES.get(folder, folder))
        for folder, label in numbers.items()
    }


def _read_names(key: str, text: str) -> list[str]:
    names = [name.strip() for name in text.removeprefix("[").removesuffix("]").split(",")]
    if not all(names):
        raise ConfigError(f"{key}={text}: give names with a comma between them, such as {key}=A,B")
    return names


def _read_count(key: str, own: dict[str, str], usual: int, least: int) -> int:
    text = own.get(key, str(usual))
    if not text.isascii() or not text.isdecimal() or int(text) < least:
        raise ConfigError(f"{key}={text}: give a whole number from {least} on, such as {key}=50")
    return int(text)
