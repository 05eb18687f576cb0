"""A figure with its caption and its data, for a page, a notebook or files."""

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
from alignscope.report.figures.svg import add_tooltips, inline_svg
from alignscope.report.files import file_name, write_all

FORMATS = ("pdf", "png", "svg")

UNDATED: dict[str, dict[str, None]] = {
    "pdf": {"CreationDate": None},
    "svg": {"Date": None},
    "png": {},
}

Tooltips = tuple[Artist, Sequence[str]]
"""An artist, and one tooltip for each of its marks in order."""


@dataclass(frozen=True)
class LabelledFigure:
    """A figure with one tooltip per mark."""

    figure: Figure
    tooltips: Sequence[Tooltips] = ()


@dataclass(frozen=True)
class ReportFigure:
    """A figure that can be drawn, its caption and the data behind it."""

    key: str
    """The kind of the figure and the results in it: ``corpus-heatmap/pos/ud:en_ewt``."""
    title: str
    caption: str
    """Alt text; also the caption on the page."""
    data: pl.DataFrame
    draw: Callable[[], LabelledFigure]
    wide: bool = False
    """Whether the figure takes the whole width of a page."""
    suffix: str = ""
    """An ending that distinguishes the file name from that of another figure."""

    @property
    def name(self) -> str:
        """The name of the figure's files without ending: ``corpus-heatmap-pos-ud-en_ewt``."""
        return file_name(*self.key.split("/")) + self.suffix

    def render(self, form: str) -> bytes:
        """Return the figure as ``pdf``, ``png`` or ``svg``, the same bytes in every call."""
        with report_style(self.name):
            figure = self.draw().figure
            if form != "svg":
                figure.set_facecolor("white")
            buffer = io.BytesIO()
            figure.savefig(buffer, format=form, dpi=200, facecolor="auto", metadata=UNDATED[form])
        return buffer.getvalue()

    def inline(self) -> str:
        """Return an ``svg`` element for a page, with tooltips and with variables as colours.

        Names in the data are escaped and never become markup.
        """
        with report_style(self.name):
            drawn = self.draw()
            for index, (artist, _) in enumerate(drawn.tooltips):
                artist.set_gid(f"marks-{index}")
            buffer = io.BytesIO()
            drawn.figure.savefig(buffer, format="svg", metadata=UNDATED["svg"])
        root = ElementTree.fromstring(buffer.getvalue())
        for index, (_, texts) in enumerate(drawn.tooltips):
            add_tooltips(root, f"marks-{index}", texts)
        return inline_svg(root, f"{self.title}. {self.caption}")

    def write(self, folder: Path) -> list[Path]:
        """Write ``NAME.svg``, ``.pdf``, ``.png`` and ``.csv``.

        Raises:
            StudyError: if a file cannot be written.
        """
        contents = {form: self.render(form) for form in FORMATS}
        contents["csv"] = self.data.write_csv().encode()
        return write_all(folder, {f"{self.name}.{end}": made for end, made in contents.items()})

    def _repr_png_(self) -> bytes:
        return self.render("png")

    def _repr_html_(self) -> str:
        title, caption = escape(self.title), escape(self.caption)
        return (
            f'<figure style="max-width:32rem"><figcaption><b>{title}</b></figcaption>'
            f"{self.inline()}<figcaption>{caption}</figcaption></figure>"
        )
