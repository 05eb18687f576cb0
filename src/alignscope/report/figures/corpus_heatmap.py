"""Effects of every window on every corpus, one cell each, beside REF's scores."""

from collections.abc import Iterator
from functools import partial

import polars as pl
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.colors import to_rgba
from matplotlib.patches import Rectangle

from alignscope.analysis.effects import effects_by_corpus, window_order
from alignscope.analysis.results import PrimaryResults
from alignscope.report.colour_scale import DEEPEST, colour_depth, largest_effect
from alignscope.report.figures.effects import MAX_NARROW, figure_width
from alignscope.report.figures.figure import LabelledFigure, ReportFigure, Tooltips
from alignscope.report.figures.registry import figure
from alignscope.report.figures.style import FAINT, GAIN, INK, LOSS, Margins, new_axes
from alignscope.report.groups import WindowGroup, window_groups
from alignscope.report.labels import corpus_labels, format_p, format_points, format_points_ci
from alignscope.results.tables import REF

CELLS = {
    "x": pl.Int64,  # column, from 0 at the left
    "y": pl.Int64,  # row, from 0 at the top
    "corpus": pl.String,
    "window": pl.String,
    "value": pl.Float64,  # a fraction: an effect, or REF's score
    "colour": pl.String,
    "opacity": pl.Float64,
    "label": pl.String,
    "tooltip": pl.String,
}
_RANK = {"in-domain": 0, "cross-domain": 1, "cross-scheme": 2, "cross-lingual": 3}


@figure("corpus-heatmap", section="languages")
def corpus_heatmaps(results: PrimaryResults) -> Iterator[ReportFigure]:
    """Yield one heat map per group: a row per corpus, a column per window."""
    largest = largest_effect(results.effects)
    for group in window_groups(results):
        data = heatmap_data(results, group)
        if data.is_empty():
            continue
        metric = group.group.metric_title
        caption = (
            f"Effect of re-initialising each window on each corpus, in points of {metric}, mean "
            f"over seeds, and REF's {metric}. Orange: loss; purple: gain; pale: the 95 % CI "
            "includes 0. Rows: source, other domains, other annotation schemes, then targets from "
            "the largest loss."
        )
        cells = heatmap_cells(data, largest)
        yield ReportFigure(
            group.key("corpus-heatmap"), group.title, caption, data,
            partial(_draw, cells, relation_breaks(data)),
            wide=data["window"].n_unique() - 1 > MAX_NARROW,
        )  # fmt: skip


def heatmap_data(results: PrimaryResults, group: WindowGroup) -> pl.DataFrame:
    """Return effects and REF's scores by corpus and window: means, then one row per seed."""
    scores = group.group.select(results.scores)
    relations = dict(scores.select("corpus", "relation").unique().rows())
    own = group.select(results.effects).filter(pl.col("on").is_in(["source", *relations]))
    if own.is_empty():
        return own
    is_source = pl.col("on") == "source"
    corpus = pl.when(is_source).then(pl.lit(group.group.source)).otherwise("on")
    means = own.with_columns(corpus=corpus).select(
        "corpus", "window", "p", "p_holm", low="seeds_low", high="seeds_high", value="fixed"
    )
    seeds = group.select(effects_by_corpus(results.scores)).sort("seed")
    data = pl.concat(
        [means, seeds.select("corpus", "window", "seed", "value"), _reference(scores)],
        how="diagonal",
    )
    return data.with_columns(
        relation=pl.col("corpus").replace_strict(relations, return_dtype=pl.String)
    ).sort(*window_order(), maintain_order=True)


def _reference(scores: pl.DataFrame) -> pl.DataFrame:
    """Return REF's scores: the mean of each corpus with its majority baseline, then each seed."""
    rows = scores.filter(window=REF).sort("seed")
    means = rows.group_by("corpus", maintain_order=True).agg(
        pl.lit(REF).alias("window"), pl.first("majority"), value=pl.col("score").mean()
    )
    seeds = rows.select("corpus", "window", "seed", value="score")
    return pl.concat([means, seeds], how="diagonal")


