"""Sentences on what limits the numbers of REF."""

import polars as pl

from alignscope.analysis.results import PrimaryResults
from alignscope.report.groups import ResultGroup
from alignscope.report.labels import format_points
from alignscope.results.tables import REF


def reference_notes(results: PrimaryResults, group: ResultGroup) -> str:
    """Return sentences on an under-trained REF, a ceiling and the spread over epochs.

    Args:
        results: the results.
        group: the runs; they have scores of REF.
    """
    sentences = []
    for row in group.select(results.reference).iter_rows(named=True):
        if row["undertrained"]:
            sentences.append(f"REF may be under-trained: {row['reasons']}")
        if row["ceiling"]:
            count = len(row["ceiling_corpora"].split(", "))
            where = row["ceiling_corpora"] if count <= MAX_CORPORA else f"{count} corpora"
            sentences.append(f"REF is within one point of the maximum on {where}.")
    spread = group.select(results.epoch_spread).filter(
        (pl.col("window") == REF) & (pl.col("on") == "targets") & pl.col("spread").is_not_null()
    )
    for row in spread.iter_rows(named=True):
        last = row["first_epoch"] + row["epochs"] - 1
        sentences.append(
            f"Between epochs {row['first_epoch']} and {last}, which are about equally good on dev, "
            f"its mean score on the targets varies by {format_points(row['spread'], signed=False)} "
            "points."
        )
    return " ".join(sentences)


MAX_CORPORA = 3
"""The largest number of corpora at the ceiling that a sentence names."""
