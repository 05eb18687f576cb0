"""Does a target that looks more like the source inside the encoder have the smaller gap?"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import permutations

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import rankdata

from alignscope.analysis.correlation import correlation, fisher_interval
from alignscope.analysis.distance_correlation import Distance
from alignscope.analysis.multiple_testing import holm_over
from alignscope.data.corpus import parse_corpus
from alignscope.results.schemas import GAPS, to_frame
from alignscope.results.tables import REF, primary_measure

Values = NDArray[np.float64]

EXACT = 7
"""Targets up to which all pairings are tried (5,040), instead of `DRAWS` of them."""
DRAWS = 9999

_GRID = ["encoder", "task", "metric", "source"]
_CURVE = ["encoder", "task", "source", "state", "measure", "estimator", "layer"]


def transfer_gap_table(
    scores: pl.DataFrame, similarity: pl.DataFrame, distance: Distance | None = None
) -> pl.DataFrame:
    """Correlate, at every layer, similarity to the source with the gap to it (Muller et al. 2021).

    Takes ``tables.SCORES`` and ``tables.RUN_SIMILARITY`` and returns ``tables.GAPS``. The gap of a
    target is REF's score on the source − its score on the target, the mean over seeds and the
    target language's corpora; similarity that of the source's parallel corpus to the one in that
    language, the mean over seeds. Spearman's and Pearson's correlation are over the languages that
    have both; below 0: the more alike, the smaller the gap. ``p`` is from permutations of the
    targets, ``p_holm`` corrected for the layers of a curve. ``partial`` is Spearman's correlation
    when ``distance(source, target)`` is given: what similarity says beyond that.

    With some 17 targets a correlation of 0.5 is the least that is told from none: read the
    intervals.
    """
    gaps = mean_gaps(scores)
    alike = (
        with_target_language(
            similarity.filter((pl.col("window") == REF) & (pl.col("state") != "drift"))
        )
        .group_by([*_CURVE, "language"])
        .agg(pl.col("value").sort().mean())
        .sort([*_CURVE, "language"])
    )
    joined = alike.join(gaps, on=["encoder", "task", "source", "language"], how="inner")
    keys = [*_CURVE, "metric", "own"]
    rows = [
        _row(dict(zip(keys, key, strict=True)), group, distance)
        for key, group in joined.sort([*keys, "language"]).group_by(keys, maintain_order=True)
    ]
    table = to_frame([{**row, "p_holm": None, "partial_p_holm": None} for row in rows], GAPS)
    curve = [name for name in (*_CURVE, "metric") if name != "layer"]
    return table.with_columns(
        holm_over(p).over(curve).alias(f"{p}_holm") for p in ("p", "partial_p")
    ).sort(["encoder", "task", "metric", "source", "state", "measure", "estimator", "layer"])


def mean_gaps(scores: pl.DataFrame) -> pl.DataFrame:
    """Per source and target language the mean gap, and the language of the source."""
    return (
        gaps_by_seed(scores)
        .group_by(*_GRID, "own", "language")
        .agg(pl.col("gap").sort().mean())
        .sort(*_GRID, "language")
    )


def gaps_by_seed(scores: pl.DataFrame) -> pl.DataFrame:
    """The gap of every seed, source and target language: REF's score on the source − on it."""
    reference = scores.filter(pl.col("window") == REF)
    own = reference.filter(relation="in-domain").select(
        *_GRID, "seed", source_score="score", own="language"
    )
    targets = reference.filter(relation="cross-lingual").join(own, on=[*_GRID, "seed"])
    return (
        targets.group_by(*_GRID, "own", "language", "seed")
        .agg(gap=(pl.col("source_score") - pl.col("score")).sort().mean())
        .sort(*_GRID, "language", "seed")
    )


def similarity_and_gap(scores: pl.DataFrame, similarity: pl.DataFrame) -> pl.DataFrame:
    """Per source and target language its similarity, ``value``, and its ``gap``.

    Similarity is of the pretrained encoder, the first measure that was taken, the mean over layers.
    """
    pretrained = similarity.filter((pl.col("state") == "pretrained") & (pl.col("window") == REF))
    alike = (
        with_target_language(primary_measure(pretrained))
        .group_by("encoder", "task", "source", "language")
        .agg(pl.col("value").sort().mean())
    )
    joined = mean_gaps(scores).join(
        alike, on=["encoder", "task", "source", "language"], how="inner"
    )
    return joined.sort([*_GRID, "language"])


