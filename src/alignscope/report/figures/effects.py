"""Figures of what windows cost: seed by seed, and language by language."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import polars as pl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.patches import Rectangle

from alignscope.analysis.effects import effects_by_corpus, window_order
from alignscope.report.colour_scale import DEEPEST, colour_depth, largest_effect
from alignscope.report.figures.figure import LabelledFigure, ReportFigure
from alignscope.report.figures.style import (
    DOMAINS,
    FAINT,
    GAIN,
    INK,
    LOSS,
    MARKERS,
    MUTED,
    SOURCE,
    TARGETS,
    new_axes,
)
from alignscope.report.labels import (
    ResultGroup,
    corpus_labels,
    format_p,
    format_points,
    format_points_ci,
)

PLACES = {"source": "in-domain", "targets": "cross-lingual", "domains": "cross-domain"}
COLOURS = {"source": SOURCE, "targets": TARGETS, "domains": DOMAINS}
MOST = 7
"""Windows that fit into a figure of usual width."""


def effects_figure(
    scores: pl.DataFrame, effects: pl.DataFrame, setting: ResultGroup, init: str
) -> ReportFigure | None:
    """Effects by window: every seed a point, means with their intervals; None without windows."""
    by_seed = (
        effects_by_corpus(setting.of(scores))
        .filter(init=init)
        .group_by("window", "relation", "seed")
        .agg(pl.col("value").sort().mean())
        .sort(*window_order(), "relation", "seed")
    )
    if by_seed.is_empty():
        return None
    names = {relation: place for place, relation in PLACES.items()}
    by_seed = by_seed.with_columns(on=pl.col("relation").replace(names)).drop("relation")
    means = setting.of(effects).filter(pl.col("on").is_in(list(PLACES)), init=init)
    data = pl.concat(
        [
            by_seed.select("window", "on", "seed", "value"),
            means.select("window", "on", "low", "high", value="mean"),
        ],
        how="diagonal",
    )
    says = (
        f"What re-initialising each window costs in {setting.unit}, in points: a mark is the mean "
        "with its 95 % interval (cut where it is very wide), small ones are single seeds."
    )
    return ReportFigure(
        setting.file("effects", init),
        _title(setting, init, effects),
        says,
        data,
        partial(_draw_effects, data),
        wide=means["window"].n_unique() > MOST,
    )


def _title(setting: ResultGroup, init: str, effects: pl.DataFrame) -> str:
    """The setting, with the initialisation where there are several."""
    several = setting.of(effects)["init"].n_unique() > 1
    return f"{setting.title} · {init}" if several else setting.title


def _width(windows: Sequence[str], left: float = 0.62) -> float:
    """Of a figure, in inches: more where more windows must fit."""
    return max(4.2, left + 0.15 + 0.55 * len(windows))


def _draw_effects(data: pl.DataFrame) -> LabelledFigure:
    windows = data["window"].unique(maintain_order=True).to_list()
    figure, axes = new_axes(_width(windows), 3.0, top=0.34)
    places = [place for place in PLACES if place in set(data["on"])]
    labels: list[tuple[Artist, Sequence[str]]] = []
    for rank, place in enumerate(places):
        own = data.filter(on=place)
        shift = 0.24 * (rank - (len(places) - 1) / 2)
        labels += _series(axes, own, windows, place, shift)
    axes.axhline(0, color=MUTED, linewidth=0.8, zorder=1)
    for edge in np.arange(len(windows) - 1) + 0.5:
        axes.axvline(edge, color=FAINT, linewidth=0.5, zorder=0)
    axes.set_xticks(range(len(windows)), windows)
    axes.set_xlim(-0.5, len(windows) - 0.5)
    axes.set_ylim(*_field(data))
    axes.set_xlabel("re-initialised blocks")
    axes.set_ylabel("effect in points")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.2)
    return LabelledFigure(figure, labels)


def _field(data: pl.DataFrame) -> tuple[float, float]:
    """From where to where, so that one very wide interval does not flatten all others."""
    values = [0.0, *(100 * data["value"])]
    span = max(max(values) - min(values), 1.0)
    low = [100 * end for end in data["low"].drop_nulls()]
    high = [100 * end for end in data["high"].drop_nulls()]
    return (
        max(min(values + low), min(values) - 0.6 * span) - 0.05 * span,
        min(max(values + high), max(values) + 0.6 * span) + 0.05 * span,
    )


def _series(
    axes: Axes, own: pl.DataFrame, windows: list[str], place: str, shift: float
) -> list[tuple[Artist, Sequence[str]]]:
    """Draw source, targets or domains; the marks with what they say."""
    colour = COLOURS[place]
    at = {window: i + shift for i, window in enumerate(windows)}
    seeds, means = own.filter(pl.col("seed").is_not_null()), own.filter(pl.col("seed").is_null())
    small = axes.scatter(
        [at[w] + 0.07 for w in seeds["window"]], 100 * seeds["value"].to_numpy(), s=9,
        color=colour, alpha=0.45, marker=MARKERS[colour], linewidths=0, zorder=2,
    )  # fmt: skip
    x, middle = [at[w] for w in means["window"]], 100 * means["value"].to_numpy()
    known = means["low"].is_not_null().to_numpy()
    axes.vlines(
        np.array(x)[known], 100 * means["low"].to_numpy()[known],
        100 * means["high"].to_numpy()[known], color=colour, linewidth=1.4, zorder=3,
    )  # fmt: skip
    large = axes.scatter(
        x, middle, s=30, color=colour, marker=MARKERS[colour], linewidths=0, label=place, zorder=4
    )
    said = [
        f"{row['window']} on {place}: {format_points_ci(row['value'], row['low'], row['high'])}"
        for row in means.iter_rows(named=True)
    ]
    each = [
        f"{row['window']} on {place}, seed {row['seed']}: {format_points(row['value'])}"
        for row in seeds.iter_rows(named=True)
    ]
    return [(small, each), (large, said)]


def corpus_heatmap(
    scores: pl.DataFrame, effects: pl.DataFrame, setting: ResultGroup, init: str
) -> ReportFigure | None:
    """Effects of every window on every corpus, a cell each; None without windows."""
    relations = dict(setting.of(scores).select("corpus", "relation").unique().rows())
    own = setting.of(effects).filter(pl.col("on").is_in(["source", *relations]), init=init)
    if own.is_empty():
        return None
    source = pl.col("on") == "source"
    data = own.with_columns(corpus=pl.when(source).then(pl.lit(setting.source)).otherwise("on"))
    data = data.select("corpus", "window", "low", "high", "p", "p_holm", value="mean")
    each = effects_by_corpus(setting.of(scores)).filter(init=init).sort("seed")
    data = pl.concat([data, each.select("corpus", "window", "seed", "value")], how="diagonal")
    data = data.with_columns(
        relation=pl.col("corpus").replace_strict(relations, return_dtype=pl.String)
    ).sort(*window_order(), maintain_order=True)
    says = (
        f"What re-initialising each window costs each corpus in {setting.unit}, in points, the "
        "mean over seeds, which are said when pointed at: orange is lost, purple gained, pale "
        "where the 95 % interval holds 0. Targets that lose most stand first."
    )
    largest = largest_effect(effects)
    return ReportFigure(
        setting.file("heat", init),
        _title(setting, init, effects),
        says,
        data,
        partial(_draw_heat, data, largest),
        wide=data["window"].n_unique() > MOST,
    )


def _seeds_of(data: pl.DataFrame) -> dict[tuple[str, str], str]:
    """What each seed says of a window and a corpus: ``−21.0, −23.5``."""
    found: dict[tuple[str, str], list[str]] = {}
    for window, corpus, value in (
        data.filter(pl.col("seed").is_not_null()).select("window", "corpus", "value").rows()
    ):
        found.setdefault((window, corpus), []).append(format_points(value))
    return {cell: ", ".join(values) for cell, values in found.items()}


def _rows_of(data: pl.DataFrame) -> list[str]:
    """Corpora from top to bottom: source, domains, then targets from the most harmed on."""
    rank = {"in-domain": 0, "cross-domain": 1, "cross-lingual": 2}
    ordered = (
        data.group_by("corpus", "relation")
        .agg(pl.col("value").sort().sum())
        .with_columns(rank=pl.col("relation").replace_strict(rank))
        .sort("rank", "value", "corpus")
    )
    return ordered["corpus"].to_list()


def _draw_heat(everything: pl.DataFrame, largest: float) -> LabelledFigure:
    data = everything.filter(pl.col("seed").is_null())
    seeds = _seeds_of(everything)
    corpora, windows = _rows_of(data), data["window"].unique(maintain_order=True).to_list()
    names = corpus_labels(corpora)
    longest = max(map(len, names.values()))
    relations = dict(data.select("corpus", "relation").rows())
    height = 0.21 * len(corpora) + 0.7
    left = min(1.8, 0.25 + 0.075 * longest)
    figure, axes = new_axes(_width(windows, left), height, left=left, top=0.1, bottom=0.5)
    cells, colours, said = [], [], []
    for row in data.iter_rows(named=True):
        x, y = windows.index(row["window"]), corpora.index(row["corpus"])
        cells.append(Rectangle((x - 0.47, y - 0.44), 0.94, 0.88))
        depth = colour_depth(row, "value", largest)
        colours.append((LOSS if depth < 0 else GAIN, DEEPEST * abs(depth)))
        cost = format_points_ci(row["value"], row["low"], row["high"])
        told = f"{row['window']} on {row['corpus']}: {cost}"
        sure = "" if row["p_holm"] is None else f", p {format_p(row['p_holm'])} (Holm)"
        said.append(f"{told}{sure}; seeds {seeds[row['window'], row['corpus']]}")
        axes.text(x, y, format_points(row["value"]), ha="center", va="center", fontsize=7.5)
    drawn = PatchCollection(cells, facecolors=colours, linewidths=0)
    axes.add_collection(drawn)
    axes.set_xticks(range(len(windows)), windows)
    axes.set_yticks(range(len(corpora)), [names[corpus] for corpus in corpora])
    axes.set_xlim(-0.5, len(windows) - 0.5)
    axes.set_ylim(len(corpora) - 0.5, -0.5)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    for y in range(1, len(corpora)):
        if relations[corpora[y]] != relations[corpora[y - 1]]:
            axes.axhline(y - 0.5, color=INK, linewidth=0.6)
    axes.set_xlabel("re-initialised blocks")
    return LabelledFigure(figure, [(drawn, said)])
