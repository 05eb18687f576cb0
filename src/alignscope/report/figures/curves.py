"""Figures over the layers of an encoder."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import polars as pl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from scipy.optimize import isotonic_regression

from alignscope.errors import StudyError
from alignscope.report.figures.figure import FORMATS, UNDATED
from alignscope.report.figures.style import FAINT, INK, MUTED, RAMP
from alignscope.report.labels import corpus_labels, format_number, measure_label

_BESIDE: dict[str, Any] = {
    "xytext": (0, 2), "textcoords": "offset points", "color": MUTED, "fontsize": 8,
}  # fmt: skip


def check_figure(path: Path) -> None:
    """Make sure, before anything is computed, that a figure can be written to ``path``.

    Raises:
        StudyError: if its ending names no format, or its folder is not there.
    """
    if path.suffix.removeprefix(".") not in FORMATS:
        allowed = ", ".join(f".{name}" for name in FORMATS)
        raise StudyError(f"{path} has no ending that names a kind of figure: use one of {allowed}")
    if not path.absolute().parent.is_dir():
        raise StudyError(f"{path} cannot be written: there is no folder {path.absolute().parent}")


def similarity_figure(similarity: pl.DataFrame) -> Figure:
    """Draw every measure by layer, one line per language, with where random pairs would lie.

    Takes ``tables.SIMILARITY`` of one encoder and one source. Of a measure with a debiased estimate
    that one is drawn. The black line is the mean over the targets, the grey band the widest of the
    null bands.
    """
    one = similarity.row(0, named=True)
    panels = _panels(similarity)
    rows, columns = -(-len(panels) // 2), min(2, len(panels))
    figure = Figure(figsize=(5.5 * columns, 4.6 * rows + 0.3), layout="constrained")
    unit = "" if one["unit"] == "sentence" else ", aligned words"
    encoder = "/".join(one["encoder"].split("/")[-2:])  # of a folder, its end says which
    title = f"{encoder}: {one['source']} and its translations{unit}"
    figure.suptitle(title, fontsize=11)
    names = corpus_labels(similarity["target"].unique(maintain_order=True))
    for place, (name, table) in enumerate(panels.items(), start=1):
        axes = figure.add_subplot(rows, columns, place)
        draw_curves(axes, table, names, ranked=next(iter(panels.values())))
        axes.set_xlabel("layer (0: embeddings, i: after block i − 1)")
        axes.set_ylabel(measure_label(name, table["estimator"][0]))
    return figure


def draw_curves(
    axes: Axes, table: pl.DataFrame, names: Mapping[str, str], ranked: pl.DataFrame | None = None
) -> list[tuple[Artist, Sequence[str]]]:
    """Draw one measure by layer, a line per target, with the mean and the band of random pairs.

    Returns the lines and what they say to whom points at them. Colours go by the mean over layers,
    of the table ``ranked`` if there is one.
    """
    said = _curves(axes, table, _colours(table if ranked is None else ranked), names)
    band = table.group_by("layer").agg(pl.min("null_low"), pl.max("null_high")).sort("layer")
    axes.fill_between(band["layer"], band["null_low"], band["null_high"], color=FAINT)
    axes.annotate("random pairs", (band["layer"][0], band["null_high"][0]), **_BESIDE)
    return said


def _panels(similarity: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """The rows of each measure; of its biased estimates none if there are debiased ones."""
    found = {}
    for name in similarity["measure"].unique(maintain_order=True):
        table = similarity.filter(measure=name)
        debiased = table.filter(estimator="debiased")
        found[name] = debiased if len(debiased) else table
    return found


def write_figure(figure: Figure, path: Path) -> None:
    """Write a figure, in the format that the ending of ``path`` names; alike from call to call.

    Raises:
        StudyError: if the file cannot be written.
    """
    form = path.suffix.removeprefix(".")
    try:
        with matplotlib.rc_context({"svg.hashsalt": "alignscope"}):
            figure.savefig(path, dpi=150, metadata=UNDATED[form])
    except OSError as error:
        raise StudyError(f"{path} cannot be written: {error.strerror}") from None


def _colours(table: pl.DataFrame) -> dict[str, Any]:
    """A colour for every target, from the most to the least alike in the mean."""
    means = table.group_by("target").agg(pl.col("value").sort_by("layer").mean())
    ranked = means.sort("value", "target", descending=[True, False])["target"].to_list()
    return {name: RAMP(i / max(1, len(ranked) - 1)) for i, name in enumerate(ranked)}


def _curves(
    axes: Axes, table: pl.DataFrame, colours: Mapping[str, Any], names: Mapping[str, str]
) -> list[tuple[Artist, Sequence[str]]]:
    """One line per target, named at its end, and the mean; of a single layer, points."""
    layers = sorted(set(table["layer"]))
    alone = len(layers) == 1
    lines = {
        str(target): line.select("layer", "value").rows()
        for (target,), line in table.sort("layer").group_by("target")
    }
    ordered = [lines[target] for target in colours]
    axes.add_collection(LineCollection(ordered, colors=[*colours.values()], linewidths=1.1))
    of_each = [colours[target] for target in colours for _ in lines[target]]
    places = [place for line in ordered for place in line]
    # Seen where there is no line, elsewhere only pointed at.
    x, y = zip(*places, strict=True)
    marks = axes.scatter(x, y, s=16, c=of_each, alpha=float(alone))
    said = [
        f"{names[target]}, layer {layer}: {format_number(value)}"
        for target in colours
        for layer, value in lines[target]
    ]
    means = table.group_by("layer").agg(pl.mean("value")).sort("layer")["value"]
    axes.plot(layers, means, color=INK, linewidth=2.4, marker="o" if alone else "")
    ends = [(lines[target][-1][1], names[target], colour) for target, colour in colours.items()]
    ends.append((means[-1], "mean", INK))
    shown = layers if len(layers) <= 16 else layers[::2]
    normed = set(table.filter("after_norm")["layer"])
    axes.set_xticks(shown, [f"{layer}\n(norm)" if layer in normed else layer for layer in shown])
    axes.set_ylim(min(0.0, *table["value"], *table["null_low"]) - 0.03, _top(table))
    axes.spines[["top", "right"]].set_visible(False)
    _name(axes, layers[-1], sorted(ends))
    return [(marks, said)]


def _top(table: pl.DataFrame) -> float:
    return 1.05 * float(max(*table["value"], *table["null_high"]))


def _name(axes: Axes, last: int, ends: Sequence[tuple[float, str, Any]]) -> None:
    """Write names beside the ends of lines, at the last layer and sorted: as near as they fit."""
    low, high = axes.get_ylim()
    left, right = axes.get_xlim()
    axes.set_xlim(left, right)
    steps = 0.037 * (high - low) * np.arange(len(ends))
    free = isotonic_regression([end for end, _, _ in ends] - steps).x
    places = np.clip(free, low, max(low, high - steps[-1])) + steps
    beside = right + 0.02 * (right - left)
    lines = [[(last, end), (beside, y)] for (end, _, _), y in zip(ends, places, strict=True)]
    colours = [colour for _, _, colour in ends]
    axes.add_collection(LineCollection(lines, colors=colours, linewidths=0.5, clip_on=False))
    for y, (_, name, colour) in zip(places, ends, strict=True):
        weight = "bold" if name == "mean" else "normal"
        axes.text(beside, y, f" {name}", color=colour, fontsize=7.5, va="center", weight=weight)
