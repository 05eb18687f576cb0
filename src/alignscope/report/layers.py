"""Figures over the layers of an encoder: similarity, what it has to do with the gap, and drift."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import polars as pl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from alignscope.analysis.collect import REF, first_measure
from alignscope.analysis.gap import alike_and_gap, correlations, gaps_of_seeds
from alignscope.report.curves import draw_curves
from alignscope.report.labels import (
    Setting,
    in_numbers,
    languages,
    measure,
    number,
    p_value,
    points,
    treebank,
)
from alignscope.report.names import name_points
from alignscope.report.plate import Labelled, Plate, file_name
from alignscope.report.style import DOMAINS, FAINT, MUTED, SOURCE, TARGETS, panel

LAYER = "layer (0: embeddings)"


def similarity_plates(similarity: pl.DataFrame) -> list[Plate]:
    """Similarity of the pretrained encoder by layer: per encoder, source corpus and measure.

    The pretrained encoder is the same whatever it is fine-tuned for, so any run will do.
    """
    own = similarity.filter(state="pretrained", window=REF)
    keys = ["encoder", "corpus", "measure"]
    plates = []
    ordered = own.sort(*keys, "estimator", "target", "layer", "task", "source", "seed")
    for key, group in ordered.group_by(keys, maintain_order=True):
        encoder, corpus, which = map(str, key)
        debiased = group.filter(estimator="debiased")
        table = (debiased if len(debiased) else group).unique(
            ["target", "layer"], keep="first", maintain_order=True
        )
        what = f"{measure(which, table['estimator'][0])} · {treebank(corpus)}"
        title = f"{encoder} · {what}" if own["encoder"].n_unique() > 1 else what
        plates.append(
            Plate(
                file_name("similarity", encoder, corpus, which),
                title,
                f"Pretrained {encoder}, {_units(table)}: "
                f"{_range(table)} Grey: where 95 % of random pairs lie.",
                _measured(table),
                partial(_draw_similarity, table),
            )
        )
    return plates


def tuned_plate(similarity: pl.DataFrame, setting: Setting) -> Plate | None:
    """Similarity after fine-tuning (REF), the mean over seeds; None where it was not measured."""
    own = first_measure(setting.of(similarity).filter(state="fine-tuned", window=REF))
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
        f"{measure(table['measure'][0], table['estimator'][0])} after fine-tuning: {_range(table)} "
        "Points: the mean over targets of single seeds."
    )
    data = own.select(*_COLUMNS, "seed").sort("target", "layer", "seed")
    title, draw = f"{setting.title} · fine-tuned", partial(_draw_similarity, table, seeds)
    return Plate(setting.file("tuned"), title, says, data, draw)


_COLUMNS = [
    "corpus", "target", "layer", "after_norm", "n", "measure", "estimator", "value", "low", "high",
    "null_low", "null_high",
]  # fmt: skip


def _measured(table: pl.DataFrame) -> pl.DataFrame:
    return table.select(_COLUMNS)


def _units(table: pl.DataFrame) -> str:
    """``1000 sentences``, or ``800 to 1200 words``."""
    least, most = min(table["n"]), max(table["n"])
    return f"{least if least == most else f'{least} to {most}'} {table['unit'][0]}s"


def _range(table: pl.DataFrame) -> str:
    """Where the mean over targets is highest."""
    means = table.group_by("layer").agg(pl.mean("value")).sort("layer")
    top = means.sort("value", "layer", descending=[True, False]).row(0, named=True)
    return (
        f"over {table['target'].n_unique()} targets the mean is {number(means['value'][0])} at "
        f"layer {means['layer'][0]} and highest at layer {top['layer']}, {number(top['value'])}."
    )


def _draw_similarity(table: pl.DataFrame, seeds: pl.DataFrame | None = None) -> Labelled:
    names = languages(table["target"])
    figure, axes = panel(4.2, 3.4, right=0.35 + 0.07 * max(4, *map(len, names.values())))
    labels = draw_curves(axes, table, names)
    axes.set_xlabel(LAYER)
    axes.set_ylabel(measure(table["measure"][0], table["estimator"][0]))
    if seeds is not None:
        dots = axes.scatter(
            seeds["layer"], seeds["value"], s=8, color="#1f2328", alpha=0.5, zorder=5
        )
        said = [
            f"seed {row['seed']}, layer {row['layer']}: {number(row['value'])}"
            for row in seeds.iter_rows(named=True)
        ]
        labels.append((dots, said))
    return Labelled(figure, labels)


def gap_plate(scores: pl.DataFrame, similarity: pl.DataFrame, setting: Setting) -> Plate | None:
    """Gap against similarity, a point per target language; None where a target has not both."""
    joined = setting.of(alike_and_gap(scores, similarity))
    if joined.is_empty():
        return None
    each = setting.of(gaps_of_seeds(scores)).join(
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
    chosen = first_measure(pretrained).row(0, named=True)
    says = _correlated(found, len(joined), measure(chosen["measure"], chosen["estimator"]))
    return Plate(
        setting.file("gap"), f"{setting.title} · gap", says, data, partial(_draw_gap, data, setting)
    )


def _correlated(found: Mapping[str, float | None], count: int, what: str) -> str:
    rho, low, high, p = (found[name] for name in ("spearman", "low", "high", "p"))
    if rho is None or p is None:
        return f"{count} target languages, too few (or all alike) for a correlation."
    return (
        f"Spearman's correlation {in_numbers(rho, low, high)}, permutation p {p_value(p)}, over "
        f"{count} target languages; similarity ({what}) is the mean over the layers of the "
        "pretrained encoder."
    )


def _draw_gap(data: pl.DataFrame, setting: Setting) -> Labelled:
    figure, axes = panel(4.2, 3.2)
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
    name_points(axes, means["language"].to_list(), x.to_list(), y.to_list())
    said = [
        f"{row['language']}: similarity {number(row['similarity'])}, gap "
        f"{points(row['gap'], signed=False)}"
        for row in means.iter_rows(named=True)
    ]
    each = [
        f"{row['language']}, seed {row['seed']}: gap {points(row['gap'], signed=False)}"
        for row in seeds.iter_rows(named=True)
    ]
    return Labelled(figure, [(small, each), (large, said)])


def correlation_plate(gaps: pl.DataFrame, setting: Setting) -> Plate | None:
    """The correlation of similarity and gap at every layer; None where there is none."""
    own = setting.of(gaps)
    own = first_measure(own).filter(pl.col("spearman").is_not_null()).sort("state", "layer")
    if own.is_empty():
        return None
    compared = measure(str(own["measure"][0]), str(own["estimator"][0]))
    count = int(own["targets"].max() or 0)  # type: ignore[arg-type]
    says = (
        f"Spearman's correlation of gap and {compared} at each layer, over {count} target "
        "languages, with 95 % intervals; below 0, "
        "languages that look more alike have the smaller gap."
    )
    return Plate(
        setting.file("correlation"),
        f"{setting.title} · by layer",
        says,
        own,
        partial(_draw_rho, own),
    )


_STATES = {"pretrained": (SOURCE, "o", -0.12), "fine-tuned": (TARGETS, "s", 0.12)}


def _draw_rho(own: pl.DataFrame) -> Labelled:
    figure, axes = panel(4.2, 3.0, top=0.34)
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
    _layers(axes, own)
    axes.set_ylabel("Spearman's correlation")
    axes.legend(loc="lower left", bbox_to_anchor=(-0.12, 1), ncols=2, borderaxespad=0.1)
    return Labelled(figure, labels)


def _said(row: Mapping[str, Any]) -> str:
    p, found = row["p_holm"], in_numbers(row["spearman"], row["low"], row["high"])
    tail = "" if p is None else f", p {p_value(p)} (Holm)"
    return f"{row['state']}, layer {row['layer']}: {found}{tail}"


def drift_plate(drift: pl.DataFrame, similarity: pl.DataFrame, setting: Setting) -> Plate | None:
    """How alike each layer is before and after fine-tuning; None where it was not measured."""
    own = first_measure(setting.of(drift)).sort("layer")
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
        f"{measure(chosen['measure'], chosen['estimator'])} of each layer before and after "
        f"fine-tuning (1: left as it was), lowest at layer {lowest['layer']}, "
        f"{number(lowest['mean'])}; band: 95 % interval, points: seeds, thin lines: corpora."
    )
    return Plate(setting.file("drift"), setting.title, says, data, partial(_draw_drift, data))


def _draw_drift(data: pl.DataFrame) -> Labelled:
    figure, axes = panel(4.2, 2.8)
    seeds = data.filter(pl.col("seed").is_not_null())
    lines = data.filter(pl.col("target").is_not_null())
    means = data.filter(pl.col("seed").is_null() & pl.col("target").is_null())
    labels: list[tuple[Artist, Sequence[str]]] = []
    names = languages(lines["target"])
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
        f"layer {row['layer']}: {in_numbers(row['value'], row['low'], row['high'])}"
        for row in means.iter_rows(named=True)
    ]
    labels.append((marks, told))
    _layers(axes, means)
    axes.set_ylabel("similarity before and after")
    return Labelled(figure, labels)


def _seeds(axes: Axes, seeds: pl.DataFrame, colour: str) -> tuple[Artist, Sequence[str]]:
    """A small point for every seed and layer."""
    dots = axes.scatter(
        seeds["layer"], seeds["value"], s=9, color=colour, alpha=0.5, linewidths=0, zorder=3
    )
    rows = seeds.iter_rows(named=True)
    return dots, [f"seed {r['seed']}, layer {r['layer']}: {number(r['value'])}" for r in rows]


def _layers(axes: Axes, table: pl.DataFrame) -> None:
    layers = sorted(set(table["layer"]))
    axes.set_xticks(layers if len(layers) <= 14 else layers[::2])
    axes.set_xlabel(LAYER)
