"""Drift: the similarity of each layer before and after fine-tuning."""

import polars as pl

from alignscope.analysis.constants import SIMILARITY_KEYS
from alignscope.analysis.random_effects import two_way_mean
from alignscope.results.schemas import DRIFT
from alignscope.results.tables import REF

_LAYER_KEYS = (*SIMILARITY_KEYS, "measure", "estimator", "layer")


def drift_table(similarity: pl.DataFrame) -> pl.DataFrame:
    """Return the table ``drift``: per layer the mean similarity over seeds and corpora.

    Takes the table ``similarity``. Only REF's runs count: the similarity of the pretrained to the
    fine-tuned encoder on the same sentences, where 1 is an unchanged layer. Layer 0 is the
    embeddings, layer i + 1 is the output of block i. Intervals generalise to other seeds and
    corpora (`two_way_mean`).
    """
    drift = similarity.filter((pl.col("state") == "drift") & (pl.col("window") == REF))
    ordered = drift.sort([*_LAYER_KEYS, "target", "seed"])
    rows = []
    for key, group in ordered.group_by(_LAYER_KEYS, maintain_order=True):
        wide = group.pivot("target", index="seed", values="value").sort("seed").drop_nulls()
        values = wide.drop("seed").to_numpy()
        estimate = two_way_mean(values)
        rows.append((*key, *values.shape, estimate.mean, estimate.low, estimate.high))
    return pl.DataFrame(rows, schema=DRIFT, orient="row")
