"""Effects of single runs: the score with a window re-initialised minus the score of REF."""

import polars as pl

from alignscope.analysis.constants import MAJORITY, RUN_KEYS, WINDOW_KEYS
from alignscope.results.tables import REF

__all__ = ["MAJORITY", "VALUE_COLUMNS", "effects_by_corpus", "window_order"]

VALUE_COLUMNS = (*WINDOW_KEYS, "seed", "relation", "corpus", "value")


def effects_by_corpus(scores: pl.DataFrame) -> pl.DataFrame:
    """Return score − REF score, paired by seed and corpus; a run without its REF has no row.

    Takes the table ``scores``; the effect is the column ``value``, a fraction.
    """
    pair = [*RUN_KEYS, "seed", "corpus"]
    reference = scores.filter(pl.col("window") == REF).select(*pair, reference=pl.col("score"))
    ablated = scores.filter(pl.col("window") != REF)
    joined = ablated.join(reference, on=pair, how="inner", validate="m:1")
    return joined.with_columns(value=pl.col("score") - pl.col("reference")).select(VALUE_COLUMNS)


def window_order() -> list[pl.Expr]:
    """Return the sort keys of windows: majority, REF, then by first and last block."""
    window = pl.col("window")
    blocks = window.str.extract_all(r"\d+").list.eval(pl.element().cast(pl.Int64))
    kind = pl.when(window == MAJORITY).then(0).when(window == REF).then(1).otherwise(2)
    return [kind, blocks.list.first(), blocks.list.last()]
