"""Figures over the layers of an encoder: similarity, and drift."""

from collections.abc import Sequence
from functools import partial

import polars as pl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from alignscope.report.figures.curves import draw_curves
from alignscope.report.figures.figure import LabelledFigure, ReportFigure
from alignscope.report.figures.style import DOMAINS, FAINT, INK, new_axes
from alignscope.report.files import file_name
from alignscope.report.labels import (
    ResultGroup,
    corpus_label,
    corpus_labels,
    format_ci,
    format_number,
    measure_label,
)
from alignscope.results.tables import REF, primary_measure

LAYER = "layer (0: embeddings)"


def similarity_figures(similarity: pl.DataFrame) -> list[ReportFigure]:
    """Similarity of the pretrained encoder by layer: per encoder, source corpus and measure.

    Takes `PrimaryResults.similarity`, which has one estimate of each measure.
    The pretrained encoder is the same whatever it is fine-tuned for, so any run will do.
    """
    own = similarity.filter(state="pretrained", window=REF)
    keys = ["encoder", "corpus", "measure"]
    plates = []
    ordered = own.sort(*keys, "target", "layer", "task", "source", "seed")
    for key, group in ordered.group_by(keys, maintain_order=True):
        encoder, corpus, which = map(str, key)
        table = group.unique(["target", "layer"], keep="first", maintain_order=True)
        what = f"{measure_label(which, table['estimator'][0])} · {corpus_label(corpus)}"
        title = f"{encoder} · {what}" if own["encoder"].n_unique() > 1 else what
        plates.append(
            ReportFigure(
                file_name("similarity", encoder, corpus, which),
                title,
                f"Pretrained {encoder}, {_units(table)}: "
                f"{_range(table)} Grey: where 95 % of random pairs lie.",
                table.select(_COLUMNS),
                partial(_draw_similarity, table),
            )
        )
    return plates


def finetuned_similarity_figure(
    similarity: pl.DataFrame, setting: ResultGroup
) -> ReportFigure | None:
    """Similarity after fine-tuning (REF), the mean over seeds; None where it was not measured."""
    own = primary_measure(setting.of(similarity).filter(state="fine-tuned", window=REF))
    if own.is_empty():
        return None
    same = ["corpus", "split", "unit", "pooling", "after_norm", "n", "measure", "estimator"]
    table = (
        own.sort("target", "layer", "seed")
        .group_by("target", "layer", maintain_order=True)
        .agg(
            pl.mean("value"), pl.min("null_low"), pl.max("null_high"), *(pl.first(c) for c in same)
        )
    )
    seeds = own.group_by("seed", "layer").agg(pl.col("value").sort().mean()).sort("seed", "layer")
    says = (
        f"{measure_label(table['measure'][0], table['estimator'][0])} after fine-tuning: "
        f"{_range(table)} "
        "Points: the mean over targets of single seeds."
    )
    data = own.select(*_COLUMNS, "seed").sort("target", "layer", "seed")
    title, draw = f"{setting.title} · fine-tuned", partial(_draw_similarity, table, seeds)
    return ReportFigure(setting.file("tuned"), title, says, data, draw)


_COLUMNS = [
    "corpus", "target", "layer", "after_norm", "n", "measure", "estimator", "value", "low", "high",
    "null_low", "null_high",
]  # fmt: skip


def _units(table: pl.DataFrame) -> str:
    """``1000 sentences``, or ``800 to 1200 words``."""
    least, most = min(table["n"]), max(table["n"])
    return f"{least if least == most else f'{least} to {most}'} {table['unit'][0]}s"


def _range(table: pl.DataFrame) -> str:
    """Where the mean over targets is highest."""
    means = table.group_by("layer").agg(pl.mean("value")).sort("layer")
    top = means.sort("value", "layer", descending=[True, False]).row(0, named=True)
    return (
        f"over {table['target'].n_unique()} targets the mean is {format_number(means['value'][0])} "
        f"at layer {means['layer'][0]} and highest at layer {top['layer']}, "
        f"{format_number(top['value'])}."
    )


