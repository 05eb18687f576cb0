"""Zero-shot scores of the targets between the source and fine-tuning in their language."""

from collections.abc import Iterator
from functools import partial

import polars as pl

from alignscope.analysis.results import PrimaryResults
from alignscope.report.figures.effects import figure_width
from alignscope.report.figures.figure import LabelledFigure, ReportFigure
from alignscope.report.figures.points import add_legend, draw_points, point_frame
from alignscope.report.figures.registry import figure
from alignscope.report.figures.style import DOMAINS, MUTED, SOURCE, TARGETS, Margins, new_axes
from alignscope.report.groups import ResultGroup, result_groups
from alignscope.report.labels import corpus_labels, format_points

_SERIES = {
    "zero-shot": ("score", TARGETS, "s"),
    "supervised": ("supervised_score", DOMAINS, "^"),
    "majority": ("majority", MUTED, "o"),
}
_MAX_NARROW = 9
"""The largest number of targets that fit into a figure of normal width."""


@figure("transfer", section="transfer")
def transfer_figures(results: PrimaryResults) -> Iterator[ReportFigure]:
    """Yield one figure per group that has a target with a supervised corpus."""
    for group in result_groups(results):
        data = transfer_data(results, group)
        if data["supervised"].null_count() == len(data):
            continue
        caption = (
            f"REF's {group.metric_title} on each target: zero-shot, and after fine-tuning in its "
            "own language (mean over supervised corpora). Dashed line: the source. The distance "
            "to the line is the gap source − target, that between the marks supervised − zero-shot."
        )
        yield ReportFigure(
            group.key("transfer"), f"{group.title} · transfer", caption, data,
            partial(_draw, data, group.metric_title), wide=len(data) > _MAX_NARROW,
        )  # fmt: skip


def transfer_data(results: PrimaryResults, group: ResultGroup) -> pl.DataFrame:
    """Return one row per target, from the smallest gap; several supervised corpora as a mean."""
    table = group.select(results.transfer)
    same = ("language", "source_score", "score", "majority", "gap")
    return (
        table.group_by("target", maintain_order=True)
        .agg(
            *(pl.col(name).first() for name in same),
            pl.col("supervised").drop_nulls().sort().str.join(", ").replace("", None),
            pl.col("supervised_score").mean(),
        )
        .sort("gap", "target")
    )


def transfer_points(data: pl.DataFrame) -> pl.DataFrame:
    """Return a point per target and series; y is in points."""
    rows: list[dict[str, object]] = [
        {"x": place, "y": 100 * row[column], "series": series, "colour": colour, "marker": marker,
         "tooltip": f"{row['target']}, {series}: {format_points(row[column], signed=False)}"}
        for series, (column, colour, marker) in _SERIES.items()
        for place, row in enumerate(data.iter_rows(named=True))
        if row[column] is not None
    ]  # fmt: skip
    return point_frame(rows)


def _draw(data: pl.DataFrame, metric: str) -> LabelledFigure:
    names = corpus_labels(data["target"])
    labels = [names[target] for target in data["target"]]
    drawing, axes = new_axes(figure_width(labels), 3.0, margins=Margins(top=0.34))
    points = transfer_points(data)
    tooltips = draw_points(axes, points)
    axes.axhline(100 * data["source_score"][0], color=SOURCE, linewidth=0.9, linestyle="--")
    axes.set_xticks(range(len(labels)), labels)
    axes.set_xlim(-0.5, len(labels) - 0.5)
    axes.set_ylabel(f"{metric} in points")
    add_legend(axes, points, columns=3)
    return LabelledFigure(drawing, tooltips)
