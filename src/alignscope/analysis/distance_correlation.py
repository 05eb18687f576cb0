"""Correlation of zero-shot scores with the typological distance to the source."""

from collections.abc import Callable

import polars as pl

from alignscope.analysis.correlation import correlation
from alignscope.results.schemas import DISTANCES, to_frame
from alignscope.results.tables import REF

Distance = Callable[[str, str], float]

_GRID = ["encoder", "task", "metric", "source"]


def distances_table(scores: pl.DataFrame, distance: Distance) -> pl.DataFrame:
    """Correlate REF's zero-shot scores with a distance between languages.

    Takes ``tables.SCORES`` and returns ``tables.DISTANCES``: per task and source Spearman's
    correlation over targets, each the mean over seeds, of the score and ``distance(source,
    target)``. Below zero: the further, the worse. With some sixteen targets the 95 % interval is
    wide, and says so. Correlation and interval are null where they are not defined: see
    `correlation`.

    Raises:
        DataError: if ``distance`` knows nothing of a language.
    """
    zero_shot = scores.filter((pl.col("window") == REF) & (pl.col("relation") == "cross-lingual"))
    own = scores.filter(pl.col("relation") == "in-domain")
    sources = dict(own.select("source", "language").unique().rows())
    means = (
        zero_shot.group_by(*_GRID, "language")
        .agg(pl.col("score").sort().mean())
        .sort(*_GRID, "language")
    )
    rows = []
    for key, group in means.group_by(_GRID, maintain_order=True):
        source = sources[str(key[3])]
        far = [distance(source, language) for language in group["language"]]
        rho, low, high = correlation(far, group["score"].to_list())
        row = dict(zip(_GRID, key, strict=True))
        rows.append({**row, "targets": len(far), "spearman": rho, "low": low, "high": high})
    return to_frame(rows, DISTANCES)
