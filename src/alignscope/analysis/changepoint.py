"""The boundary between alignment and prediction: a change point of the contrasts by window."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray

from alignscope._util.confidence import CONFIDENCE
from alignscope.analysis.arrays import Values
from alignscope.analysis.constants import RUN_KEYS
from alignscope.analysis.effect_estimates import GroupEffects, complete_seeds
from alignscope.config.windows import Window
from alignscope.results.schemas import BOUNDARIES, to_frame

DRAWS = 4999
"""The number of random orders, and of bootstrap samples."""
ALPHA = 1 - CONFIDENCE
_GROUP_KEYS = (*RUN_KEYS, "init")


@dataclass(frozen=True)
class ChangePoint:
    """An estimated change point; blocks are counted from 0.

    ``block`` is the first block that predicts. It is None if it is not identifiable, and then
    ``reason`` says why. ``low`` and ``high`` enclose 95 % of the bootstrap distribution, ``shares``
    is that distribution: pairs of a block and its share of the samples. ``p`` is that of
    `order_test`.
    """

    block: int | None = None
    low: int | None = None
    high: int | None = None
    p: float | None = None
    shares: tuple[tuple[int, float], ...] = ()
    reason: str = ""


def boundaries_table(groups: Sequence[GroupEffects]) -> pl.DataFrame:
    """Return the table ``boundaries``: a change point per encoder, task, source, setting and init.

    Takes the effects of windows (`estimate_effects`); see `find_change_point`.
    """
    rows = []
    for group in groups:
        for init in dict.fromkeys(init for init, _ in group.arrays.ablations):
            change_point = find_change_point(contrasts_by_window(group, init))
            row = dict(zip(_GROUP_KEYS, (*group.arrays.key, init), strict=True))
            row |= vars(change_point)
            shares = (f"{block}:{share:.4g}" for block, share in change_point.shares)
            row["shares"] = " ".join(shares)
            windows = sum(of == init for of, _ in group.arrays.ablations)
            rows.append({**row, "windows": windows})
    return to_frame(rows, BOUNDARIES).sort(_GROUP_KEYS)


def contrasts_by_window(group: GroupEffects, init: str) -> dict[Window, Values]:
    """Return target − source effects by window, each of shape (seeds, families).

    Targets are compared within a domain if the source language has a corpus in theirs. A seed
    counts if it has every window.
    """
    arrays, contrast = group.arrays, group.contrasts.judged
    if contrast is None:
        return {}
    complete = complete_seeds(arrays, contrast)
    places = [place for place, (of, _) in enumerate(arrays.ablations) if of == init]
    seeds = np.logical_and.reduce([complete[place] for place in places])
    used = contrast.used
    return {
        Window.parse(arrays.ablations[place][1]): arrays.points[place][seeds][:, used]
        @ contrast.by_family[used]
        for place in places
    }


def find_change_point(contrasts: Mapping[Window, Values]) -> ChangePoint:
    """Estimate the window from which on the targets lose no more than the source.

    >>> low, high = -0.2 + 0.01 * np.eye(5), 0.01 * np.eye(5)
    >>> find_change_point({Window(0, 1): low, Window(2, 3): high, Window(4, 5): high}).block
    2

    Args:
        contrasts: target − source effects by window, fractions, each of shape (seeds, families).
            The windows must not overlap, and there must be at least three.

    Returns:
        The change point of least squares (`fit_cut`), with its bootstrap distribution
        (`bootstrap_means`). It is not identifiable in three cases: the windows do not rise more
        than in random order (p > 0.05, `order_test`); the middle 95 % of the distribution include
        every cut; or in more than 5 % of the bootstrap samples the mean of a window below the
        cut is not lower than that of a window above it.

    Notes:
        With a single seed or family no change point is identifiable. With W windows and two seeds
        or families, p is at least 1 / W² for the first cut. Windows that differ in no order can
        pass for a change point, because the test is about their order alone: about a quarter of
        studies with six such windows do (simulated: random levels, 3 and 5 seeds, 16 corpora).
    """
    windows = sorted(contrasts, key=lambda window: window.first)
    if problem := _problem(windows):
        return ChangePoint(reason=problem)
    values = np.stack([contrasts[window] for window in windows])
    if values.size == 0:
        return ChangePoint(reason="no seed has every window")
    cut, rise = fit_cut(values)
    p = order_test(values, rise)
    samples = bootstrap_means(values)
    cuts = 1 + cut_rises(samples).argmax(1)
    low, high = _middle_share(cuts)
    starts = [window.first for window in windows]
    shares = tuple((starts[k], float(np.mean(cuts == k))) for k in range(1, len(starts)))
    separated = np.mean(samples[:, :cut].max(1) < samples[:, cut:].min(1))
    # These texts are values of the column ``reason``, which must not change.
    criteria = (
        (p > ALPHA and _smallest_p(values, cut) > ALPHA,
         f"too few seeds or corpora for {len(windows)} windows"),
        (p > ALPHA, "no rise beyond chance"),
        ((low, high) == (1, len(starts) - 1), "it could be anywhere"),
        (separated < CONFIDENCE, "windows take turns"),
    )  # fmt: skip
    for fails, reason in criteria:
        if fails:
            return ChangePoint(p=p, shares=shares, reason=f"not identifiable: {reason}")
    return ChangePoint(starts[cut], starts[low], starts[high], p, shares)


def _problem(windows: Sequence[Window]) -> str:
    """Return the reason why windows have no change point, or an empty text."""
    if len(windows) < 3:
        return f"a boundary takes three windows at least, there are {len(windows)}"
    for lower, upper in pairwise(windows):
        if upper.first <= lower.last:
            return f"windows {lower} and {upper} overlap: they cannot be put in an order"
    return ""


def cut_rises(means: Values) -> Values:
    """Return how much the mean rises at each cut.

    >>> cut_rises(np.array([[0.0, 1.0, 1.0]])).round(3).tolist()
    [[0.816, 0.408]]

    Args:
        means: means by window, of shape (samples, windows).

    Returns:
        Shape (samples, windows − 1), for cuts before window 1, 2, …: the square root of the
        reduction in the sum of squares if the windows below and above the cut have means of their
        own. Its sign is negative if the mean above is the lower one.
    """
    count = means.shape[1]
    below = np.cumsum(means, axis=1)[:, :-1]
    sizes = np.arange(1, count)
    above = means.sum(1, keepdims=True) - below
    weights = np.sqrt(sizes * (count - sizes) / count)
    rises: Values = weights * (above / (count - sizes) - below / sizes)
    return rises


def fit_cut(values: Values) -> tuple[int, float]:
    """Return the cut of least squares (Hinkley 1970) with its rise.

    Args:
        values: shape (windows, seeds, corpora).

    Returns:
        The number of windows below the cut, at least 1, and the rise (`cut_rises`).
    """
    rises = cut_rises(values.mean((1, 2))[None])[0]
    return 1 + int(rises.argmax()), float(rises.max())


def order_test(values: Values, rise: float) -> float:
    """Return the p-value of a rise, from random orders of the windows.

    The windows of every seed are put in a random order, independently; then those of every corpus.
    The p-value is the larger of the two shares of orders that rise at least as much.

    Args:
        values: shape (windows, seeds, corpora).
        rise: the rise of the best cut (`fit_cut`).
    """
    return max(_share_of_orders(values.mean(axis), rise) for axis in (2, 1))


def _share_of_orders(values: Values, rise: float) -> float:
    """Return the share of random orders of values (windows, units) that rise at least as much."""
    orders = np.tile(np.arange(len(values)), (DRAWS + 1, values.shape[1], 1))
    orders[1:] = np.random.default_rng(1).permuted(orders[1:], axis=2)  # the first is as observed
    means = np.take_along_axis(values.T[None], orders, axis=2).mean(1)
    return float(np.mean(cut_rises(means).max(1) >= rise - 1e-12))


def _smallest_p(values: Values, cut: int) -> float:
    """Return the p-value that a perfect step at this cut has with as many seeds and corpora."""
    step = np.repeat((np.arange(len(values)) >= cut)[:, None], min(values.shape[1:]), axis=1)
    return _share_of_orders(step.astype(float), cut_rises(step.mean(1)[None])[0].max())


def bootstrap_means(values: Values) -> Values:
    """Return means by window of bootstrap samples, of shape (samples, windows).

    Seeds and corpora are resampled independently of each other (Owen 2007).

    Args:
        values: shape (windows, seeds, corpora).
    """
    _, seeds, corpora = values.shape
    draw = np.random.default_rng(1)
    by_seed = draw.multinomial(seeds, np.full(seeds, 1 / seeds), DRAWS) / seeds
    by_corpus = draw.multinomial(corpora, np.full(corpora, 1 / corpora), DRAWS) / corpora
    means: Values = np.einsum("wsc,bs,bc->bw", values, by_seed, by_corpus, optimize=True)
    return means


def _middle_share(cuts: NDArray[np.int64]) -> tuple[int, int]:
    """Return the ends of the middle 95 % of cuts."""
    ends = np.quantile(cuts, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2],
                       method="closest_observation")  # fmt: skip
    return int(ends[0]), int(ends[1])
