"""Figures of what similarity has to do with the gap: over targets, and layer by layer."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import polars as pl
from matplotlib.artist import Artist

from alignscope.analysis.transfer_gap import correlations, gaps_by_seed, similarity_and_gap
from alignscope.report.figures.figure import LabelledFigure, ReportFigure
from alignscope.report.figures.layers import layer_axis
from alignscope.report.figures.point_labels import label_points
from alignscope.report.figures.style import MUTED, SOURCE, TARGETS, new_axes
from alignscope.report.labels import (
    ResultGroup,
    format_ci,
    format_number,
    format_p,
    format_points,
    measure_label,
)
from alignscope.results.tables import REF, primary_measure


def gap_scatter(
    scores: pl.DataFrame, similarity: pl.DataFrame, setting: ResultGroup
) -> ReportFigure | None:
    """Gap against similarity, a point per target language; None where a target has not both."""
    joined = setting.of(similarity_and_gap(scores, similarity))
    if joined.is_empty():
        return None
    each = setting.of(gaps_by_seed(scores)).join(
        joined.select("language", "value"), on="language", how="inner"
    )
    data = pl.concat(
        [
            joined.select("language", similarity="value", gap="gap"),
            each.select("language", "seed", similarity="value", gap="gap"),
        ],
        how="diagonal",
    )
    found = correlations(joined["value"].to_numpy(), joined["gap"].to_numpy())
    pretrained = setting.of(similarity).filter(state="pretrained", window=REF)
    chosen = primary_measure(pretrained).row(0, named=True)
    says = _correlated(found, len(joined), measure_label(chosen["measure"], chosen["estimator"]))
    return ReportFigure(
        setting.file("gap"), f"{setting.title} · gap", says, data, partial(_draw_gap, data, setting)
    )


def _correlated(found: Mapping[str, float | None], count: int, what: str) -> str:
    rho, low, high, p = (found[name] for name in ("spearman", "low", "high", "p"))
    if rho is None or p is None:
        return f"{count} target languages, too few (or all alike) for a correlation."
    return (
        f"Spearman's correlation {format_ci(rho, low, high)}, permutation p {format_p(p)}, over "
        f"{count} target languages; similarity ({what}) is the mean over the layers of the "
        "pretrained encoder."
    )


def _draw_gap(data: pl.DataFrame, setting: ResultGroup) -> LabelledFigure:
    figure, axes = new_axes(4.2, 3.2)
    single = pl.col("seed").is_not_null()
    means, seeds = data.filter(~single), data.filter(single)
    x, y = means["similarity"], 100 * means["gap"]
    small = axes.scatter(
        seeds["similarity"], 100 * seeds["gap"], s=7, color=TARGETS, alpha=0.35, linewidths=0
    )
    large = axes.scatter(x, y, s=24, color=TARGETS, marker="s", linewidths=0)
    axes.set_xlabel("similarity to the source")
    axes.set_ylabel(f"gap in {setting.unit}, points")
    axes.margins(x=0.12)
    label_points(axes, means["language"].to_list(), x.to_list(), y.to_list())
    said = [
        f"{row['language']}: similarity {format_number(row['similarity'])}, gap "
        f"{format_points(row['gap'], signed=False)}"
        for row in means.iter_rows(named=True)
    ]
    each = [
        f"{row['language']}, seed {row['seed']}: gap {format_points(row['gap'], signed=False)}"
        for row in seeds.iter_rows(named=True)
    ]
    return LabelledFigure(figure, [(small, each), (large, said)])


def gap_correlation_figure(gaps: pl.DataFrame, setting: ResultGroup) -> ReportFigure | None:
    """The correlation of similarity and gap at every layer; None where there is none."""
    own = setting.of(gaps)
    own = primary_measure(own).filter(pl.col("spearman").is_not_null()).sort("state", "layer")
    if own.is_empty():
        return None
    compared = measure_label(str(own["measure"][0]), str(own["estimator"][0]))
    count = int(own["targets"].max() or 0)  # type: ignore[arg-type]
    says = (
        f"Spearman's correlation of gap and {compared} at each layer, over {count} target "
        "languages, with 95 % intervals; below 0, "
        "languages that look more alike have the smaller gap."
    )
    return ReportFigure(
        setting.file("correlation"),
        f"{setting.title} · by layer",
        says,
        own,
        partial(_draw_rho, own),
    )


_STATES = {"pretrained": (SOURCE, "o", -0.12), "fine-tuned": (TARGETS, "s", 0.12)}


def _draw_rho(own: pl.DataFrame) -> LabelledFigure:
    figure, axes = new_axes(4.2, 3.0, top=0.34)
    labels: list[tuple[Artist, Sequence[str]]] = []
    for state, (colour, marker, shift) in _STATES.items():
        table = own.filter(state=state)
        if table.is_empty():
            continue
        at = table["layer"] + shift
        known = table.filter(pl.col("low").is_not_null())
        axes.vlines(known["layer"] + shift, known["low"], known["high"], color=colour, alpha=0.45)
        marks = axes.scatter(
            at, table["spearman"], s=20, color=colour, marker=marker, linewidths=0, label=state
        )
        labels.append((marks, [_said(row) for row in table.iter_rows(named=True)]))
        if table["partial"].is_not_null().any():
            name = f"{state}, given distance"
            axes.plot(at, table["partial"], color=colour, linewidth=0.9, linestyle=":", label=name)
    axes.axhline(0, color=MUTED, linewidth=0.8)
    axes.set_ylim(-1.05, 1.05)
    layer_axis(axes, own)
    axes.set_ylabel("Spearman's correlation")
    axes.legend(loc="lower left", bbox_to_anchor=(-0.12, 1), ncols=2, borderaxespad=0.1)
    return LabelledFigure(figure, labels)


def _said(row: Mapping[str, Any]) -> str:
    p, found = row["p_holm"], format_ci(row["spearman"], row["low"], row["high"])
    tail = "" if p is None else f", p {format_p(p)} (Holm)"
    return f"{row['state']}, layer {row['layer']}: {found}{tail}"
