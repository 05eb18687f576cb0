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

    Beside it is the similarity of the pretrained encoder to a copy whose blocks have noise of the
    same total size: a curve that falls no faster than this one says nothing about fine-tuning.
    Results of earlier versions lack it.
    """
    drift = _means(similarity, "drift")
    noise = _means(similarity, "noise").drop("seeds", "corpora")
    ends = ("mean", "low", "high")
    beside = noise.rename({name: f"noise_{name}" for name in ends})
    return drift.join(beside, on=_LAYER_KEYS, how="left", maintain_order="left").select(*DRIFT)


def _means(similarity: pl.DataFrame, state: str) -> pl.DataFrame:
    """Return the mean of the similarities of a state over REF's seeds and corpora, by layer."""
    measured = similarity.filter((pl.col("state") == state) & (pl.col("window") == REF))
    ordered = measured.sort([*_LAYER_KEYS, "target", "seed"])
    rows = []
    for key, group in ordered.group_by(_LAYER_KEYS, maintain_order=True):
        wide = group.pivot("target", index="seed", values="value").sort("seed").drop_nulls()
        values = wide.drop("seed").to_numpy()
        estimate = two_way_mean(values)
        rows.append((*key, *values.shape, estimate.mean, estimate.low, estimate.high))
    kept = {name: kind for name, kind in DRIFT.items() if not name.startswith("noise_")}
    return pl.DataFrame(rows, schema=kept, orient="row")
