"""Similarity by layer in the pretrained encoder and after fine-tuning."""

from collections.abc import Iterator
from functools import partial

import polars as pl

from alignscope.analysis.results import PrimaryResults
from alignscope.report.figures.curves import CORRECTED, LAYER, draw_curves
from alignscope.report.figures.figure import LabelledFigure, ReportFigure
from alignscope.report.figures.points import draw_points, point_frame
from alignscope.report.figures.registry import figure
from alignscope.report.figures.style import INK, Margins, new_axes
from alignscope.report.groups import result_groups, short_names
from alignscope.report.labels import (
    corpus_label,
    corpus_labels,
    count_of,
    format_number,
    measure_label,
)
from alignscope.report.similarity_text import describe_layers
from alignscope.results.columns import ADDED_ESTIMATES
from alignscope.results.tables import REF, primary_measure

_COLUMNS = [
    "corpus", "target", "layer", "after_norm", "n", "measure", "estimator", "value", "low", "high",
    "null_low", "null_high", *ADDED_ESTIMATES,
]  # fmt: skip
_BAND = "Grey band: 95 % of random pairs."


@figure("similarity", section="similarity", needs_similarity=True)
def pretrained_figures(results: PrimaryResults) -> Iterator[ReportFigure]:
    """Yield one figure per encoder, source corpus and measure, before fine-tuning.

    The pretrained encoder does not depend on the task, so the rows of any run serve.
    """
    rows = results.similarity.filter(state="pretrained", window=REF)
    names = short_names(results)
    several = rows["encoder"].n_unique() > 1
    keys = ["encoder", "corpus", "measure"]
    ordered = rows.sort(*keys, "target", "layer", "task", "source", "seed")
    for key, group in ordered.group_by(keys, maintain_order=True):
        encoder, corpus, measure = map(str, key)
        table = group.unique(["target", "layer"], keep="first", maintain_order=True)
        parts = [measure_label(measure, table["estimator"][0]), corpus_label(corpus)]
        named = [names[encoder]] if several else []
        yield ReportFigure(
            "/".join(["similarity", *named, corpus, measure]),
            " · ".join([*named, *parts]),
            f"Pretrained encoder {names[encoder]}, {_units(table)}. {describe_layers(table)} "
            f"{_BAND}",
            table.select(_COLUMNS),
            partial(_draw, table),
        )


@figure("similarity-finetuned", section="similarity", order=1, needs_similarity=True)
def finetuned_figures(results: PrimaryResults) -> Iterator[ReportFigure]:
    """Yield one figure per group: similarity in the fine-tuned REF, the mean over seeds."""
    for group in result_groups(results):
        rows = group.select(results.similarity).filter(state="fine-tuned", window=REF)
        rows = primary_measure(rows)
        if rows.is_empty():
            continue
        table = _mean_over_seeds(rows)
        label = measure_label(table["measure"][0], table["estimator"][0])
        yield ReportFigure(
            group.key("similarity-finetuned"),
            f"{group.title} · fine-tuned",
            f"Similarity after fine-tuning ({label}). {describe_layers(table)} Points: mean over "
            f"targets of single seeds. {_BAND}",
            rows.select(*_COLUMNS, "seed").sort("target", "layer", "seed"),
            partial(_draw, table, seed_points(rows, INK)),
        )


def _mean_over_seeds(rows: pl.DataFrame) -> pl.DataFrame:
    same = ["corpus", "split", "unit", "pooling", "after_norm", "n", "measure", "estimator"]
    return (
        rows.sort("target", "layer", "seed")
        .group_by("target", "layer", maintain_order=True)
        .agg(
            pl.mean("value", "without_length", "without_largest"),
            pl.max("source_largest", "target_largest"),
            pl.col("mean_peak").any(),
            pl.min("null_low"),
            pl.max("null_high"),
            *(pl.first(column) for column in same),
        )
    )


def seed_points(rows: pl.DataFrame, colour: str) -> pl.DataFrame:
    """Return a point per seed and layer: the mean similarity over targets."""
    means = rows.group_by("seed", "layer").agg(pl.col("value").sort().mean()).sort("seed", "layer")
    return point_frame(
        [
            {"x": layer, "y": value, "series": "seeds", "colour": colour, "marker": "o",
             "seed": True, "tooltip": f"seed {seed}, layer {layer}: {format_number(value)}"}
            for seed, layer, value in means.iter_rows()
        ]
    )  # fmt: skip


def _units(table: pl.DataFrame) -> str:
    """Return ``1000 sentences``, or ``800-1200 words``."""
    least, most = min(table["n"]), max(table["n"])
    unit = str(table["unit"][0])
    return count_of(least, unit) if least == most else f"{least}-{most} {unit}s"


def _draw(table: pl.DataFrame, seeds: pl.DataFrame | None = None) -> LabelledFigure:
    names = corpus_labels(table["target"])
    longest = max(map(len, [CORRECTED, *names.values()]))
    drawing, axes = new_axes(4.2, 3.4, margins=Margins(right=0.3 + 0.055 * longest))
    tooltips = [draw_curves(axes, table, names)]
    axes.set_xlabel(LAYER)
    axes.set_ylabel(measure_label(table["measure"][0], table["estimator"][0]))
    if seeds is not None:
        tooltips += draw_points(axes, seeds)
    return LabelledFigure(drawing, tooltips)
