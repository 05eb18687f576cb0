"""Turn a Matplotlib SVG into an inline figure with tooltips and theme colours."""

import re
from collections.abc import Iterable
from xml.etree import ElementTree

from alignscope.report.figures.style import VARIABLES

_SVG, _LINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
_MARKS = {f"{{{_SVG}}}use", f"{{{_SVG}}}path"}
_REMOVED = {f"{{{_SVG}}}{name}" for name in ("metadata", "title", "style")}
"""Elements that a page must not have: a ``style`` would apply to the whole page."""
_COLOUR = re.compile("|".join(VARIABLES))


def add_tooltips(root: ElementTree.Element, group_id: str, texts: Iterable[str]) -> None:
    """Add a ``title`` element to each mark of the group with this id, in order."""
    group = root.find(f".//*[@id='{group_id}']")
    if group is None:  # Matplotlib leaves out an artist that lies outside the axes
        return
    hidden = {id(mark) for defs in group.iter(f"{{{_SVG}}}defs") for mark in defs.iter()}
    marks = [mark for mark in group.iter() if mark.tag in _MARKS and id(mark) not in hidden]
    for mark, text in zip(marks, texts, strict=True):
        ElementTree.SubElement(mark, f"{{{_SVG}}}title").text = text


def inline_svg(root: ElementTree.Element, alt_text: str) -> str:
    """Return the ``svg`` element without its size, ids and style sheet, with an alt text."""
    for parent in [root, *root.findall(f"{{{_SVG}}}defs")]:
        for part in [part for part in parent if part.tag in _REMOVED]:
            parent.remove(part)
    for part in root.iter():
        if link := part.attrib.pop(f"{{{_LINK}}}href", None):
            part.set("href", link)
    _drop_unused_ids(root)
    for attribute in ("width", "height", "version"):
        root.attrib.pop(attribute, None)
    root.set("role", "img")
    root.set("aria-label", alt_text)
    for part in root.iter():
        if style := part.get("style"):
            part.set("style", _COLOUR.sub(lambda match: f"var({VARIABLES[match[0]]})", style))
        if part.text and not part.text.strip():
            part.text = None
        part.tail = None
    ElementTree.register_namespace("", _SVG)
    return ElementTree.tostring(root, encoding="unicode")


def _drop_unused_ids(root: ElementTree.Element) -> None:
    """Remove the ids that nothing refers to.

    Matplotlib numbers the parts of every figure from 1, so ids would repeat on a page. The ids that
    are referred to contain a hash of the figure's name and are unique.
    """
    used = set()
    for part in root.iter():
        for value in part.attrib.values():
            used |= set(re.findall(r"url\(#([^)]+)\)", value)) | set(re.findall(r"^#(.+)$", value))
    for part in root.iter():
        if part.get("id") not in used:
            part.attrib.pop("id", None)
