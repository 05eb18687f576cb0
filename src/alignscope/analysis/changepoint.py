"""Where alignment ends and prediction begins: one change point on the contrast by window."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray

from alignscope.analysis.effect_intervals import TARGETS_SOURCE, contrasts_by_seed
from alignscope.analysis.effects import effects_by_corpus
from alignscope.config.windows import Window
from alignscope.results.schemas import BOUNDARIES, to_frame

Values = NDArray[np.float64]

DRAWS = 4999
LEVEL = 0.95

_GRID = ["encoder", "task", "metric", "source", "init"]


@dataclass(frozen=True)
class ChangePoint:
    """An estimate: ``block`` is the first that predicts, or None, and ``reason`` says why not.

    ``shares`` is its distribution: for each block that it could be, how often it was.
    """

    block: int | None = None
    low: int | None = None
    high: int | None = None
    p: float | None = None
    shares: tuple[tuple[int, float], ...] = ()
    reason: str = ""


def boundaries_table(scores: pl.DataFrame) -> pl.DataFrame:
    """Estimate the boundary of every encoder, task, source and initialisation.

    Takes ``tables.SCORES`` and returns ``tables.BOUNDARIES``: see `find_change_point`.
    """
    values = effects_by_corpus(scores).sort(*_GRID, "window", "relation", "corpus", "seed")
    rows = []
    for key, group in values.group_by(_GRID, maintain_order=True):
        found = find_change_point(contrasts_of(group))
        row = dict(zip(_GRID, key, strict=True)) | vars(found)
        row["shares"] = " ".join(f"{block}:{share:.4g}" for block, share in found.shares)
        rows.append({**row, "windows": group["window"].n_unique()})
    return to_frame(rows, BOUNDARIES)


def contrasts_of(group: pl.DataFrame) -> dict[Window, Values]:
    """What each window costs every target beyond the source, (seeds × corpora).

    Of the seeds that have every window.
    """
    counts = group.group_by("seed").agg(pl.col("window").n_unique())
    complete = counts.filter(pl.col("window") == group["window"].n_unique())["seed"]
    kept = group.filter(pl.col("seed").is_in(complete.implode()))
    found = {
        Window.parse(str(name)): contrasts_by_seed(of_window).get(TARGETS_SOURCE)
        for (name,), of_window in kept.group_by("window", maintain_order=True)
    }
    return {window: values for window, values in found.items() if values is not None}


def find_change_point(contrasts: dict[Window, Values]) -> ChangePoint:
    """Estimate where windows stop to cost the targets more than the source.

    >>> low, high = -0.2 + 0.01 * np.eye(5), 0.01 * np.eye(5)
    >>> find_change_point({Window(0, 1): low, Window(2, 3): high, Window(4, 5): high}).block
    2

    ``contrasts`` holds, window by window, target − source effects (seeds × corpora). The boundary
    is the change point of least squares (Hinkley 1970): of all ways to cut the windows in two the
    one after which they are nearest to one mean below and a higher one above. Its distribution is
    that of resampled seeds and corpora (Owen 2007), of which ``low`` and ``high`` hold 95 in 100.

    It is *not identifiable* where windows that do not differ would rise as much in more than 5 of
    100 cases (``p``: every seed's windows are put in a random order of its own, then every
    corpus's, and the larger share counts), where in more than 5 of 100 of the resamples a window
    below the cut costs no more than one above it, and where the distribution holds every cut.

    Windows must not overlap, and three are the least. With W of them a single seed or corpus can
    never tell, and of two the first cut has a p of 1 / W² at the least. Windows that do differ, but
    in no order, are told from a boundary by their order alone: six such look like one in about a
    quarter of cases (measured: levels drawn at random, 3 and 5 seeds, 16 corpora).
    """
    windows = sorted(contrasts, key=lambda window: window.first)
    if problem := _problem(windows):
        return ChangePoint(reason=problem)
    values = np.stack([contrasts[window] for window in windows])
    if values.size == 0:
        return ChangePoint(reason="no seed has every window")
    rises = _rises(values.mean((1, 2))[None])[0]
    p = max(_chance(values.mean(axis), rises.max()) for axis in (2, 1))
    resampled = _resampled(values)
    drawn = 1 + _rises(resampled).argmax(1)
    starts = [window.first for window in windows]
    shares = tuple((starts[k], float(np.mean(drawn == k))) for k in range(1, len(starts)))
    cut = 1 + int(rises.argmax())
    if p > 1 - LEVEL:
        ideal = np.repeat((np.arange(len(values)) >= cut)[:, None], min(values.shape[1:]), axis=1)
        least = _chance(ideal.astype(float), _rises(ideal.mean(1)[None])[0].max())
        few = f"too few seeds or corpora for {len(windows)} windows"
        reason = few if least > 1 - LEVEL else "no rise beyond chance"
        return ChangePoint(p=p, shares=shares, reason=f"not identifiable: {reason}")
    ends = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], method="closest_observation")
    low, high = map(int, ends)
    if (low, high) == (1, len(starts) - 1):
        return ChangePoint(p=p, shares=shares, reason="not identifiable: it could be anywhere")
    apart = resampled[:, :cut].max(1) < resampled[:, cut:].min(1)
    if apart.mean() < LEVEL:
        return ChangePoint(p=p, shares=shares, reason="not identifiable: windows take turns")
    return ChangePoint(starts[cut], starts[low], starts[high], p, shares)


def _problem(windows: Sequence[Window]) -> str:
    if len(windows) < 3:
        return f"a boundary takes three windows at least, there are {len(windows)}"
    for one, other in pairwise(windows):
        if other.first <= one.last:
            return f"windows {one} and {other} overlap: they cannot be put in an order"
    return ""


def _rises(means: Values) -> Values:
    """What each cut explains, (samples × cuts), of means by window (samples × windows).

    The root of the fall in the sum of squares; below 0 where the mean above is the lower one.
    """
    count = means.shape[1]
    below = np.cumsum(means, axis=1)[:, :-1]
    sizes = np.arange(1, count)
    above = means.sum(1, keepdims=True) - below
    weights = np.sqrt(sizes * (count - sizes) / count)
    rises: Values = weights * (above / (count - sizes) - below / sizes)
    return rises


def _chance(values: Values, seen: float) -> float:
    """How often values (windows × units) rise as much if each unit's are in a random order."""
    orders = np.tile(np.arange(len(values)), (DRAWS + 1, values.shape[1], 1))
    orders[1:] = np.random.default_rng(1).permuted(orders[1:], axis=2)  # the first: as they are
    means = np.take_along_axis(values.T[None], orders, axis=2).mean(1)
    return float(np.mean(_rises(means).max(1) >= seen - 1e-12))


def _resampled(values: Values) -> Values:
    """Means by window of resampled seeds and corpora, (samples × windows)."""
    _, seeds, corpora = values.shape
    draw = np.random.default_rng(1)
    by_seed = draw.multinomial(seeds, np.full(seeds, 1 / seeds), DRAWS) / seeds
    by_corpus = draw.multinomial(corpora, np.full(corpora, 1 / corpora), DRAWS) / corpora
    means: Values = np.einsum("wsc,bs,bc->bw", values, by_seed, by_corpus, optimize=True)
    return means
