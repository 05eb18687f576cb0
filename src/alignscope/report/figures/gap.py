"""Transfer gap against similarity, one point per target language."""

from collections.abc import Iterator
from functools import partial

import polars as pl

from alignscope.analysis.phylogenetic import (
    PhylogeneticCorrelation,
    phylogenetic_correlation,
)
from alignscope.analysis.results import PrimaryResults
from alignscope.analysis.transfer_gap import gaps_by_seed, similarity_and_gap
from alignscope.report.figures.figure import LabelledFigure, ReportFigure
from alignscope.report.figures.point_labels import label_points
from alignscope.report.figures.points import draw_points, point_frame
from alignscope.report.figures.registry import figure
from alignscope.report.figures.style import TARGETS, new_axes
from alignscope.report.groups import ResultGroup, result_groups
from alignscope.report.labels import (
    count_of,
    equals_p,
    format_ci,
    format_number,
    format_points,
    measure_label,
)
from alignscope.results.tables import REF, primary_measure


@figure("gap", section="gap", needs_similarity=True)
def gap_scatters(results: PrimaryResults) -> Iterator[ReportFigure]:
    """Yield one figure per group that has targets with both a gap and a similarity."""
    joined = similarity_and_gap(results.scores, results.similarity)
    by_seed = gaps_by_seed(results.scores)
    for group in result_groups(results):
        means = group.select(joined)
        if means.is_empty():
            continue
        seeds = group.select(by_seed).join(
            means.select("language", "value"), on="language", how="inner"
        )
        data = pl.concat(
            [
                means.select("language", similarity="value", gap="gap"),
                seeds.select("language", "seed", similarity="value", gap="gap"),
            ],
            how="diagonal",
        )
        estimate = phylogenetic_correlation(
            means["value"].to_numpy(),
            means["gap"].to_numpy(),
            [results.lineage(language) for language in means["language"]],
        )
        caption = _caption(estimate, len(means), _measure_of(results, group))
        yield ReportFigure(
            group.key("gap"), f"{group.title} · gap", caption, data,
            partial(_draw, data, group.metric_title),
        )  # fmt: skip


def _measure_of(results: PrimaryResults, group: ResultGroup) -> str:
    pretrained = group.select(results.similarity).filter(state="pretrained", window=REF)
    measure, estimator = primary_measure(pretrained).select("measure", "estimator").row(0)
    return measure_label(measure, estimator)


def _caption(estimate: PhylogeneticCorrelation, count: int, measure: str) -> str:
    rho, low, high, p, families = estimate
    if rho is None or p is None:
        return (
            f"{count_of(count, 'target language')}: too few, or too many equal values, for a "
            "correlation."
        )
    return (
        f"Spearman's ρ, adjusted for genus and family, = {format_ci(rho, low, high)}, "
        f"{equals_p(p)}, n = {count} target languages of "
        f"{count_of(families, 'family', 'families')}. Similarity: {measure}, mean over the layers "
        "of the pretrained encoder."
    )


def gap_points(data: pl.DataFrame) -> pl.DataFrame:
    """Return a point per language, and one per seed and language; y is in points."""
    rows: list[dict[str, object]] = []
    for row in data.sort(pl.col("seed").is_null(), maintain_order=True).iter_rows(named=True):
        gap, language = format_points(row["gap"], signed=False), row["language"]
        single = row["seed"] is not None
        tooltip = (
            f"{language}, seed {row['seed']}: gap {gap}"
            if single
            else f"{language}: similarity {format_number(row['similarity'])}, gap {gap}"
        )
        rows.append(
            {"x": row["similarity"], "y": 100 * row["gap"], "series": "targets", "colour": TARGETS,
             "marker": "o" if single else "s", "seed": single, "tooltip": tooltip}
        )  # fmt: skip
    return point_frame(rows)


def _draw(data: pl.DataFrame, metric: str) -> LabelledFigure:
    drawing, axes = new_axes(4.2, 3.2)
    tooltips = draw_points(axes, gap_points(data))
    axes.set_xlabel("similarity to the source")
    axes.set_ylabel(f"gap in points of {metric}")
    axes.margins(x=0.12)
    means = data.filter(pl.col("seed").is_null())
    names, x, y = (means[name].to_list() for name in ("language", "similarity", "gap"))
    label_points(axes, names, x, [100 * gap for gap in y])
    return LabelledFigure(drawing, tooltips)
