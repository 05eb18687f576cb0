"""Correlation of transfer gap and similarity at every layer."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import polars as pl

from alignscope.analysis.results import PrimaryResults
from alignscope.analysis.transfer_gap import SOURCE_GAP, SUPERVISED_GAP
from alignscope.report.figures.curves import label_layers
from alignscope.report.figures.figure import LabelledFigure, ReportFigure
from alignscope.report.figures.points import draw_points, point_frame
from alignscope.report.figures.registry import figure
from alignscope.report.figures.style import MUTED, SOURCE, TARGETS, Margins, new_axes
from alignscope.report.groups import ResultGroup, result_groups
from alignscope.report.labels import count_of, equals_p, format_ci, measure_label
from alignscope.results.tables import primary_measure

_DEFINITIONS = {"": SOURCE_GAP, "supervised": SUPERVISED_GAP}
"""The last part of a figure key, by the definition of the gap."""
_STATES = {"pretrained": (SOURCE, "o", -0.12), "fine-tuned": (TARGETS, "s", 0.12)}


@figure("gap-by-layer", section="gap", needs_similarity=True)
def gap_correlation_figures(results: PrimaryResults) -> Iterator[ReportFigure]:
    """Yield one figure per group that has a correlation."""
    for group in result_groups(results):
        both = primary_measure(group.select(results.gaps)).filter(pl.col("phylo").is_not_null())
        for name, definition in _DEFINITIONS.items():
            data = both.filter(gap=definition).sort("state", "layer")
            if not data.is_empty():
                yield _figure(group, name, data)


def _figure(group: ResultGroup, name: str, data: pl.DataFrame) -> ReportFigure:
    measure = measure_label(str(data["measure"][0]), str(data["estimator"][0]))
    caption = (
        f"Spearman's ρ of gap ({data['gap'][0]}) and similarity ({measure}) at each layer, "
        f"adjusted for genus and family, with 95 % CI; n = {max(data['targets'])} target "
        f"languages of {count_of(max(data['families']), 'family', 'families')}. Below 0, languages "
        "with a higher similarity have a smaller gap."
    )
    title = f"{group.title} · gap by layer"
    if data["gap"][0] == SUPERVISED_GAP:
        title += f" · {SUPERVISED_GAP}"
    return ReportFigure(group.key("gap-by-layer", *name.split()), title, caption, data,
                        partial(_draw, data))  # fmt: skip


def correlation_points(data: pl.DataFrame) -> pl.DataFrame:
    """Return a point with its interval per state and layer."""
    rows = []
    for state, (colour, marker, shift) in _STATES.items():
        for row in data.filter(state=state).iter_rows(named=True):
            rows.append(
                {"x": row["layer"] + shift, "y": row["phylo"], "low": row["phylo_low"],
                 "high": row["phylo_high"], "series": state, "colour": colour, "marker": marker,
                 "tooltip": _tooltip(row)}
            )  # fmt: skip
    return point_frame(rows)


def _tooltip(row: Mapping[str, Any]) -> str:
    rho = format_ci(row["phylo"], row["phylo_low"], row["phylo_high"])
    corrected = row["phylo_p_holm"]
    p = "" if corrected is None else f", Holm-corrected {equals_p(corrected)}"
    return f"{row['state']}, layer {row['layer']}: ρ = {rho}{p}"


def _draw(data: pl.DataFrame) -> LabelledFigure:
    partial_states = [
        state for state in _STATES if data.filter(state=state)["partial"].is_not_null().any()
    ]
    legend_rows = 2 if partial_states else 1
    drawing, axes = new_axes(4.2, 3.0, margins=Margins(top=0.1 + 0.2 * legend_rows))
    points = correlation_points(data)
    tooltips = draw_points(axes, points)
    for (artist, _), state in zip(
        tooltips, points["series"].unique(maintain_order=True), strict=True
    ):
        artist.set_label(state)
    for state in partial_states:
        colour, _, shift = _STATES[state]
        line = data.filter(state=state)
        label = f"{state}, given distance"
        x = line["layer"] + shift
        axes.plot(x, line["partial"], color=colour, linewidth=0.9, linestyle=":", label=label)
    axes.axhline(0, color=MUTED, linewidth=0.8)
    axes.set_ylim(-1.05, 1.05)
    label_layers(axes, data)
    axes.set_ylabel("Spearman's ρ")
    axes.legend(loc="lower left", bbox_to_anchor=(-0.12, 1), ncols=2, borderaxespad=0.1)
    return LabelledFigure(drawing, tooltips)
