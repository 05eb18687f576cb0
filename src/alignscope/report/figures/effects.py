"""Effects of every window on source, targets and domains, with all seeds."""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import polars as pl

from alignscope.analysis.effects import effects_by_corpus, window_order
from alignscope.analysis.results import PrimaryResults
from alignscope.report.figures.figure import LabelledFigure, ReportFigure
from alignscope.report.figures.points import (
    add_legend,
    cut_note,
    draw_points,
    limit_to_marks,
    point_frame,
)
from alignscope.report.figures.registry import figure
from alignscope.report.figures.style import (
    DOMAINS,
    FAINT,
    MARKERS,
    MUTED,
    SOURCE,
    TARGETS,
    Margins,
    new_axes,
)
from alignscope.report.groups import WindowGroup, window_groups
from alignscope.report.labels import format_points, format_points_ci

RELATIONS = {"in-domain": "source", "cross-lingual": "targets", "cross-domain": "domains"}
COLOURS = {"source": SOURCE, "targets": TARGETS, "domains": DOMAINS}
MAX_NARROW = 7
"""The largest number of windows that fit into a figure of normal width."""


@figure("effects", section="effects")
def effects_figures(results: PrimaryResults) -> Iterator[ReportFigure]:
    """Yield one figure per group: every seed a point, means with intervals."""
    for group in window_groups(results):
        data = effects_data(results, group)
        if data.is_empty():
            continue
        points = effect_points(data)
        caption = (
            f"Effect of re-initialising each window, in points of {group.group.metric_title}. "
            "Large marks: means with 95 % CI over seeds; small marks: single seeds."
            + cut_note(points)
        )
        yield ReportFigure(
            group.key("effects"), group.title, caption, data, partial(_draw, points, data),
            wide=data["window"].n_unique() > MAX_NARROW,
        )  # fmt: skip


def effects_data(results: PrimaryResults, group: WindowGroup) -> pl.DataFrame:
    """Return effects by window and relation: one row per seed, then the means with intervals."""
    by_seed = (
        group.select(effects_by_corpus(results.scores))
        .filter(pl.col("relation").is_in(list(RELATIONS)))
        .group_by("window", "relation", "seed")
        .agg(pl.col("value").sort().mean())
        .sort(*window_order(), "relation", "seed")
        .with_columns(on=pl.col("relation").replace(RELATIONS))
    )
    means = group.select(results.effects).filter(pl.col("on").is_in(list(COLOURS)))
    return pl.concat(
        [
            by_seed.select("window", "on", "seed", "value"),
            means.select("window", "on", low="seeds_low", high="seeds_high", value="fixed"),
        ],
        how="diagonal",
    )


def effect_points(data: pl.DataFrame) -> pl.DataFrame:
    """Return a point for each row of `effects_data`; y is in points, x is the window's index."""
    windows = _windows(data)
    places = [place for place in COLOURS if place in set(data["on"])]
    rows: list[dict[str, object]] = []
    for place in places:
        shift = 0.24 * (places.index(place) - (len(places) - 1) / 2)
        colour = COLOURS[place]
        for row in data.filter(on=place).iter_rows(named=True):
            single = row["seed"] is not None
            name = f"{row['window']} on {place}"
            tooltip = (
                f"{name}, seed {row['seed']}: {format_points(row['value'])}"
                if single
                else f"{name}: {format_points_ci(row['value'], row['low'], row['high'])}"
            )
            rows.append(
                {"x": windows.index(row["window"]) + shift + 0.07 * single,
                 "y": 100 * row["value"], "low": _in_points(row["low"]),
                 "high": _in_points(row["high"]), "series": place, "colour": colour,
                 "marker": MARKERS[colour], "seed": single, "tooltip": tooltip}
            )  # fmt: skip
    return point_frame(rows)


def _in_points(fraction: float | None) -> float | None:
    return None if fraction is None else 100 * fraction


def figure_width(windows: Sequence[str], left: float = 0.62) -> float:
    """Return the width in inches that a figure needs for its windows."""
    return max(4.2, left + 0.15 + 0.55 * len(windows))


def _windows(data: pl.DataFrame) -> list[str]:
    return data["window"].unique(maintain_order=True).to_list()


def _draw(points: pl.DataFrame, data: pl.DataFrame) -> LabelledFigure:
    windows = _windows(data)
    drawing, axes = new_axes(figure_width(windows), 3.0, margins=Margins(top=0.34))
    tooltips = draw_points(axes, points)
    axes.axhline(0, color=MUTED, linewidth=0.8, zorder=1)
    for edge in np.arange(len(windows) - 1) + 0.5:
        axes.axvline(edge, color=FAINT, linewidth=0.5, zorder=0)
    axes.set_xticks(range(len(windows)), windows)
    axes.set_xlim(-0.5, len(windows) - 0.5)
    axes.set_ylim(*limit_to_marks(points))
    axes.set_xlabel("re-initialised blocks")
    axes.set_ylabel("effect in points")
    add_legend(axes, points, columns=3)
    return LabelledFigure(drawing, tooltips)
