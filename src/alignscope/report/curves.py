"""Figures over the layers of an encoder."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.optimize import isotonic_regression

from alignscope.data.corpus import parse_corpus
from alignscope.errors import StudyError

FORMATS = ("pdf", "png", "svg")
_BESIDE: dict[str, Any] = {
    "xytext": (0, 2), "textcoords": "offset points", "color": "0.4", "fontsize": 8,
    "bbox": {"facecolor": "white", "alpha": 0.7, "linewidth": 0, "pad": 0.5},
}  # fmt: skip


_TITLES = {
    "cka": "linear CKA",
    "cka-rbf": "RBF CKA",
    "anc": "average neuron-wise correlation",
    "retrieval": "translation retrieval, precision at 1",
    "mutual": "mutual nearest neighbours",
    "cosine": "cosine, language means taken off",
    "svcca": "SVCCA",
    "pwcca": "PWCCA",
    "procrustes": "Procrustes",
    "rsa": "RSA",
}
_ESTIMATORS = {"debiased": ", debiased", "biased": ", biased", "plain": ""}


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
    colours = _colours(next(iter(panels.values())))
    for place, (measure, table) in enumerate(panels.items(), start=1):
        axes = figure.add_subplot(rows, columns, place)
        _curves(axes, table, colours)
        band = table.group_by("layer").agg(pl.min("null_low"), pl.max("null_high")).sort("layer")
        axes.fill_between(band["layer"], band["null_low"], band["null_high"], color="0.85")
        axes.annotate("random pairs", (band["layer"][0], band["null_high"][0]), **_BESIDE)
        axes.set_ylabel(_TITLES[measure] + _ESTIMATORS[table["estimator"][0]])
    return figure


def _panels(similarity: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """The rows of each measure; of its biased estimates none if there are debiased ones."""
    found = {}
    for measure in similarity["measure"].unique(maintain_order=True):
        table = similarity.filter(measure=measure)
        debiased = table.filter(estimator="debiased")
        found[measure] = debiased if len(debiased) else table
    return found


def write_figure(figure: Figure, path: Path) -> None:
    """Write a figure, in the format that the ending of ``path`` names; alike from call to call.

    Raises:
        StudyError: if the file cannot be written.
    """
    dates = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}
    try:
        with matplotlib.rc_context({"svg.hashsalt": "alignscope"}):
            figure.savefig(path, dpi=150, metadata=dates.get(path.suffix.removeprefix(".")))
    except OSError as error:
        raise StudyError(f"{path} cannot be written: {error.strerror}") from None


def _colours(table: pl.DataFrame) -> dict[str, Any]:
    """A colour for every target, from the most to the least alike in the mean."""
    means = table.group_by("target").agg(pl.col("value").sort_by("layer").mean())
    ranked = means.sort("value", "target", descending=[True, False])["target"].to_list()
    shades = matplotlib.colormaps["viridis"]
    return {name: shades(0.85 * i / max(1, len(ranked) - 1)) for i, name in enumerate(ranked)}


def _curves(axes: Axes, table: pl.DataFrame, colours: Mapping[str, Any]) -> None:
    """One line per target, named at its end, and the mean; of a single layer, points."""
    layers = sorted(set(table["layer"]))
    names = _names(table)
    ends: list[tuple[float, str, Any]] = []
    marker = "o" if len(layers) == 1 else ""
    for target, colour in colours.items():
        values = table.filter(target=target).sort("layer")["value"].to_list()
        axes.plot(layers, values, color=colour, linewidth=1.2, alpha=0.9, marker=marker)
        ends.append((values[-1], names[target], colour))
    means = table.group_by("layer").agg(pl.mean("value")).sort("layer")["value"]
    axes.plot(layers, means, color="black", linewidth=2.6, marker=marker)
    ends.append((means[-1], "mean", "black"))
    axes.set_xlabel("layer (0: embeddings, i: after block i − 1)")
    shown = layers if len(layers) <= 16 else layers[::2]
    normed = set(table.filter("after_norm")["layer"])
    axes.set_xticks(shown, [f"{layer}\n(norm)" if layer in normed else layer for layer in shown])
    axes.set_ylim(min(0.0, *table["value"], *table["null_low"]) - 0.03, _top(table))
    axes.spines[["top", "right"]].set_visible(False)
    _name(axes, layers[-1], sorted(ends))


def _top(table: pl.DataFrame) -> float:
    return 1.05 * float(max(*table["value"], *table["null_high"]))


def _names(table: pl.DataFrame) -> dict[str, str]:
    """Targets by their language, or by all of their name where two are of one language."""
    targets = table["target"].unique().to_list()
    languages = [parse_corpus(target).language for target in targets]
    unique = len(set(languages)) == len(languages)
    return dict(zip(targets, languages if unique else targets, strict=True))


def _name(axes: Axes, last: int, ends: Sequence[tuple[float, str, Any]]) -> None:
    """Write names beside the ends of lines, at the last layer and sorted: as near as they fit."""
    low, high = axes.get_ylim()
    steps = 0.037 * (high - low) * np.arange(len(ends))
    places = isotonic_regression([end for end, _, _ in ends] - steps).x + steps
    for place, (end, name, colour) in zip(places, ends, strict=True):
        axes.annotate(
            name, (last, end), (1.03, place), xycoords="data", textcoords=("axes fraction", "data"),
            arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.5, "shrinkB": 1,
                        "shrinkA": 0, "relpos": (0, 0.5)},
            color=colour, fontsize=8, va="center", annotation_clip=False,
            fontweight="bold" if name == "mean" else "normal",
        )  # fmt: skip
