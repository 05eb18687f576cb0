"""Drift: which layers does fine-tuning change, and in which languages?"""

import polars as pl

from alignscope.analysis.random_effects import two_way_mean
from alignscope.results.schemas import DRIFT, to_frame
from alignscope.results.tables import REF

_KEYS = ["encoder", "task", "source", "measure", "estimator", "layer"]


def drift_table(similarity: pl.DataFrame) -> pl.DataFrame:
    """How alike every layer is before and after fine-tuning, the mean over seeds and languages.

    Takes ``tables.RUN_SIMILARITY`` and returns ``tables.DRIFT``: of REF's runs, the similarity of
    the pretrained to the fine-tuned encoder on the same sentences; 1 is a layer left as it was.
    Layer 0 is the embeddings, layer i + 1 is after block i. Intervals are for other seeds and
    languages (`crossed.crossed_mean`).
    """
    own = similarity.filter((pl.col("state") == "drift") & (pl.col("window") == REF))
    rows = []
    for key, group in own.sort([*_KEYS, "target", "seed"]).group_by(_KEYS, maintain_order=True):
        wide = group.pivot("target", index="seed", values="value").sort("seed").drop_nulls()
        values = wide.drop("seed").to_numpy()
        found = two_way_mean(values)
        row = dict(zip(_KEYS, key, strict=True))
        ends = {"mean": found.mean, "low": found.low, "high": found.high}
        rows.append({**row, "seeds": len(values), "corpora": values.shape[1], **ends})
    return to_frame(rows, DRIFT)
