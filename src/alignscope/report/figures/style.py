"""How figures look: few colours that are told apart whatever one's eyes, on light and on dark."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

INK, MUTED, FAINT = "#1f2328", "#5c6670", "#d5dae0"
SOURCE, TARGETS, DOMAINS = "#0072b2", "#d55e00", "#009e73"
"""Of Okabe & Ito's palette (2008); each goes with a marker of its own, too."""
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
"""What a page calls the colours, so that it can have others in the dark."""

RAMP = LinearSegmentedColormap.from_list("ramp", ["#3a78c2", "#2a9d8f", "#c9852b"])
"""From first to last of many lines: all of it middling bright, so that it shows on any ground."""

PARAMETERS: Any = {
    "font.size": 9,
    "font.family": "sans-serif",
    "svg.fonttype": "none",
    "text.parse_math": False,  # a name may hold a $
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


@contextmanager
def report_style(salt: str = "alignscope") -> Iterator[None]:
    """Draw and write in this style, alike from call to call; ``salt`` goes into names in SVG."""
    parameters = PARAMETERS | {"svg.hashsalt": salt}
    before = {name: matplotlib.rcParams[name] for name in parameters}
    matplotlib.rcParams.update(parameters)  # ``rc_context`` copies all 300, deeply
    try:
        yield
    finally:
        matplotlib.rcParams.update(before)


def new_axes(
    width: float = 4.2, height: float = 3.0, *, left: float = 0.62, right: float = 0.15,
    bottom: float = 0.48, top: float = 0.12,
) -> tuple[Figure, Axes]:  # fmt: skip
    """Return a figure with one field; margins, as sizes, in inches.

    Fixed, since a layout that is computed takes most of the time of a small figure.
    """
    figure = Figure(figsize=(width, height))
    place = (
        left / width,
        bottom / height,
        1 - (left + right) / width,
        1 - (bottom + top) / height,
    )
    return figure, figure.add_axes(place)
