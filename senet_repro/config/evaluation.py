"""Read what an evaluation is asked for: sizes, crops and how images are resized (config floor; no torch)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from senet_repro.config.releases import INTERPOLATIONS
from senet_repro.config.schema import MOST_PX, Data
from senet_repro.core.choice import find_nearest, require_choice
from senet_repro.core.errors import ConfigError

OWN_KEYS = ("sizes", "crop_ratio", "interpolation", "antialias")
"""The keys of an evaluation that no run has."""

USUAL_CROP_RATIO = 0.875
"""The ratio of 224 to 256 pixels, by which the paper's networks are evaluated."""

_LEAST_LIKENESS = 0.75
_TRUTHS = {"true": True, "false": False}


@dataclass(frozen=True, kw_only=True)
class CropRule:
    """How an image becomes the square that a network sees."""

    size_px: int  # side of the central square
    # Shorter side of the image before; none: the set's images are taken as they are.
    resize_px: int | None
    # Which sides have that length then: short | both, whatever the aspect was.
    sides: str = "short"

    def describe(self) -> str:
        """Return the rule in a reader's words."""
        if self.resize_px is None:
            return "as stored"
        if self.sides == "both":
            return f"both sides {self.resize_px}, centre {self.size_px}"
        return f"short side {self.resize_px}, centre {self.size_px}"


@dataclass(frozen=True, kw_only=True)
class EvaluationWords:
    """The words of a command about an evaluation, beyond the settings of a run; None where it says nothing."""

    sizes: list[int] | None = None
    crop_ratios: list[float] | None = None
    interpolation: str | None = None
    antialias: bool | None = None


def split_words(words: Sequence[str]) -> tuple[EvaluationWords, list[str]]:
    """Return what the words say about the evaluation itself, and the settings of a run, which are left.

    Raises:
        ConfigError: a value cannot be; the message names the key and the mend.
    """
    own, settings = take_own_words(words, OWN_KEYS)
    if "interpolation" in own:
        require_choice("interpolation", own["interpolation"], INTERPOLATIONS)
    if "antialias" in own:
        require_choice("antialias", own["antialias"].lower(), _TRUTHS)
    said = EvaluationWords(
        sizes=_read_sizes(own["sizes"]) if "sizes" in own else None,
        crop_ratios=_read_ratios(own["crop_ratio"]) if "crop_ratio" in own else None,
        interpolation=own.get("interpolation"),
        antialias=_TRUTHS[own["antialias"].lower()] if "antialias" in own else None,
    )
    return said, settings


def take_own_words(
    words: Sequence[str], own_keys: Sequence[str]
) -> tuple[dict[str, str], list[str]]:
    """Return the values that the words give to a verb's own keys, and the words that are left.

    Raises:
        ConfigError: a word is almost one of the keys, or one of them without a value.
    """
    own: dict[str, str] = {}
    others = []
    for word in words:
        key, sign, value = word.partition("=")
        if sign and key in own_keys:
            own[key] = value.strip()
            continue
        _refuse_slip(key, own_keys)
        others.append(word)
    return own, others


def choose_rules(data: Data, said: EvaluationWords, native: CropRule) -> list[CropRule]:
    """Return the rules of an evaluation, one for each pass over the images.

    `native` is the rule that the network is evaluated by otherwise; `data` says which sides are resized. Without a crop
    ratio each size is cut by that of the native rule, and a larger one by 1.0 too, as the paper's figures at 320 pixels
    are taken to be.

    Raises:
        ConfigError: the set's images have a size of their own, or a size and a ratio make too large an image.
    """
    if data.kind == "memory":
        _check_stored_size(data, said)
        return [CropRule(size_px=data.eval_px, resize_px=None)]
    # Weights of a set in memory have no rule for pictures of many sizes.
    resize_px = native.resize_px or math.floor(native.size_px / USUAL_CROP_RATIO)
    native = replace(native, resize_px=resize_px, sides=data.eval_resize_sides)
    native_ratio = native.size_px / resize_px
    rules = []
    for size_px in said.sizes or [native.size_px]:
        ratios = said.crop_ratios
        if ratios is None and size_px == native.size_px:
            rules.append(native)
            continue
        if ratios is None:
            ratios = [1.0, native_ratio] if size_px > native.size_px else [native_ratio]
        rules += [_build_rule(size_px, ratio, native.sides) for ratio in ratios]
    return list(dict.fromkeys(rules))


def _build_rule(size_px: int, ratio: float, sides: str) -> CropRule:
    # Rounded down as timm does, so that the same ratio means the same pixels.
    resize_px = math.floor(size_px / ratio)
    if resize_px > MOST_PX:
        raise ConfigError(
            f"crop_ratio={ratio:g}: an image of {size_px} px would be cut from one of {resize_px:,} px, more than "
            f"{MOST_PX:,}; give a greater ratio, such as 0.875"
        )
    return CropRule(size_px=size_px, resize_px=resize_px, sides=sides)


def _check_stored_size(data: Data, said: EvaluationWords) -> None:
    """Refuse to resize the images of a set in memory."""
    if said.sizes not in (None, [data.eval_px]):
        raise ConfigError(
            f"sizes={said.sizes}: {data.name} images are {data.eval_px} px a side and are not resized; leave sizes out"
        )
    for key, value in (
        ("crop_ratio", said.crop_ratios),
        ("interpolation", said.interpolation),
        ("antialias", said.antialias),
    ):
        if value is not None:
            raise ConfigError(f"{key}: {data.name} images are not resized; leave {key} out")


def _refuse_slip(key: str, own_keys: Sequence[str]) -> None:
    """Refuse a word that is almost one of a verb's own keys, or one of them without a value.

    Raises:
        ConfigError: it is; the message names the key that was meant.
    """
    near = find_nearest(key, own_keys, _LEAST_LIKENESS)
    if near and key not in own_keys:
        raise ConfigError(f"unknown key '{key}'; did you mean '{near}'?")
    if key in own_keys:
        raise ConfigError(f"{key}: give {key}=VALUE")


def _read_sizes(text: str) -> list[int]:
    sizes = []
    for number in _read_numbers("sizes", text, "sizes=[224,320]"):
        if number != int(number) or not 1 <= number <= MOST_PX:
            raise ConfigError(
                f"sizes={text}: give whole numbers of pixels from 1 to {MOST_PX:,}, such as sizes=[224,320]"
            )
        sizes.append(int(number))
    return sizes


def _read_ratios(text: str) -> list[float]:
    ratios = _read_numbers("crop_ratio", text, "crop_ratio=[0.875,1.0]")
    if not all(0 < ratio <= 1 for ratio in ratios):
        raise ConfigError(
            f"crop_ratio={text}: the crop's side as a share of the shorter side is above 0 and at most 1, "
            "such as crop_ratio=[0.875,1.0]"
        )
    return ratios


def _read_numbers(key: str, text: str, example: str) -> list[float]:
    """Return the numbers of a value: one, or a list of them in brackets."""
    inner = text.removeprefix("[").removesuffix("]")
    try:
        numbers = [float(part) for part in inner.split(",")]
    except ValueError:
        numbers = []
    if not numbers or not all(math.isfinite(number) for number in numbers):
        raise ConfigError(f"{key}={text}: give a number, or numbers in brackets, such as {example}")
    return numbers
