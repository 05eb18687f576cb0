"""Similarity by layer: one line per target, with the band of random pairs."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib
import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from scipy.optimize import isotonic_regression

from alignscope.config.run import EncoderSpec
from alignscope.errors import StudyError
from alignscope.report.figures.figure import FORMATS, UNDATED, Tooltips
from alignscope.report.figures.style import FAINT, INK, MUTED, RAMP
from alignscope.report.labels import corpus_labels, format_number, measure_label

LAYER = "layer (0: embeddings)"
MEAN, RANDOM = "mean", "random pairs"
CORRECTED = "mean without length"


def check_figure(path: Path) -> None:
    """Check, before anything is computed, that a figure can be written to ``path``.

    Raises:
        StudyError: if the suffix names no format, or the folder does not exist.
    """
    if path.suffix.removeprefix(".") not in FORMATS:
        allowed = ", ".join(f".{name}" for name in FORMATS)
        raise StudyError(f"The figure {path} has no known format. Use one of {allowed}.")
    folder = path.absolute().parent
    if not folder.is_dir():
        raise StudyError(
            f"The figure {path} cannot be written: there is no folder {folder}. Create it first."
        )


def write_figure(figure: Figure, path: Path) -> None:
    """Write a figure in the format that the suffix names, the same bytes in every call.

    Raises:
        StudyError: if the file cannot be written.
    """
    form = path.suffix.removeprefix(".")
    try:
        with matplotlib.rc_context({"svg.hashsalt": "alignscope"}):
            figure.savefig(path, dpi=150, metadata=UNDATED[form])
    except OSError as error:
        raise StudyError(f"The figure {path} cannot be written: {error.strerror}.") from None


def similarity_figure(similarity: pl.DataFrame) -> Figure:
    """Draw every measure by layer, with one line per target and the band of random pairs.

    Args:
        similarity: the table ``similarity`` of one encoder and one source. Only the debiased
            estimate of a measure is drawn if there is one.

    Returns:
        A figure with one panel per measure. The black line is the mean over targets, the grey band
        the widest of the null bands.
    """
    first = similarity.row(0, named=True)
    panels = _panels(similarity)
    rows, columns = -(-len(panels) // 2), min(2, len(panels))
    figure = Figure(figsize=(5.5 * columns, 4.6 * rows + 0.3), layout="constrained")
    unit = "" if first["unit"] == "sentence" else ", aligned words"
    encoder = EncoderSpec(name=first["encoder"]).short_name
    figure.suptitle(f"{encoder}: {first['source']} and its translations{unit}", fontsize=11)
    names = corpus_labels(similarity["target"].unique(maintain_order=True))
    for place, (name, table) in enumerate(panels.items(), start=1):
        axes = figure.add_subplot(rows, columns, place)
        draw_curves(axes, table, names, ranked=next(iter(panels.values())))
        axes.set_xlabel("layer (0: embeddings, i: after block i − 1)")
        axes.set_ylabel(measure_label(name, table["estimator"][0]))
    return figure


def _panels(similarity: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return the rows of each measure, without biased estimates if there are debiased ones."""
    panels = {}
    for name in similarity["measure"].unique(maintain_order=True):
        table = similarity.filter(measure=name)
        debiased = table.filter(estimator="debiased")
        panels[name] = debiased if len(debiased) else table
    return panels


