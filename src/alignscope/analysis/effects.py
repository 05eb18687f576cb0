"""Effects: what re-initialising a window costs, on the source, the targets and other domains."""

import polars as pl

from alignscope.results.schemas import EFFECTS
from alignscope.results.tables import REF

MAJORITY = "majority"

_PLACES = {"in-domain": "source", "cross-lingual": "targets", "cross-domain": "domains"}
_GRID = ["encoder", "task", "metric", "source", "init", "window"]


def effects_table(scores: pl.DataFrame) -> pl.DataFrame:
    """The paper's first table for any study (Muller et al. 2021, RANDOM-INIT).

    Takes ``tables.SCORES`` and returns ``tables.EFFECTS``. Per task and source there is a row for
    the majority baseline and one for REF, which hold scores, and one per window, which holds
    *effects*: score − REF score. Both are fractions. ``targets`` and ``domains`` are means over
    corpora. Effects are taken within a seed and corpus before anything is averaged, mean and
    standard deviation (n − 1; none for one seed) are over seeds. A run whose REF is missing
    has no effect yet and is left out, and ``seeds`` says how many remained.
    """
    parts = [_majority(scores), _references(scores), effects_by_corpus(scores)]
    wide = _widen(pl.concat(parts))
    return wide.sort(["encoder", "task", "metric", "source", "init", *window_order()]).select(
        pl.col(name).cast(kind) for name, kind in EFFECTS.items()
    )


_VALUES = [*_GRID, "seed", "relation", "corpus", "value"]


def _majority(scores: pl.DataFrame) -> pl.DataFrame:
    """The baseline does not depend on the seed: it is taken from REF's rows."""
    rows = scores.filter(pl.col("window") == REF).unique(["encoder", "task", "source", "corpus",
                                                          "metric"])  # fmt: skip
    return rows.with_columns(
        window=pl.lit(MAJORITY), seed=pl.lit(0, pl.Int64), value=pl.col("majority")
    ).select(_VALUES)


def _references(scores: pl.DataFrame) -> pl.DataFrame:
    return (
        scores.filter(pl.col("window") == REF).with_columns(value=pl.col("score")).select(_VALUES)
    )


def effects_by_corpus(scores: pl.DataFrame) -> pl.DataFrame:
    """Score − REF score, paired by seed and corpus."""
    pair = ["encoder", "task", "source", "seed", "corpus", "metric"]
    reference = scores.filter(pl.col("window") == REF).select(*pair, reference=pl.col("score"))
    ablated = scores.filter(pl.col("window") != REF)
    joined = ablated.join(reference, on=pair, how="inner", validate="m:1")
    return joined.with_columns(value=pl.col("score") - pl.col("reference")).select(_VALUES)


def _widen(values: pl.DataFrame) -> pl.DataFrame:
    """Average over corpora, then over seeds, and put source, targets and domains side by side.

    In one order, whatever that of the rows: a sum in another order may end in another bit.
    """
    ordered = values.sort(*_GRID, "relation", "seed", "corpus")
    by_seed = ordered.group_by(*_GRID, "relation", "seed", maintain_order=True).agg(
        pl.col("value").mean(), corpora=pl.col("corpus").n_unique()
    )
    table = by_seed.group_by(_GRID).agg(seeds=pl.col("seed").n_unique())
    for relation, place in _PLACES.items():
        part = by_seed.filter(pl.col("relation") == relation).group_by(_GRID).agg(
            pl.col("value").mean().alias(f"{place}_mean"),
            pl.col("value").std().alias(f"{place}_std"),
            pl.col("corpora").max().alias(f"{place}_corpora"),
        )  # fmt: skip
        table = table.join(part, on=_GRID, how="left", nulls_equal=True)
    return table


def window_order() -> list[pl.Expr]:
    """Sort by these: majority, REF, then windows by their first and last block."""
    window = pl.col("window")
    blocks = window.str.extract_all(r"\d+").list.eval(pl.element().cast(pl.Int64))
    kind = pl.when(window == MAJORITY).then(0).when(window == REF).then(1).otherwise(2)
    return [kind, blocks.list.first(), blocks.list.last()]