def _draw_similarity(table: pl.DataFrame, seeds: pl.DataFrame | None = None) -> LabelledFigure:
    names = corpus_labels(table["target"])
    figure, axes = new_axes(4.2, 3.4, right=0.35 + 0.07 * max(4, *map(len, names.values())))
    labels = draw_curves(axes, table, names)
    axes.set_xlabel(LAYER)
    axes.set_ylabel(measure_label(table["measure"][0], table["estimator"][0]))
    if seeds is not None:
        labels.append(_seeds(axes, seeds, INK))
    return LabelledFigure(figure, labels)


def drift_figure(
    drift: pl.DataFrame, similarity: pl.DataFrame, setting: ResultGroup
) -> ReportFigure | None:
    """How alike each layer is before and after fine-tuning; None where it was not measured."""
    own = primary_measure(setting.of(drift)).sort("layer")
    if own.is_empty():
        return None
    chosen = own.row(0, named=True)
    rows = setting.of(similarity).filter(
        state="drift", window=REF, measure=chosen["measure"], estimator=chosen["estimator"]
    )
    seeds = rows.group_by("seed", "layer").agg(pl.col("value").sort().mean()).sort("seed", "layer")
    corpora = rows.group_by("target", "layer").agg(pl.col("value").sort().mean())
    data = pl.concat(
        [
            own.select("layer", "low", "high", value="mean"),
            seeds.select("seed", "layer", "value"),
            corpora.sort("target", "layer").select("target", "layer", "value"),
        ],
        how="diagonal",
    )
    lowest = own.row(int(own["mean"].arg_min() or 0), named=True)
    says = (
        f"{measure_label(chosen['measure'], chosen['estimator'])} of each layer before and after "
        f"fine-tuning (1: left as it was), lowest at layer {lowest['layer']}, "
        f"{format_number(lowest['mean'])}; band: 95 % interval, points: seeds, thin lines: corpora."
    )
    return ReportFigure(
        setting.file("drift"), setting.title, says, data, partial(_draw_drift, data)
    )


def _draw_drift(data: pl.DataFrame) -> LabelledFigure:
    figure, axes = new_axes(4.2, 2.8)
    seeds = data.filter(pl.col("seed").is_not_null())
    lines = data.filter(pl.col("target").is_not_null())
    means = data.filter(pl.col("seed").is_null() & pl.col("target").is_null())
    labels: list[tuple[Artist, Sequence[str]]] = []
    names = corpus_labels(lines["target"])
    groups = dict(lines.group_by("target", maintain_order=True))
    thin = LineCollection(
        [line.select("layer", "value").rows() for line in groups.values()],
        colors=FAINT, linewidths=0.8, zorder=1,
    )  # fmt: skip
    axes.add_collection(thin)
    labels.append((thin, [names[str(target)] for (target,) in groups]))
    known = means.filter(pl.col("low").is_not_null())
    axes.fill_between(
        known["layer"], known["low"], known["high"], color=DOMAINS, alpha=0.2, linewidth=0
    )
    axes.plot(means["layer"], means["value"], color=DOMAINS, linewidth=1.8)
    labels.append(_seeds(axes, seeds, DOMAINS))
    marks = axes.scatter(
        means["layer"], means["value"], s=18, color=DOMAINS, linewidths=0, zorder=4
    )
    told = [
        f"layer {row['layer']}: {format_ci(row['value'], row['low'], row['high'])}"
        for row in means.iter_rows(named=True)
    ]
    labels.append((marks, told))
    layer_axis(axes, means)
    axes.set_ylabel("similarity before and after")
    return LabelledFigure(figure, labels)


def _seeds(axes: Axes, seeds: pl.DataFrame, colour: str) -> tuple[Artist, Sequence[str]]:
    """A small point for every seed and layer."""
    dots = axes.scatter(
        seeds["layer"], seeds["value"], s=9, color=colour, alpha=0.5, linewidths=0, zorder=3
    )
    rows = seeds.iter_rows(named=True)
    return dots, [
        f"seed {r['seed']}, layer {r['layer']}: {format_number(r['value'])}" for r in rows
    ]


def layer_axis(axes: Axes, table: pl.DataFrame) -> None:
    """Name the layers of a table below a field."""
    layers = sorted(set(table["layer"]))
    axes.set_xticks(layers if len(layers) <= 14 else layers[::2])
    axes.set_xlabel(LAYER)