def heatmap_cells(data: pl.DataFrame, largest: float) -> pl.DataFrame:
    """Return one cell per corpus and window, with its place, colour, label and tooltip.

    ``largest`` is the effect with the deepest colour, a fraction.
    """
    means = data.filter(pl.col("seed").is_null())
    corpora = _rows(means)
    windows = means["window"].unique(maintain_order=True).to_list()
    by_seed = _values_by_seed(data)
    cells: list[dict[str, object]] = []
    for row in means.iter_rows(named=True):
        window, corpus, value = row["window"], row["corpus"], row["value"]
        place = {"x": windows.index(window), "y": corpora.index(corpus)}
        cell = {"corpus": corpus, "window": window, "value": value}
        seeds = f"seeds {', '.join(by_seed[window, corpus])}"
        if window == REF:
            majority = format_points(row["majority"], signed=False)
            label = format_points(value, signed=False)
            shade = {"colour": FAINT, "opacity": 0.0}
            tooltip = f"REF on {corpus}: {label} (majority baseline {majority}); {seeds}"
        else:
            depth = colour_depth(row, "value", largest)
            shade = {"colour": LOSS if depth < 0 else GAIN, "opacity": DEEPEST * abs(depth)}
            label = format_points(value)
            effect = format_points_ci(value, row["low"], row["high"])
            p = "" if row["p_holm"] is None else f", Holm-corrected p {format_p(row['p_holm'])}"
            tooltip = f"{window} on {corpus}: {effect}{p}; {seeds}"
        cells.append({**place, **cell, **shade, "label": label, "tooltip": tooltip})
    return pl.DataFrame(cells, schema=CELLS)


def _values_by_seed(data: pl.DataFrame) -> dict[tuple[str, str], list[str]]:
    values: dict[tuple[str, str], list[str]] = {}
    seeds = data.filter(pl.col("seed").is_not_null())
    for window, corpus, value in seeds.select("window", "corpus", "value").rows():
        text = format_points(value, signed=window != REF)
        values.setdefault((window, corpus), []).append(text)
    return values


def _rows(means: pl.DataFrame) -> list[str]:
    """Return the corpora from top to bottom: source, domains, targets from the largest loss."""
    return _ordered(means)["corpus"].to_list()


def _ordered(means: pl.DataFrame) -> pl.DataFrame:
    effect = pl.col("value").filter(pl.col("window") != REF)
    return (
        means.group_by("corpus", "relation")
        .agg(effect.sort().sum())
        .with_columns(rank=pl.col("relation").replace_strict(_RANK))
        .sort("rank", "value", "corpus")
    )


def relation_breaks(data: pl.DataFrame) -> list[int]:
    """Return the rows, from 0, whose corpora have another relation than the row above."""
    ranks = _ordered(data.filter(pl.col("seed").is_null()))["rank"]
    return [row for row in range(1, len(ranks)) if ranks[row] != ranks[row - 1]]


def draw_cells(axes: Axes, cells: pl.DataFrame) -> Tooltips:
    """Draw a frame with the columns ``CELLS`` as coloured rectangles with labels."""
    patches, colours = [], []
    for x, y, colour, opacity, label in cells.select(
        "x", "y", "colour", "opacity", "label"
    ).iter_rows():
        patches.append(Rectangle((x - 0.47, y - 0.44), 0.94, 0.88))
        colours.append(to_rgba(colour, opacity))
        axes.text(x, y, label, ha="center", va="center", fontsize=7.5)
    artist = PatchCollection(patches, facecolors=colours, linewidths=0)
    axes.add_collection(artist)
    return artist, cells["tooltip"].to_list()


def _draw(cells: pl.DataFrame, breaks: list[int]) -> LabelledFigure:
    windows = cells.sort("x")["window"].unique(maintain_order=True).to_list()
    corpora = cells.sort("y")["corpus"].unique(maintain_order=True).to_list()
    names = corpus_labels(corpora)
    left = min(1.8, 0.25 + 0.075 * max(map(len, names.values())))
    drawing, axes = new_axes(
        figure_width(windows, left), 0.21 * len(corpora) + 0.7,
        margins=Margins(left=left, bottom=0.5, top=0.1),
    )  # fmt: skip
    tooltips = draw_cells(axes, cells)
    axes.set_xticks(range(len(windows)), windows)
    axes.set_yticks(range(len(corpora)), [names[corpus] for corpus in corpora])
    axes.set_xlim(-0.5, len(windows) - 0.5)
    axes.set_ylim(len(corpora) - 0.5, -0.5)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    for row in breaks:
        axes.axhline(row - 0.5, color=INK, linewidth=0.6)
    axes.set_xlabel("re-initialised blocks")
    return LabelledFigure(drawing, [tooltips])
