"""Cite the paper, and where the pictures of a report come from (report floor)."""

from __future__ import annotations

from collections.abc import Sequence

from senet_repro.results.record import Record

PAPER = (
    "J. Hu, L. Shen, S. Albanie, G. Sun and E. Wu. Squeeze-and-Excitation Networks. IEEE Transactions on Pattern "
    "Analysis and Machine Intelligence 42(8), 2011-2023, 2020. https://doi.org/10.1109/TPAMI.2019.2913372"
)

_CIFAR = (
    "A. Krizhevsky. Learning Multiple Layers of Features from Tiny Images. Technical report, University of Toronto, "
    "2009."
)

SETS = {
    "cifar10": _CIFAR,
    "cifar100": _CIFAR,
    "coco": (
        "T.-Y. Lin, M. Maire, S. Belongie, J. Hays, P. Perona, D. Ramanan, P. Dollár and C. L. Zitnick. Microsoft "
        "COCO: Common Objects in Context. European Conference on Computer Vision, 2014."
    ),
    "digits": (
        "E. Alpaydin and C. Kaynak. Optical Recognition of Handwritten Digits. UCI Machine Learning Repository, 1998; "
        "as scikit-learn holds them."
    ),
    "imagenet": (
        "O. Russakovsky, J. Deng, H. Su, J. Krause, S. Satheesh, S. Ma, Z. Huang, A. Karpathy, A. Khosla, M. "
        "Bernstein, A. C. Berg and L. Fei-Fei. ImageNet Large Scale Visual Recognition Challenge. International "
        "Journal of Computer Vision 115(3), 211-252, 2015."
    ),
    "places365": (
        "B. Zhou, A. Lapedriza, A. Khosla, A. Oliva and A. Torralba. Places: A 10 Million Image Database for Scene "
        "Recognition. IEEE Transactions on Pattern Analysis and Machine Intelligence 40(6), 1452-1464, 2018."
    ),
}
"""The publication of each data set that has one, by the name of the set."""


def list_references(records: Sequence[Record]) -> list[str]:
    """Return the paper, which is number 1, and the publications of the sets that some records are of, each once."""
    references = {PAPER: None}
    for record in records:
        publication = SETS.get(str(record.protocol["data"]["name"]))
        if publication is not None:
            references[publication] = None
    return list(references)


def cite_set(record: Record, references: Sequence[str]) -> str:
    """Return the number of a set's publication in brackets, behind a blank; nothing for a set without one."""
    publication = SETS.get(str(record.protocol["data"]["name"]))
    if publication is None:
        return ""
    return f" [{references.index(publication) + 1}]"
