"""From an SVG document to an element of the page (report floor).

An SVG within the page keeps what an image of it would lose: its text can be selected and found, is set in the page's
font, and its colours follow the page from light to dark.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree

from senet_repro.report.figures.style import PAGE_VARIABLES

SVG_NAMESPACE = "{http://www.w3.org/2000/svg}"
XLINK_NAMESPACE = "{http://www.w3.org/1999/xlink}"

DOCUMENT_PARTS = (f"{SVG_NAMESPACE}metadata", f"{SVG_NAMESPACE}style")

BACKGROUND_ID = "patch_1"
"""matplotlib's id of the rectangle behind a whole figure."""


def make_inline(document: str, name: str, alt: str) -> str:
    """Return an SVG document as an element of the page.

    `name` begins all of its ids, which no other figure of the page may share; `alt` describes it to a screen reader.
    """
    root = ElementTree.fromstring(document)
    _remove_document_parts(root)
    _clear_background(root)
    for element in root.iter():
        _remove_namespaces(element)
        for key, value in element.items():
            element.set(key, _adapt_attribute(key, value, name))
    # The page gives the size, from the view box.
    for attribute in ("width", "height", "version"):
        del root.attrib[attribute]
    root.set("role", "img")
    root.set("aria-label", alt)
    return ElementTree.tostring(root, encoding="unicode").strip()


def _remove_document_parts(root: ElementTree.Element) -> None:
    """Remove the elements that describe the document, and those that would style the whole page."""
    # Lists, since elements go while we walk through them.
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in DOCUMENT_PARTS:
                parent.remove(child)


def _clear_background(root: ElementTree.Element) -> None:
    """Empty the rectangle behind the figure, so that the page shows through."""
    background = root.find(f".//{SVG_NAMESPACE}g[@id='{BACKGROUND_ID}']")
    if background is not None:
        background.clear()


def _remove_namespaces(element: ElementTree.Element) -> None:
    """Rename an element and its attributes as HTML writes them."""
    element.tag = element.tag.removeprefix(SVG_NAMESPACE)
    attributes = list(element.items())
    element.attrib.clear()
    for key, value in attributes:
        element.set(key.removeprefix(XLINK_NAMESPACE), value)


def _adapt_attribute(key: str, value: str, name: str) -> str:
    """Return the value of an attribute with ids that begin with `name`, in the page's font and colours."""
    if key == "id":
        return f"{name}-{value}"
    if key == "href":
        return f"#{name}-{value.removeprefix('#')}"
    value = value.replace("url(#", f"url(#{name}-")
    if key != "style":
        return value
    without_font = re.sub("font-family: [^;]*;? ?", "", value)
    return re.sub("#[0-9a-f]{6}", _name_colour, without_font)


def _name_colour(found: re.Match[str]) -> str:
    """Return the page's variable for a colour; a colour without one stays."""
    colour = found[0]
    variable = PAGE_VARIABLES.get(colour)
    if variable:
        return f"var(--{variable})"
    return colour
