"""Similarity of every layer before and after fine-tuning."""

from collections.abc import Iterator
from functools import partial

import polars as pl
from matplotlib.collections import LineCollection

from alignscope.analysis.results import PrimaryResults
from alignscope.report.figures.curves import label_layers
from alignscope.report.figures.figure import LabelledFigure, ReportFigure
from alignscope.report.figures.points import draw_points, point_frame
from alignscope.report.figures.registry import figure
from alignscope.report.figures.similarity import seed_points
from alignscope.report.figures.style import DOMAINS, FAINT, MUTED, new_axes
from alignscope.report.groups import ResultGroup, result_groups
from alignscope.report.labels import corpus_labels, format_ci, format_number, measure_label
from alignscope.results.tables import REF, primary_measure

_NOISE = ("noise_mean", "noise_low", "noise_high")


@figure("drift", section="drift", needs_similarity=True)
def drift_figures(results: PrimaryResults) -> Iterator[ReportFigure]:
    """Yield one figure per group: means with intervals, seeds and corpora by layer."""
    for group in result_groups(results):
        means = primary_measure(group.select(results.drift)).sort("layer")
        if means.is_empty():
            continue
        rows = _drift_rows(results, group, means)
        data = drift_data(means, rows)
        points = drift_points(means, rows)
        yield ReportFigure(
            group.key("drift"), group.title, _caption(means), data, partial(_draw, data, points)
        )


def _caption(means: pl.DataFrame) -> str:
    lowest = means.row(int(means["mean"].arg_min() or 0), named=True)
    measure = measure_label(lowest["measure"], lowest["estimator"])
    highest_end = max(means["high"].drop_nulls(), default=0.0)
    noise = ""
    if means["noise_mean"].is_not_null().any():
        noise = (
            " Dotted: the same for noise as large as the fine-tuning; a curve that falls no faster "
            "says nothing about fine-tuning."
        )
    beyond = " The CI is symmetric, so it can extend beyond the maximum of 1."
    return (
        f"Similarity of each layer before and after fine-tuning ({measure}; 1: unchanged). It is "
        f"lowest at layer {lowest['layer']} ({format_number(lowest['mean'])}). Band: 95 % CI; "
        f"points: seeds; thin lines: corpora.{noise}{beyond if highest_end > 1 else ''}"
    )


def _drift_rows(results: PrimaryResults, group: ResultGroup, means: pl.DataFrame) -> pl.DataFrame:
    """Return REF's drift by seed, target and layer, in the measure of ``means``."""
    measure, estimator = means.select("measure", "estimator").row(0)
    return group.select(results.similarity).filter(
        state="drift", window=REF, measure=measure, estimator=estimator
    )


def drift_data(means: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Return drift by layer: means with intervals, then one row per seed, then per corpus."""
    seeds = rows.group_by("seed", "layer").agg(pl.col("value").sort().mean()).sort("seed", "layer")
    corpora = rows.group_by("target", "layer").agg(pl.col("value").sort().mean())
    return pl.concat(
        [
            means.select("layer", "low", "high", *_NOISE, value="mean"),
            seeds.select("seed", "layer", "value"),
            corpora.sort("target", "layer").select("target", "layer", "value"),
        ],
        how="diagonal",
    )


def drift_points(means: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Return a point per layer, and one per seed and layer; the band shows the intervals."""
    points = [
        {"x": row["layer"], "y": row["mean"], "series": "mean", "colour": DOMAINS, "marker": "o",
         "tooltip": f"layer {row['layer']}: {format_ci(row['mean'], row['low'], row['high'])}"}
        for row in means.iter_rows(named=True)
    ]  # fmt: skip
    return pl.concat([seed_points(rows, DOMAINS), point_frame(points)])


def _draw(data: pl.DataFrame, points: pl.DataFrame) -> LabelledFigure:
    drawing, axes = new_axes(4.2, 2.8)
    corpora = data.filter(pl.col("target").is_not_null())
    names = corpus_labels(corpora["target"])
    lines = dict(corpora.group_by("target", maintain_order=True))
    thin = LineCollection(
        [line.select("layer", "value").rows() for line in lines.values()],
        colors=FAINT, linewidths=0.8, zorder=1,
    )  # fmt: skip
    axes.add_collection(thin)
    means = data.filter(pl.col("seed").is_null() & pl.col("target").is_null())
    known = means.filter(pl.col("low").is_not_null())
    axes.fill_between(
        known["layer"], known["low"], known["high"], color=DOMAINS, alpha=0.2, linewidth=0
    )
    axes.plot(means["layer"], means["value"], color=DOMAINS, linewidth=1.8)
    noise = means.filter(pl.col("noise_mean").is_not_null())
    axes.plot(noise["layer"], noise["noise_mean"], color=MUTED, linewidth=1.4, linestyle=":")
    tooltips = [(thin, [names[str(target)] for (target,) in lines]), *draw_points(axes, points)]
    axes.axhline(1, color=MUTED, linewidth=0.6, linestyle="--", zorder=1)
    label_layers(axes, means)
    axes.set_ylabel("similarity before and after (at most 1)")
    return LabelledFigure(drawing, tooltips)
