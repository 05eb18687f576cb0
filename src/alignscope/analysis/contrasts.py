"""Contrasts: does a window cost the targets more than the source, and how sure is that?"""

import math
from collections.abc import Sequence

import polars as pl
from scipy.stats import t as student

from alignscope.analysis.effects import effects_by_corpus, window_order
from alignscope.results.schemas import CONTRASTS, to_frame

ALL = "all"
_GRID = ["encoder", "task", "metric", "init", "window"]
_PARTS = {"source": "in-domain", "targets": "cross-lingual"}


def contrasts_table(scores: pl.DataFrame) -> pl.DataFrame:
    """Effect on the source, on the mean over targets, and their difference, with intervals.

    Takes ``tables.SCORES`` and returns ``tables.CONTRASTS``, in fractions. ``contrast`` is the
    effect on the targets − the effect on the source, paired by seed: below zero where a window
    costs the targets more. Intervals are Student's 95 % over seeds (n − 1 degrees of freedom;
    null for a single seed). Where a task has several sources, the rows of source ``all`` are of
    their mean, which is one observation a seed: sources share a seed's random blocks, so their runs
    are not independent. They speak of these sources and targets, not of languages at large.
    """
    wide = _wide(effects_by_corpus(scores))
    rows = [
        {**dict(zip([*_GRID, "source"], key, strict=True)), **_summary(group)}
        for values in (wide, _over_sources(wide))
        for key, group in values.group_by([*_GRID, "source"], maintain_order=True)
    ]
    table = to_frame([{name: row[name] for name in CONTRASTS} for row in rows], CONTRASTS)
    return table.sort(["encoder", "task", "metric", "source", "init", *window_order()])


def _wide(values: pl.DataFrame) -> pl.DataFrame:
    """One row per run: its effect on the source and on the mean over targets, side by side."""
    keys = [*_GRID, "source", "seed"]
    ordered = values.sort(*keys, "relation", "corpus")
    parts = [
        ordered.filter(pl.col("relation") == relation)
        .group_by(keys, maintain_order=True)
        .agg(pl.col("value").mean().alias(f"on {name}"))
        for name, relation in _PARTS.items()
    ]
    joined = parts[0].join(parts[1], on=keys, nulls_equal=True, validate="1:1")
    return joined.with_columns((pl.col("on targets") - pl.col("on source")).alias("on contrast"))


def _over_sources(wide: pl.DataFrame) -> pl.DataFrame:
    """The mean over sources of every seed that has them all; nothing where there is one source."""
    sources = pl.col("source").n_unique()
    several = wide.with_columns(sources.over("encoder", "task", "metric").alias("sources"))
    means = several.group_by(*_GRID, "seed", maintain_order=True).agg(
        *(pl.col(f"on {name}").mean() for name in (*_PARTS, "contrast")),
        (sources == pl.col("sources").first()).alias("complete"),
        pl.col("sources").first(),
    )
    kept = means.filter(pl.col("complete") & (pl.col("sources") > 1))
    return kept.with_columns(source=pl.lit(ALL))


def _summary(group: pl.DataFrame) -> dict[str, object]:
    row: dict[str, object] = {"seeds": len(group)}
    for name in (*_PARTS, "contrast"):
        mean, low, high = interval(group[f"on {name}"].to_list())
        row |= {f"{name}_mean": mean, f"{name}_low": low, f"{name}_high": high}
    return row


def interval(
    values: Sequence[float], level: float = 0.95
) -> tuple[float, float | None, float | None]:
    """Return mean, lower and upper end of Student's interval of the mean.

    >>> interval([1.0, 2.0, 3.0])[0]
    2.0

    The ends are None for a single value, which says nothing of how values vary.
    """
    mean = math.fsum(values) / len(values)
    if len(values) < 2:
        return mean, None, None
    variance = math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)
    half = float(student.ppf((1 + level) / 2, len(values) - 1)) * math.sqrt(variance / len(values))
    return mean, mean - half, mean + half
