"""Changes of the weights and of the output of each block, beside noise of the same size."""

from collections.abc import Iterator
from functools import partial

import polars as pl
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from alignscope.analysis.results import PrimaryResults
from alignscope.report.figures.figure import LabelledFigure, ReportFigure
from alignscope.report.figures.points import add_legend, draw_points, point_frame
from alignscope.report.figures.registry import figure
from alignscope.report.figures.style import MUTED, SOURCE, TARGETS, Margins, new_axes
from alignscope.report.groups import result_groups
from alignscope.report.labels import format_ci, format_number

_SERIES = {
    "output change": ("output_mean", "output_low", "output_high", TARGETS, "s"),
    "weight change": ("weight_mean", "weight_low", "weight_high", SOURCE, "o"),
}
_NOISE = {"noise_output": "--", "noise_weight": ":"}


@figure("block-changes", section="drift", needs_similarity=True)
def block_change_figures(results: PrimaryResults) -> Iterator[ReportFigure]:
    """Yield one figure per group whose runs have measured changes of blocks."""
    if not results.has_changes:
        return
    for group in result_groups(results):
        data = group.select(results.block_changes).sort("block")
        if data.is_empty():
            continue
        yield ReportFigure(
            group.key("block-changes"),
            f"{group.title}: changes of blocks",
            _caption(data),
            data,
            partial(_draw, data),
        )


def _caption(data: pl.DataFrame) -> str:
    below = data.filter(pl.col("output_mean") < pl.col("noise_output"))["block"].to_list()
    blocks = ", ".join(map(str, below))
    found = f"Below the noise: blocks {blocks}." if below else "No block is below the noise."
    return (
        "Relative change of the output of each fine-tuned block on the input of the pretrained "
        "block, and of its weights, with 95 % CIs (log scale). Dashed: output change for noise as "
        f"large as the fine-tuning; dotted: weight change by this noise. {found}"
    )


def change_points(data: pl.DataFrame) -> pl.DataFrame:
    """Return a point per block for its output change and one for its weight change.

    Args:
        data: the rows of the table ``block_changes`` of one group.
    """
    rows: list[dict[str, object]] = []
    for series, (mean, low, high, colour, marker) in _SERIES.items():
        for row in data.iter_rows(named=True):
            smallest = row[mean] / 100  # an interval that reaches 0 has no end on a log scale
            ends = {"low": None, "high": None}
            if row[low] is not None:
                ends = {"low": max(row[low], smallest), "high": row[high]}
            noise = format_number(row["noise_output" if series == "output change" else
                                      "noise_weight"])  # fmt: skip
            estimate = format_ci(row[mean], row[low], row[high])
            tooltip = f"block {row['block']}: {series} {estimate}, of noise {noise}"
            rows.append({"x": row["block"], "y": row[mean], "series": series, "colour": colour,
                         "marker": marker, "tooltip": tooltip, **ends})  # fmt: skip
    return point_frame(rows)


def _draw(data: pl.DataFrame) -> LabelledFigure:
    drawing, axes = new_axes(4.2, 3.0, margins=Margins(top=0.3))
    points = change_points(data)
    tooltips = draw_points(axes, points)
    for name, style in _NOISE.items():
        axes.plot(data["block"], data[name], color=MUTED, linewidth=1.2, linestyle=style)
    axes.set_yscale("log")
    # The labels that log axes have by default are mathematical markup, which is not parsed.
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g} %"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    blocks = data["block"].to_list()
    axes.set_xticks(blocks if len(blocks) <= 14 else blocks[::2])
    axes.set_xlabel("block")
    axes.set_ylabel("relative change")
    add_legend(axes, points, columns=2)
    return LabelledFigure(drawing, tooltips)
