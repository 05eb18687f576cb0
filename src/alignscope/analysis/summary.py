"""The summary: scores of REF and effects of windows, on the source, targets and other domains."""

import polars as pl

from alignscope.analysis.constants import MAJORITY, RELATION_LABELS, RUN_KEYS, WINDOW_KEYS
from alignscope.analysis.effects import VALUE_COLUMNS, effects_by_corpus, window_order
from alignscope.results.schemas import SUMMARY
from alignscope.results.tables import REF


def summary_table(scores: pl.DataFrame) -> pl.DataFrame:
    """Return the table ``summary``, the first table of Muller et al. (2021) for any study.

    Takes the table ``scores``. Per task and source there is a row for the majority baseline and
    one for REF, which hold scores, and a row per window, which holds effects: score − REF score.
    Both are fractions. Targets and domains are means over corpora. Effects are computed within a
    seed and a corpus, then averaged over corpora, then over seeds. The standard deviation (n − 1)
    is over seeds and null for a single seed. A run whose REF is missing has no effect and is left
    out; ``seeds`` counts the seeds that remain.
    """
    parts = [_majority_scores(scores), _reference_scores(scores), effects_by_corpus(scores)]
    wide = _widen(pl.concat(parts))
    return wide.sort([*WINDOW_KEYS[:-1], *window_order()]).select(
        pl.col(name).cast(kind) for name, kind in SUMMARY.items()
    )


def _majority_scores(scores: pl.DataFrame) -> pl.DataFrame:
    # The baseline does not depend on the seed, so any row of REF holds it.
    keys = [*RUN_KEYS, "corpus"]
    rows = scores.filter(pl.col("window") == REF).unique(keys)
    return rows.with_columns(
        window=pl.lit(MAJORITY), seed=pl.lit(0, pl.Int64), value=pl.col("majority")
    ).select(VALUE_COLUMNS)


def _reference_scores(scores: pl.DataFrame) -> pl.DataFrame:
    reference = scores.filter(pl.col("window") == REF)
    return reference.with_columns(value=pl.col("score")).select(VALUE_COLUMNS)


def _widen(values: pl.DataFrame) -> pl.DataFrame:
    """Average over corpora, then over seeds, with source, targets and domains side by side."""
    # Sorted, because a sum in another order may differ in its last bit.
    ordered = values.sort(*WINDOW_KEYS, "relation", "seed", "corpus")
    by_seed = ordered.group_by(*WINDOW_KEYS, "relation", "seed", maintain_order=True).agg(
        pl.col("value").mean(), corpora=pl.col("corpus").n_unique()
    )
    table = by_seed.group_by(WINDOW_KEYS).agg(seeds=pl.col("seed").n_unique())
    for relation, place in RELATION_LABELS.items():
        part = by_seed.filter(pl.col("relation") == relation).group_by(WINDOW_KEYS).agg(
            pl.col("value").mean().alias(f"{place}_mean"),
            pl.col("value").std().alias(f"{place}_std"),
            pl.col("corpora").max().alias(f"{place}_corpora"),
        )  # fmt: skip
        table = table.join(part, on=WINDOW_KEYS, how="left", nulls_equal=True)
    return table
