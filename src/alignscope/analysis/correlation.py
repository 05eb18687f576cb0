"""Correlations with confidence intervals."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from alignscope._util.confidence import CONFIDENCE

FEWEST = 5
"""The smallest number of pairs that are correlated."""


def ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the ranks of values from 1; tied values have their mean rank.

    >>> ranks(np.array([0.5, 0.1, 0.5])).tolist()
    [2.5, 1.0, 2.5]
    """
    # scipy.stats.rankdata does the same, but importing it takes most of a second.
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    mean_ranks: NDArray[np.float64] = (last - (counts - 1) / 2)[places]
    return mean_ranks


def correlation(
    left: Sequence[float], right: Sequence[float], level: float = CONFIDENCE
) -> tuple[float | None, float | None, float | None]:
    """Return Spearman's correlation and its interval (Bonett & Wright 2000).

    >>> round(correlation([1, 2, 3, 4, 5], [5, 3, 4, 2, 1])[0], 3)
    -0.9

    Args:
        left: one value per pair.
        right: the other values, in the same order.
        level: the level of confidence.

    Returns:
        The correlation and the ends of its interval. All are None with fewer than five pairs or if
        a side is constant. The ends are None if the correlation is 1 or −1, because the interval
        is undefined there.
    """
    if len(left) < FEWEST or len(set(left)) == 1 or len(set(right)) == 1:
        return None, None, None
    rho = float(np.corrcoef([ranks(np.asarray(side)) for side in (left, right)])[1, 0])
    if abs(rho) > 1 - 1e-12:
        return float(round(rho)), None, None
    return rho, *fisher_interval(rho, len(left), 1 + rho**2 / 2, level)


def fisher_interval(
    correlation: float, n: int, spread: float = 1.0, level: float = CONFIDENCE
) -> tuple[float | None, float | None]:
    """Return the interval of a correlation, by Fisher's transformation (1915).

    >>> low, high = fisher_interval(0.5, 28)
    >>> round(low, 3), round(high, 3)
    (0.156, 0.736)

    Args:
        correlation: the correlation.
        n: the number of pairs.
        spread: its variance × (n − 3): 1 for Pearson's correlation, 1 + r² / 2 for Spearman's
            (Bonett & Wright 2000).
        level: the level of confidence.

    Returns:
        The ends, or None for both with fewer than four pairs or if the correlation is 1 or −1.
    """
    from scipy.special import ndtri

    if n < 4 or abs(correlation) > 1 - 1e-12:
        return None, None
    half = float(ndtri((1 + level) / 2)) * math.sqrt(spread / (n - 3))
    middle = math.atanh(correlation)
    return math.tanh(middle - half), math.tanh(middle + half)
