"""Figure style: a small, colour-blind-safe palette for light and dark themes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import matplotlib
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

INK, MUTED, FAINT = "#1f2328", "#5c6670", "#d5dae0"
SOURCE, TARGETS, DOMAINS = "#0072b2", "#d55e00", "#009e73"
"""From the palette of Okabe & Ito (2008); each colour also has its own marker."""
LOSS, GAIN = "#e66101", "#5e3c99"
"""The ends of ColorBrewer's PuOr."""

MARKERS = {SOURCE: "o", TARGETS: "s", DOMAINS: "^"}

VARIABLES = {
    INK: "--ink",
    MUTED: "--muted",
    FAINT: "--faint",
    SOURCE: "--source",
    TARGETS: "--targets",
    DOMAINS: "--domains",
    LOSS: "--loss",
    GAIN: "--gain",
}
"""The CSS variable of each colour; the page gives it another value in the dark theme."""

RAMP = LinearSegmentedColormap.from_list("ramp", ["#3a78c2", "#2a9d8f", "#c9852b"])
"""For many lines, from first to last: of medium lightness, to be visible on both themes."""

PARAMETERS: Any = {
    "font.size": 9,
    "font.family": "sans-serif",
    "svg.fonttype": "none",
    "text.parse_math": False,  # a name may contain a $
    "pdf.fonttype": 42,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": FAINT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "legend.frameon": False,
    "legend.fontsize": 8,
}


class Margins(NamedTuple):
    """The space around the axes of a figure, in inches."""

    left: float = 0.62
    right: float = 0.15
    bottom: float = 0.48
    top: float = 0.12


MARGINS = Margins()


@contextmanager
def report_style(salt: str = "alignscope") -> Iterator[None]:
    """Set Matplotlib's parameters for a report's figures within a ``with`` block.

    ``salt`` enters the ids of an SVG, which makes them reproducible and unique on a page.
    """
    parameters = PARAMETERS | {"svg.hashsalt": salt}
    before = {name: matplotlib.rcParams[name] for name in parameters}
    matplotlib.rcParams.update(parameters)  # `rc_context` copies all 300 parameters, which is slow
    try:
        yield
    finally:
        matplotlib.rcParams.update(before)


def new_axes(
    width: float = 4.2, height: float = 3.0, *, margins: Margins = MARGINS
) -> tuple[Figure, Axes]:
    """Return a figure with one axes.

    Margins are fixed, because a computed layout takes most of the time of a small figure.

    Args:
        width: of the figure, in inches.
        height: of the figure, in inches.
        margins: left, right, bottom and top, in inches.
    """
    figure = Figure(figsize=(width, height))
    place = (
        margins.left / width,
        margins.bottom / height,
        1 - (margins.left + margins.right) / width,
        1 - (margins.bottom + margins.top) / height,
    )
    return figure, figure.add_axes(place)
