"""Confidence intervals over seeds alone: the sources and corpora are held fixed."""

import math
from collections.abc import Sequence

import polars as pl

from alignscope._util.confidence import CONFIDENCE
from alignscope.analysis.constants import RELATION_LABELS, WINDOW_KEYS

ALL_SOURCES = "all"
"""The name, in the column ``source``, of the mean over the sources of a task."""

TARGETS_SOURCE, TARGETS_DOMAINS = "targets − source", "targets − domains"
CONTRASTS = {TARGETS_SOURCE: "source", TARGETS_DOMAINS: "domains"}
"""The contrasts, each with the corpora whose mean is subtracted from the targets."""


def intervals_over_seeds(values: pl.DataFrame) -> pl.DataFrame:
    """Return mean and Student interval over seeds of every effect.

    Takes the columns of `effects_by_corpus`, one row per seed and corpus. Returns one row per
    window and ``on``, as in the table ``effects``, with the columns ``seeds``, ``mean``,
    ``seeds_low`` and ``seeds_high``, fractions. Where a task has several sources, there are also
    rows for source ``all``: the mean over sources, which is one observation per seed, because the
    sources of a seed share its random blocks and are not independent. Only seeds that have every
    source count there.
    """
    means = _means_by_seed(values)
    single = values.filter(pl.col("relation") != "in-domain").select(
        *WINDOW_KEYS, "seed", "value", on="corpus"
    )
    by_seed = pl.concat([_long(means), _long(_mean_over_sources(means)), single], how="diagonal")
    keys = [*WINDOW_KEYS, "on"]
    rows = [
        (*key, len(group), *student_interval(group["value"].to_list()))
        for key, group in by_seed.sort(*keys, "seed").group_by(keys, maintain_order=True)
    ]
    schema = {
        **dict.fromkeys(keys, pl.String),
        "seeds": pl.Int64,
        **dict.fromkeys(("mean", "seeds_low", "seeds_high"), pl.Float64),
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def _means_by_seed(values: pl.DataFrame) -> pl.DataFrame:
    """Return per window and seed the effect on source, targets, domains and the contrasts.

    A seed counts if it has every corpus of the window.
    """
    keys = [*WINDOW_KEYS, "seed"]
    corpora = pl.col("corpus").n_unique()
    complete = values.filter(corpora.over(keys) == corpora.over(WINDOW_KEYS))
    # Sorted, because a sum in another order may differ in its last bit.
    ordered = complete.sort(*keys, "relation", "corpus")
    wide = ordered.select(keys).unique(maintain_order=True)
    for relation, place in RELATION_LABELS.items():
        of_relation = ordered.filter(pl.col("relation") == relation)
        part = of_relation.group_by(keys, maintain_order=True).agg(
            pl.col("value").mean().alias(f"on {place}")
        )
        wide = wide.join(part, on=keys, how="left", nulls_equal=True, maintain_order="left")
    return wide.with_columns(
        (pl.col("on targets") - pl.col(f"on {place}")).alias(f"on {contrast}")
        for contrast, place in CONTRASTS.items()
    )


def _mean_over_sources(means: pl.DataFrame) -> pl.DataFrame:
    """Average source, targets and their contrast over sources; no rows for tasks with one source.

    A seed counts if it has every source of the task.
    """
    sources = pl.col("source").n_unique()
    comparable = means.filter(pl.col(f"on {TARGETS_SOURCE}").is_not_null()).with_columns(
        sources.over("encoder", "task", "metric", "setting").alias("sources")
    )
    keys = [name for name in WINDOW_KEYS if name != "source"]
    ordered = comparable.sort(*keys, "source", "seed")
    averaged = ordered.group_by(*keys, "seed", maintain_order=True).agg(
        *(pl.col(f"on {name}").mean() for name in ("source", "targets", TARGETS_SOURCE)),
        (sources == pl.col("sources").first()).alias("complete"),
        pl.col("sources").first(),
    )
    several = averaged.filter(pl.col("complete") & (pl.col("sources") > 1))
    return several.drop("complete", "sources").with_columns(source=pl.lit(ALL_SOURCES))


def _long(means: pl.DataFrame) -> pl.DataFrame:
    """Return one row per seed and ``on``, from the columns whose names start with ``on``."""
    parts = [name for name in means.columns if name.startswith("on ")]
    long = means.unpivot(parts, index=[*WINDOW_KEYS, "seed"], variable_name="on")
    return long.drop_nulls("value").with_columns(pl.col("on").str.strip_prefix("on "))


def student_interval(
    values: Sequence[float], level: float = CONFIDENCE
) -> tuple[float, float | None, float | None]:
    """Return the mean of values and the ends of Student's interval for it.

    >>> student_interval([1.0, 2.0, 3.0])[0]
    2.0

    The ends are None for a single value, which has no variance.
    """
    from scipy.special import stdtrit

    mean = math.fsum(values) / len(values)
    if len(values) < 2:
        return mean, None, None
    variance = math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)
    half = float(stdtrit(len(values) - 1, (1 + level) / 2)) * math.sqrt(variance / len(values))
    return mean, mean - half, mean + half