def draw_curves(
    axes: Axes, table: pl.DataFrame, names: Mapping[str, str], ranked: pl.DataFrame | None = None
) -> Tooltips:
    """Draw one measure by layer: a line per target, their mean and the band of random pairs.

    Args:
        axes: the axes to draw on.
        table: rows of one measure and estimator, one per target and layer.
        names: what to call each target.
        ranked: the table whose mean over layers ranks the colours; by default ``table``.

    Returns:
        The points with their tooltips.
    """
    points = curve_points(table, names, target_colours(table if ranked is None else ranked))
    tooltips = draw_lines(axes, points)
    layers = sorted(set(table["layer"]))
    means = table.group_by("layer").agg(pl.mean("value")).sort("layer")["value"]
    axes.plot(layers, means, color=INK, linewidth=2.4, marker="o" if len(layers) == 1 else "")
    corrected = _mean_without_length(table)
    if corrected is not None:
        axes.plot(layers, corrected, color=INK, linewidth=1.2, linestyle="--")
    band = table.group_by("layer").agg(pl.min("null_low"), pl.max("null_high")).sort("layer")
    axes.fill_between(band["layer"], band["null_low"], band["null_high"], color=FAINT)
    after_norm = set(table.filter("after_norm")["layer"])
    shown = layers if len(layers) <= 16 else layers[::2]
    axes.set_xticks(shown, [f"{n}\n(norm)" if n in after_norm else f"{n}" for n in shown])
    drawn = [*table["value"], *table["null_low"], *(() if corrected is None else corrected)]
    lowest = min(0.0, *drawn)
    axes.set_ylim(lowest - 0.03, 1.05 * max(*table["value"], *table["null_high"]))
    axes.spines[["top", "right"]].set_visible(False)
    ends = points.group_by("series", maintain_order=True).last()
    labels = list(ends.select("y", "series", "colour").iter_rows())
    labels.append((means[-1], MEAN, INK))
    if corrected is not None:
        labels.append((corrected[-1], CORRECTED, INK))
    labels.append(((band["null_low"][-1] + band["null_high"][-1]) / 2, RANDOM, MUTED))
    _label_ends(axes, layers[-1], sorted(labels))
    return tooltips


def _mean_without_length(table: pl.DataFrame) -> pl.Series | None:
    """Return the mean over targets with length regressed out, by layer; None if any lacks it."""
    if "without_length" not in table.columns or table["without_length"].null_count():
        return None
    return table.group_by("layer").agg(pl.mean("without_length")).sort("layer")["without_length"]


def target_colours(table: pl.DataFrame) -> dict[str, str]:
    """Return a colour for every target, from the highest to the lowest mean over layers."""
    means = table.group_by("target").agg(pl.col("value").sort_by("layer").mean())
    ranked = means.sort("value", "target", descending=[True, False])["target"].to_list()
    return {name: to_hex(RAMP(i / max(1, len(ranked) - 1))) for i, name in enumerate(ranked)}


def curve_points(
    table: pl.DataFrame, names: Mapping[str, str], colours: Mapping[str, str]
) -> pl.DataFrame:
    """Return one row per target and layer, in the order of the colours.

    Args:
        table: rows of one measure and estimator, one per target and layer.
        names: what to call each target.
        colours: the colour of each target.

    Returns:
        A frame with the columns x (layer), y (similarity), series, colour and tooltip.
    """
    ordered = table.sort("layer")
    rows = [
        {"x": layer, "y": value, "series": names[target], "colour": colour,
         "tooltip": f"{names[target]}, layer {layer}: {format_number(value)}"}
        for target, colour in colours.items()
        for layer, value in ordered.filter(target=target).select("layer", "value").rows()
    ]  # fmt: skip
    return pl.DataFrame(rows)


def draw_lines(axes: Axes, points: pl.DataFrame) -> Tooltips:
    """Draw a line per series; points are visible only if there is a single layer."""
    lines = dict(points.group_by("series", maintain_order=True))
    collection = LineCollection(
        [line.select("x", "y").rows() for line in lines.values()],
        colors=[line["colour"][0] for line in lines.values()], linewidths=1.1,
    )  # fmt: skip
    axes.add_collection(collection)
    visible = float(points["x"].n_unique() == 1)
    artist = axes.scatter(points["x"], points["y"], s=16, c=points["colour"], alpha=visible)
    return artist, points["tooltip"].to_list()


def _label_ends(axes: Axes, last: int, ends: list[tuple[float, str, str]]) -> None:
    """Write names beside the ends of lines, sorted, as near to the ends as they fit."""
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
        weight = "bold" if name == MEAN else "normal"
        axes.text(beside, y, f" {name}", color=colour, fontsize=7.5, va="center", weight=weight)


def label_layers(axes: Axes, table: pl.DataFrame) -> None:
    """Set the ticks and the label of the x axis to the layers of a table."""
    layers = sorted(set(table["layer"]))
    axes.set_xticks(layers if len(layers) <= 14 else layers[::2])
    axes.set_xlabel(LAYER)
