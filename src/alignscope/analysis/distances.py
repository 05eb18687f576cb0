"""Distances: do zero-shot scores fall with how far a target is from the source?"""

from collections.abc import Callable

import numpy as np
import polars as pl
from scipy.stats import rankdata

from alignscope.analysis.collect import REF
from alignscope.errors import StudyError
from alignscope.seeds import derive
from alignscope.tables import DISTANCES, frame

Distance = Callable[[str, str], float]
Pairs = np.ndarray  # (targets, 2): distance and score

DRAWS = 2000
_GRID = ["encoder", "task", "metric", "source"]


def distances_table(scores: pl.DataFrame, distance: Distance, seed: int = 1) -> pl.DataFrame:
    """Correlate REF's zero-shot scores with a distance between languages.

    Takes ``tables.SCORES`` and returns ``tables.DISTANCES``: per task and source Spearman's
    correlation over targets, each the mean over seeds, of the score and ``distance(source,
    target)``. The 95 % interval is a percentile bootstrap over targets. Below zero: the further,
    the worse. With some sixteen targets the interval is wide, and says so.

    Raises:
        StudyError: if there are fewer than four targets, or all are equally far.
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
        targets = group.select("language", "score").rows()
        pairs = np.array([(distance(source, language), score) for language, score in targets])
        rho, low, high = correlation(pairs, seed)
        row = dict(zip(_GRID, key, strict=True))
        rows.append({**row, "targets": len(pairs), "spearman": rho, "low": low, "high": high})
    return frame(rows, DISTANCES)


def correlation(pairs: Pairs, seed: int) -> tuple[float, float, float]:
    """Return Spearman's correlation of two columns, and its bootstrap interval over rows.

    Raises:
        StudyError: if there are fewer than four rows, or a column is constant.
    """
    if len(pairs) < 4 or (np.ptp(pairs, axis=0) == 0).any():
        raise StudyError(
            f"{len(pairs)} targets cannot be correlated with their distance: there have to be four "
            "that differ in distance and score"
        )
    draw = np.random.default_rng(derive(seed, "bootstrap"))
    found = [_spearman(pairs[draw.integers(len(pairs), size=len(pairs))]) for _ in range(DRAWS)]
    low, high = np.nanquantile(found, [0.025, 0.975])
    return _spearman(pairs), float(low), float(high)


def _spearman(pairs: Pairs) -> float:
    """Pearson's correlation of ranks; not a number for a resample in which a column is constant."""
    ranks = rankdata(pairs, axis=0)
    ranks = ranks - ranks.mean(axis=0)
    norm = np.sqrt((ranks**2).sum(axis=0)).prod()
    return float((ranks[:, 0] * ranks[:, 1]).sum() / norm) if norm else float("nan")
