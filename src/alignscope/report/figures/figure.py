"""A plate: a figure with its words and its data, on a page or in files."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from xml.etree import ElementTree

import polars as pl
from matplotlib.artist import Artist
from matplotlib.figure import Figure

from alignscope.report.figures.style import report_style
from alignscope.report.figures.svg import _entitle, _inline
from alignscope.report.files import write_all

FORMATS = ("pdf", "png", "svg")

UNDATED: dict[str, dict[str, None]] = {
    "pdf": {"CreationDate": None},
    "svg": {"Date": None},
    "png": {},
}


@dataclass(frozen=True)
class LabelledFigure:
    """A figure, and what its marks say to whom points at them."""

    figure: Figure
    labels: Sequence[tuple[Artist, Sequence[str]]] = ()
    """An artist, and a line for each of its marks in order."""


@dataclass(frozen=True)
class ReportFigure:
    """A figure that can be drawn, what it shows in a sentence, and the data behind it."""

    name: str
    """For files: ``heat-pos-ud-en_ewt``."""
    title: str
    caption: str
    """For whom does not see it, and below it on the page."""
    data: pl.DataFrame
    draw: Callable[[], LabelledFigure]
    wide: bool = False
    """Whether it takes the whole width of a page."""

    def render(self, form: str) -> bytes:
        """Return the figure as ``pdf``, ``png`` or ``svg``; alike from call to call."""
        with report_style(self.name):
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
        with report_style(self.name):
            drawn = self.draw()
            for place, (artist, _) in enumerate(drawn.labels):
                artist.set_gid(f"marks-{place}")
            buffer = io.BytesIO()
            drawn.figure.savefig(buffer, format="svg", metadata=UNDATED["svg"])
        root = ElementTree.fromstring(buffer.getvalue())
        for place, (_, texts) in enumerate(drawn.labels):
            _entitle(root, f"marks-{place}", texts)
        return _inline(root, self.title, self.caption)

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
