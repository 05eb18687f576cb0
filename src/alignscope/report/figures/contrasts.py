"""Target − source effects by window, one line per encoder."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import polars as pl

from alignscope.analysis.constants import RUN_KEYS
from alignscope.analysis.contrasts import SAME_DOMAIN, TARGETS_SOURCE
from alignscope.analysis.effect_estimates import values_by_seed
from alignscope.analysis.results import PrimaryResults
from alignscope.config.windows import Window
from alignscope.report.figures.effects import MAX_NARROW
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
    GAIN,
    LOSS,
    MUTED,
    SOURCE,
    TARGETS,
    Margins,
    new_axes,
)
from alignscope.report.groups import ResultGroup, result_groups, short_names
from alignscope.report.labels import format_points_ci

_DOMAIN_NOTE = {TARGETS_SOURCE: "", SAME_DOMAIN: " language in the same domain"}
_STYLES = [(SOURCE, "o"), (TARGETS, "s"), (DOMAINS, "^"), (GAIN, "D"), (LOSS, "v"), (MUTED, "P")]


@figure("contrasts", section="boundary")
def contrast_figures(results: PrimaryResults) -> Iterator[ReportFigure]:
    """Yield one figure per task, source and setting, with a line per encoder."""
    names = short_names(results)
    by_setting: dict[tuple[str, str, str], list[ResultGroup]] = {}
    for group in result_groups(results):
        by_setting.setdefault((group.task, group.source, group.setting_name), []).append(group)
    for groups in by_setting.values():
        group = groups[0]
        effects = pl.concat([one.select(results.effects) for one in groups])
        on = SAME_DOMAIN if SAME_DOMAIN in set(effects["on"]) else TARGETS_SOURCE
        means = effects.filter(on=on)
        if means.is_empty():
            continue
        seeds = pl.concat([contrasts_by_seed(results, one, on) for one in groups])
        means = means.select(
            "encoder", "init", "window", low="seeds_low", high="seeds_high", value="fixed"
        )
        data = pl.concat([means, seeds], how="diagonal")
        points = contrast_points(data, names)
        caption = (
            f"Effect on the targets − effect on the source{_DOMAIN_NOTE[on]}, in points of "
            f"{group.metric_title}, by "
            "the middle of the re-initialised blocks. Large marks: means with 95 % CI; small "
            "marks: single seeds. Below 0, re-initialising costs the targets more than the source."
            + cut_note(points)
        )
        shared = replace(group, several_encoders=False)
        yield ReportFigure(
            shared.key("contrasts"), shared.title, caption, data, partial(_draw, points),
            wide=data["window"].n_unique() > MAX_NARROW,
        )  # fmt: skip


def contrasts_by_seed(results: PrimaryResults, group: ResultGroup, on: str) -> pl.DataFrame:
    """Return a contrast of every window and seed, for these languages."""
    rows = [
        (group.encoder, init, window, seed, value)
        for effects in results.effect_estimates
        if effects.arrays.key == tuple(getattr(group, name) for name in RUN_KEYS)
        for (init, window), by_seed in values_by_seed(effects, on).items()
        for seed, value in by_seed.items()
    ]
    schema = {
        **dict.fromkeys(("encoder", "init", "window"), pl.String),
        "seed": pl.Int64,
        "value": pl.Float64,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def contrast_points(data: pl.DataFrame, names: dict[str, str]) -> pl.DataFrame:
    """Return a point per row of effects: x is the window's middle block, y is in points.

    Args:
        data: target − source effects by encoder, initialisation, window and, if any, seed.
        names: the short name of every encoder.
    """
    several_inits = data["init"].n_unique() > 1
    rows: list[dict[str, object]] = []
    lines = data.group_by("encoder", "init", maintain_order=True)
    for rank, ((encoder, init), line) in enumerate(lines):
        colour, marker = _STYLES[rank % len(_STYLES)]
        series = f"{names[str(encoder)]}, {init}" if several_inits else names[str(encoder)]
        for row in line.iter_rows(named=True):
            single = row["seed"] is not None
            rows.append(
                {"x": _middle(row["window"]) + 0.08 * rank + 0.03 * single,
                 "y": 100 * row["value"], **_interval(row), "series": series, "colour": colour,
                 "marker": marker, "seed": single, "tooltip": _tooltip(series, row)}
            )  # fmt: skip
    return point_frame(rows)


def _interval(row: dict[str, Any]) -> dict[str, float | None]:
    return {end: None if row[end] is None else 100 * row[end] for end in ("low", "high")}


def _middle(name: str) -> float:
    window = Window.parse(name)
    return (window.first + window.last) / 2


def _tooltip(series: str, row: dict[str, Any]) -> str:
    seed = "" if row["seed"] is None else f", seed {row['seed']}"
    effect = format_points_ci(row["value"], row["low"], row["high"])
    return f"{series}, {row['window']}{seed}: {effect}"


def _draw(points: pl.DataFrame) -> LabelledFigure:
    means = points.filter(~pl.col("seed"))
    lines = dict(means.group_by("series", maintain_order=True))
    width = 8.0 if max(map(len, lines.values())) > MAX_NARROW else 4.2
    legend = 0.2 * len(lines) + 0.1 if len(lines) > 1 else 0.12
    drawing, axes = new_axes(width, 3.2, margins=Margins(top=legend))
    for line in lines.values():
        axes.plot(line["x"], line["y"], color=line["colour"][0], linewidth=0.9)
    tooltips = draw_points(axes, points)
    axes.axhline(0, color=MUTED, linewidth=0.8)
    axes.set_ylim(*limit_to_marks(points))
    axes.set_xlabel("middle of the re-initialised blocks")
    axes.set_ylabel("target − source, points")
    if len(lines) > 1:
        add_legend(axes, points, columns=1, left=-0.12)
    return LabelledFigure(drawing, tooltips)
