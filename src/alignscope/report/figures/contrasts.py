"""Figures that contrast encoders."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import polars as pl
from matplotlib.artist import Artist
from numpy.typing import NDArray

from alignscope.analysis.effect_intervals import TARGETS_SOURCE
from alignscope.analysis.effects import effects_by_corpus
from alignscope.analysis.results import PrimaryResults
from alignscope.config.windows import Window
from alignscope.report.figures.effects import MOST
from alignscope.report.figures.figure import LabelledFigure, ReportFigure
from alignscope.report.figures.style import DOMAINS, GAIN, LOSS, MUTED, SOURCE, TARGETS, new_axes
from alignscope.report.files import file_name
from alignscope.report.labels import format_points_ci, result_groups

_LINES = [(SOURCE, "o"), (TARGETS, "s"), (DOMAINS, "^"), (GAIN, "D"), (LOSS, "v"), (MUTED, "P")]


def contrast_figures(found: PrimaryResults) -> list[ReportFigure]:
    """What each window costs targets beyond the source, a line per encoder."""
    settings = result_groups(found.scores)
    plates = []
    for task, source in dict.fromkeys((setting.task, setting.source) for setting in settings):
        one = next(s for s in settings if (s.task, s.source) == (task, source))
        data = found.effects.filter(task=task, source=source, on=TARGETS_SOURCE)
        if data.is_empty():
            continue
        says = (
            f"Target − source effect in {one.unit}, points, of every encoder's windows, placed at "
            "their middle block, with 95 % intervals; small marks are single seeds. Below 0: "
            "the window costs other languages more."
        )
        of_seeds = _by_seed(found.scores.filter(task=task, source=source))
        means = data.select("encoder", "init", "window", "low", "high", value="mean")
        table = pl.concat([means, of_seeds], how="diagonal")
        name, title = file_name("contrast", task, source), replace(one, several=False).title
        wide = data["window"].n_unique() > MOST
        plates.append(ReportFigure(name, title, says, table, partial(_draw, table), wide))
    return plates


def _by_seed(scores: pl.DataFrame) -> pl.DataFrame:
    """Target − source effects of every seed that has both."""
    keys = ["encoder", "init", "window", "seed"]
    means = effects_by_corpus(scores).group_by(*keys, "relation").agg(pl.col("value").sort().mean())
    targets, source = (means.filter(relation=name) for name in ("cross-lingual", "in-domain"))
    both = targets.join(source, on=keys, suffix="_source").sort(keys)
    return both.select(*keys, value=pl.col("value") - pl.col("value_source"))


def _draw(data: pl.DataFrame) -> LabelledFigure:
    several = data["init"].n_unique() > 1
    groups = list(data.group_by("encoder", "init", maintain_order=True))
    width = 4.2 if data["window"].n_unique() <= MOST else 8.0
    figure, axes = new_axes(width, 3.2, top=0.2 * len(groups) + 0.1)
    labels: list[tuple[Artist, Sequence[str]]] = []
    for rank, ((encoder, init), table) in enumerate(groups):
        colour, marker = _LINES[rank % len(_LINES)]
        name = f"{encoder}, {init}" if several else str(encoder)
        seeds = table.filter(pl.col("seed").is_not_null())
        means = table.filter(pl.col("seed").is_null())
        x = _middles(means) + 0.08 * rank
        axes.plot(x, 100 * means["value"].to_numpy(), color=colour, linewidth=0.9)
        known = means["low"].is_not_null().to_numpy()
        low, high = (100 * means[end].to_numpy()[known] for end in ("low", "high"))
        axes.vlines(x[known], low, high, color=colour, alpha=0.5)
        for shown, size, alpha in ((seeds, 8, 0.4), (means, 24, 1.0)):
            aside = 0.08 * rank + (0.03 if shown is seeds else 0)
            at, value = _middles(shown) + aside, 100 * shown["value"].to_numpy()
            label = f" {name}" if shown is means else None  # a name with _ at first is left out
            marks = axes.scatter(
                at, value, s=size, color=colour, marker=marker, alpha=alpha, linewidths=0,
                label=label,
            )  # fmt: skip
            labels.append((marks, [_said(name, row) for row in shown.iter_rows(named=True)]))
    axes.axhline(0, color=MUTED, linewidth=0.8)
    axes.set_xlabel("middle of the re-initialised blocks")
    axes.set_ylabel("target − source, points")
    axes.legend(loc="lower left", bbox_to_anchor=(-0.12, 1), ncols=1, borderaxespad=0.1)
    return LabelledFigure(figure, labels)


def _middles(table: pl.DataFrame) -> NDArray[np.float64]:
    windows = [Window.parse(name) for name in table["window"]]
    return np.array([(window.first + window.last) / 2 for window in windows])


def _said(name: str, row: dict[str, Any]) -> str:
    seed = "" if row["seed"] is None else f", seed {row['seed']}"
    found = format_points_ci(row["value"], row["low"], row["high"])
    return f"{name}, {row['window']}{seed}: {found}"
