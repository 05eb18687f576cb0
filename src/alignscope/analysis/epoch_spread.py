"""The spread over epochs of scores and effects, among epochs that are about equally good on dev.

Zero-shot scores vary between epochs whose dev scores on the source hardly differ (Keung et al.
2020, "Don't Use English Dev"). The spread shows how much of an effect the choice of an epoch can
make.
"""

import polars as pl

from alignscope.analysis.constants import RELATION_LABELS, RUN_KEYS, WINDOW_KEYS
from alignscope.analysis.effects import window_order
from alignscope.results.schemas import EPOCH_SPREAD
from alignscope.results.tables import REF

SINGLE_SEED_MARGIN = 0.01
"""With one seed, dev scores within this margin of the best, one point, count as equally good."""


def epoch_spread_table(epochs: pl.DataFrame) -> pl.DataFrame:
    """Return the table ``epoch_spread``: how much scores and effects vary between epochs.

    Takes the table ``epochs``. The epochs that count are those from the first one whose dev score,
    as a mean over seeds, is at most one standard deviation over seeds below the best; for effects,
    from the first one for which this holds for both REF and the window. A score or effect of an
    epoch is a mean over corpora and seeds. Results without scores of epochs have no row.
    """
    scored = epochs.drop_nulls("score")
    first = _first_epochs(scored)
    values = _values(scored).join(first, on=WINDOW_KEYS, how="left", nulls_equal=True)
    counted = values.filter(pl.col("epoch") >= pl.col("first_epoch"))
    keys = [*WINDOW_KEYS, "on"]
    by_epoch = counted.group_by(*keys, "first_epoch", "epoch").agg(
        pl.col("value").sort().mean(), pl.col("seed").n_unique().alias("seeds")
    )
    several = pl.col("epoch").n_unique() > 1
    spread = by_epoch.group_by(*keys, "first_epoch").agg(
        pl.max("seeds"),
        epochs=pl.col("epoch").n_unique(),
        low=pl.min("value"),
        high=pl.max("value"),
        spread=pl.when(several).then(pl.max("value") - pl.min("value")),
    )
    place = pl.col("on").replace_strict(
        {label: i for i, label in enumerate(RELATION_LABELS.values())}, return_dtype=pl.Int64
    )
    return spread.sort([*WINDOW_KEYS[:-1], *window_order(), place]).select(
        pl.col(name).cast(kind) for name, kind in EPOCH_SPREAD.items()
    )


def _first_epochs(scored: pl.DataFrame) -> pl.DataFrame:
    """Return the first epoch of every window that is about as good on dev as the best one."""
    by_run = scored.unique(["address", "epoch"])
    dev = by_run.group_by(*WINDOW_KEYS, "epoch").agg(
        mean=pl.col("dev_score").sort().mean(), std=pl.col("dev_score").std()
    )
    best = pl.col("mean").max()
    margin = pl.col("std").fill_null(SINGLE_SEED_MARGIN).get(pl.col("mean").arg_max())
    first = dev.sort("epoch").group_by(WINDOW_KEYS).agg(
        first_epoch=pl.col("epoch").filter(pl.col("mean") >= best - margin).min()
    )  # fmt: skip
    reference = first.filter(window=REF).select(*RUN_KEYS, of_reference="first_epoch")
    joined = first.join(reference, on=RUN_KEYS, how="left")
    return joined.with_columns(
        first_epoch=pl.max_horizontal("first_epoch", "of_reference")
    ).drop("of_reference")  # fmt: skip


def _values(scored: pl.DataFrame) -> pl.DataFrame:
    """Return the scores of REF and the effects of windows, by seed, epoch and corpus."""
    known = scored.filter(pl.col("relation").is_in([*RELATION_LABELS])).with_columns(
        on=pl.col("relation").replace_strict(RELATION_LABELS)
    )
    pair = [*RUN_KEYS, "seed", "epoch", "corpus"]
    columns = [*WINDOW_KEYS, "seed", "epoch", "corpus", "on", "value"]
    reference = known.filter(window=REF).with_columns(value="score")
    ablated = known.filter(pl.col("window") != REF).join(
        reference.select(*pair, reference="score"), on=pair, how="inner"
    )
    effects = ablated.with_columns(value=pl.col("score") - pl.col("reference"))
    return pl.concat([reference.select(columns), effects.select(columns)])
