"""A plate: a figure with its words and its data, on a page or in files."""

import hashlib
import io
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from xml.etree import ElementTree

import polars as pl
from matplotlib.artist import Artist
from matplotlib.figure import Figure

from alignscope.data.files import replace_file
from alignscope.errors import StudyError
from alignscope.report.style import VARIABLES, styled

FORMATS = ("pdf", "png", "svg")
LONGEST = 150
"""Bytes of a file's name without ending, of 255 that file systems take."""

_SVG, _LINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
_MARKS = {f"{{{_SVG}}}use", f"{{{_SVG}}}path"}
_GONE = {f"{{{_SVG}}}{name}" for name in ("metadata", "title", "style")}
"""What a page has no use for; a style would hold on all of it."""
_COLOUR = re.compile("|".join(VARIABLES))
UNDATED: dict[str, dict[str, None]] = {
    "pdf": {"CreationDate": None},
    "svg": {"Date": None},
    "png": {},
}


@dataclass(frozen=True)
class Labelled:
    """A figure, and what its marks say to whom points at them."""

    figure: Figure
    labels: Sequence[tuple[Artist, Sequence[str]]] = ()
    """An artist, and a line for each of its marks in order."""


@dataclass(frozen=True)
class Plate:
    """A figure that can be drawn, what it shows in a sentence, and the data behind it."""

    name: str
    """For files: ``heat-pos-ud-en_ewt``."""
    title: str
    says: str
    """For whom does not see it, and below it on the page."""
    data: pl.DataFrame
    draw: Callable[[], Labelled]
    wide: bool = False
    """Whether it takes the whole width of a page."""

    def render(self, form: str) -> bytes:
        """Return the figure as ``pdf``, ``png`` or ``svg``; alike from call to call."""
        with styled(self.name):
            figure = self.draw().figure
            if form != "svg":
                figure.set_facecolor("white")
            buffer = io.BytesIO()
            figure.savefig(buffer, format=form, dpi=200, facecolor="auto", metadata=UNDATED[form])
        return buffer.getvalue()

    def inline(self) -> str:
        """Return an ``svg`` element for a page: its colours are variables, its marks have titles.

        Whatever a name in the data looks like, it is text in there.
        """
        with styled(self.name):
            drawn = self.draw()
            for place, (artist, _) in enumerate(drawn.labels):
                artist.set_gid(f"marks-{place}")
            buffer = io.BytesIO()
            drawn.figure.savefig(buffer, format="svg", metadata=UNDATED["svg"])
        root = ElementTree.fromstring(buffer.getvalue())
        for place, (_, texts) in enumerate(drawn.labels):
            _entitle(root, f"marks-{place}", texts)
        return _inline(root, self.title, self.says)

    def write(self, folder: Path) -> list[Path]:
        """Write ``NAME.svg``, ``.pdf``, ``.png`` and ``.csv``.

        Raises:
            StudyError: if a file cannot be written.
        """
        contents = {form: self.render(form) for form in FORMATS}
        contents["csv"] = self.data.write_csv().encode()
        return write_all(folder, {f"{self.name}.{end}": made for end, made in contents.items()})

    def _repr_html_(self) -> str:
        """For notebooks."""
        return f"<figure>{self.inline()}<figcaption>{escape(self.title)}</figcaption></figure>"


def write_all(folder: Path, contents: dict[str, bytes]) -> list[Path]:
    """Write files into a folder, each of them whole or not at all.

    Raises:
        StudyError: if one cannot be written.
    """
    paths = []
    for name, content in contents.items():
        path = folder / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            replace_file(content, path)
        except OSError as error:
            raise StudyError(f"{path} cannot be written: {error.strerror}") from None
        paths.append(path)
    return paths


def file_name(*parts: str) -> str:
    """Put a name together that every file system takes.

    >>> file_name("heat", "pos", "ud:en_ewt")
    'heat-pos-ud-en_ewt'
    """
    name = "-".join(re.sub(r"[^\w.]+", "-", part).strip("-.") for part in parts)
    if len(name.encode()) <= LONGEST:
        return name
    digest = hashlib.sha256("/".join(parts).encode()).hexdigest()[:8]
    return f"{name.encode()[:LONGEST].decode(errors='ignore')}-{digest}"


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
