"""Points with intervals: the marks that most figures consist of."""

import polars as pl
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from alignscope.report.figures.figure import Tooltips
from alignscope.report.labels import count_of

POINTS = {
    "x": pl.Float64,
    "y": pl.Float64,
    "low": pl.Float64,  # ends of the interval; null for none
    "high": pl.Float64,
    "series": pl.String,  # the name in the legend
    "colour": pl.String,
    "marker": pl.String,
    "seed": pl.Boolean,  # whether the point is a single seed and not a mean
    "tooltip": pl.String,
}


def point_frame(rows: list[dict[str, object]]) -> pl.DataFrame:
    """Return rows as a frame of points; ``low``, ``high`` and ``seed`` may be left out."""
    blank: dict[str, object] = {"low": None, "high": None, "seed": False}
    return pl.DataFrame([blank | row for row in rows], schema=POINTS)


def draw_points(axes: Axes, points: pl.DataFrame) -> list[Tooltips]:
    """Draw points with vertical intervals, single seeds smaller than means.

    Args:
        axes: the axes to draw on.
        points: a frame with the columns ``POINTS``.

    Returns:
        The drawn artists with the tooltips of their points.
    """
    drawn: list[Tooltips] = []
    for (_, seed), group in points.group_by("series", "seed", maintain_order=True):
        colour, marker = group["colour"][0], group["marker"][0]
        known = group.filter(pl.col("low").is_not_null())
        axes.vlines(known["x"], known["low"], known["high"], color=colour, linewidth=1.2, alpha=0.7)
        size, alpha, layer = (8, 0.45, 3) if seed else (26, 1.0, 4)
        artist = axes.scatter(
            group["x"], group["y"], s=size, color=colour, marker=marker, alpha=alpha, linewidths=0,
            zorder=layer,
        )  # fmt: skip
        drawn.append((artist, group["tooltip"].to_list()))
    return drawn


def add_legend(axes: Axes, points: pl.DataFrame, *, columns: int, left: float = 0.0) -> None:
    """Name the series of points above the axes."""
    means = points.filter(~pl.col("seed"))
    handles = [
        Line2D([], [], color=colour, marker=marker, linestyle="", label=f" {series}")
        for series, colour, marker in means.select("series", "colour", "marker")
        .unique(maintain_order=True)
        .rows()
    ]
    axes.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(left, 1), ncols=columns,
        borderaxespad=0.2, handletextpad=0.1,
    )  # fmt: skip


def limit_to_marks(points: pl.DataFrame) -> tuple[float, float]:
    """Return limits for the y axis that cut intervals much wider than the spread of the points."""
    values = [0.0, *points["y"]]
    span = max(max(values) - min(values), 1.0)
    return (
        max(min(values + points["low"].drop_nulls().to_list()), min(values) - 0.6 * span)
        - 0.05 * span,
        min(max(values + points["high"].drop_nulls().to_list()), max(values) + 0.6 * span)
        + 0.05 * span,
    )


def cut_note(points: pl.DataFrame) -> str:
    """Return a sentence on the intervals that `limit_to_marks` cuts, or empty text."""
    bottom, top = limit_to_marks(points)
    cut = points.filter((pl.col("low") < bottom) | (pl.col("high") > top)).height
    if cut == 0:
        return ""
    return f" {count_of(cut, 'interval')} {'extends' if cut == 1 else 'extend'} beyond the axis."
