"""Turn a Matplotlib SVG into an inline figure with tooltips and theme colours."""

import re
from collections.abc import Iterable
from xml.etree import ElementTree

from alignscope.report.figures.style import VARIABLES

_SVG, _LINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
_MARKS = {f"{{{_SVG}}}use", f"{{{_SVG}}}path"}
_GONE = {f"{{{_SVG}}}{name}" for name in ("metadata", "title", "style")}
"""What a page has no use for; a style would hold on all of it."""
_COLOUR = re.compile("|".join(VARIABLES))


def _entitle(root: ElementTree.Element, name: str, texts: Iterable[str]) -> None:
    """Give the marks of a group their titles, in order."""
    group = root.find(f".//*[@id='{name}']")
    if group is None:  # nothing of it is inside the field
        return
    hidden = {id(mark) for defs in group.iter(f"{{{_SVG}}}defs") for mark in defs.iter()}
    marks = [mark for mark in group.iter() if mark.tag in _MARKS and id(mark) not in hidden]
    for mark, text in zip(marks, texts, strict=True):
        ElementTree.SubElement(mark, f"{{{_SVG}}}title").text = text


def _inline(root: ElementTree.Element, title: str, says: str) -> str:
    for parent in [root, *root.findall(f"{{{_SVG}}}defs")]:
        for part in [part for part in parent if part.tag in _GONE]:
            parent.remove(part)
    for part in root.iter():
        if link := part.attrib.pop(f"{{{_LINK}}}href", None):
            part.set("href", link)
    _drop_unused_ids(root)
    for attribute in ("width", "height", "version"):
        root.attrib.pop(attribute, None)
    root.set("role", "img")
    root.set("aria-label", f"{title}. {says}")
    for part in root.iter():
        if style := part.get("style"):
            part.set("style", _COLOUR.sub(lambda found: f"var({VARIABLES[found[0]]})", style))
        if part.text and not part.text.strip():
            part.text = None
        part.tail = None
    ElementTree.register_namespace("", _SVG)
    return ElementTree.tostring(root, encoding="unicode")


def _drop_unused_ids(root: ElementTree.Element) -> None:
    """Figures number their parts from 1, and a page has many: only what is referred to keeps an id.

    Those are made from the plate's name and so are its own.
    """
    used = set()
    for part in root.iter():
        for value in part.attrib.values():
            used |= set(re.findall(r"url\(#([^)]+)\)", value)) | set(re.findall(r"^#(.+)$", value))
    for part in root.iter():
        if part.get("id") not in used:
            part.attrib.pop("id", None)