def _row(
    key: dict[str, object], group: pl.DataFrame, distance: Distance | None
) -> dict[str, object]:
    source = str(key.pop("own"))
    alike, gap = (group[name].to_numpy() for name in ("value", "gap"))
    far = None if distance is None else [distance(source, one) for one in group["language"]]
    return {**key, "targets": len(group), **correlations(alike, gap, far)}


def correlations(
    alike: Values, gap: Values, far: Sequence[float] | None = None
) -> dict[str, float | None]:
    """Return Spearman's, Pearson's and the partial correlation, with intervals and p-values.

    >>> found = correlations(np.arange(8.0), -np.arange(8.0))
    >>> found["spearman"], found["p"] < 0.001
    (-1.0, True)

    All are None with fewer than five targets, or where a side is constant.
    """
    spearman, low, high = correlation(alike.tolist(), gap.tolist())
    found: dict[str, float | None] = {
        **{"spearman": spearman, "low": low, "high": high, "p": None, "pearson": None},
        **dict.fromkeys(("partial", "partial_low", "partial_high", "partial_p")),
    }
    if spearman is None:
        return found
    found["p"] = permutation_p(rankdata(alike), rankdata(gap))
    found["pearson"] = float(np.corrcoef(alike, gap)[0, 1])
    if far is not None and len(set(far)) > 1:
        found |= _partial(alike, gap, np.asarray(far))
    return found


def _partial(alike: Values, gap: Values, far: Values) -> dict[str, float | None]:
    """Spearman's correlation of what distance does not say of either side.

    Its p-value is a little small where distance says nearly all (8 instead of 5 of 100 where it
    correlates 0.9 with both): a line through ranks does not take all of it off.
    """
    left, right = (_residual(rankdata(side), rankdata(far)) for side in (alike, gap))
    if min(left.std(), right.std()) < 1e-9:
        return {}
    rho = float(np.corrcoef(left, right)[0, 1])
    # One degree of freedom less than without the distance (Fisher 1924).
    low, high = fisher_interval(rho, len(alike) - 1, 1 + rho**2 / 2)
    p = permutation_p(left, right, rankdata(far))
    return {"partial": rho, "partial_low": low, "partial_high": high, "partial_p": p}


def _residual(values: Values, given: Values) -> Values:
    """What a straight line through ``given`` leaves of values."""
    away = given - given.mean()
    centred = values - values.mean()
    left: Values = centred - away * (centred @ away) / (away @ away)
    return left


def permutation_p(left: Values, right: Values, given: Values | None = None) -> float:
    """Return how often pairing at random correlates as much (in absolute value) as the pairs do.

    >>> permutation_p(np.arange(5.0), np.arange(5.0))  # 2 of 120 pairings
    0.016666666666666666

    All pairings of up to seven values, else 9,999 draws that are always alike, and the pairs
    themselves (Phipson & Smyth 2010). Where both sides are what is left beside ``given``, that is
    taken off every pairing again (Freedman & Lane 1983).
    """
    x, y = left - left.mean(), right - right.mean()
    drawn = y[_orders(len(x))]
    lengths = (drawn**2).sum(1)
    if given is not None:
        away = (given - given.mean()) / np.linalg.norm(given - given.mean())
        lengths = lengths - (drawn @ away) ** 2
    seen = abs(x @ y) / np.linalg.norm(y)
    as_much = np.abs(drawn @ x) >= (seen - 1e-9 * np.linalg.norm(x)) * np.sqrt(lengths)
    return float(as_much.mean())


@lru_cache(maxsize=4)
def _orders(n: int) -> NDArray[np.int64]:
    """Pairings of n values; where they are drawn, the first is the pairs as they are."""
    if n <= EXACT:
        return np.array(list(permutations(range(n))))
    draw = np.random.default_rng(1)
    orders = np.tile(np.arange(n), (DRAWS + 1, 1))
    orders[1:] = draw.permuted(orders[1:], axis=1)
    return orders


def with_target_language(similarity: pl.DataFrame) -> pl.DataFrame:
    """Add the language of every target."""

    languages = {name: parse_corpus(name).language for name in similarity["target"].unique()}
    return similarity.with_columns(
        language=pl.col("target").replace_strict(languages, return_dtype=pl.String)
    )
