"""Distances: do zero-shot scores fall with how far a target is from the source?"""

import math
from collections.abc import Sequence

from scipy.stats import norm, spearmanr


def correlation(
    left: Sequence[float], right: Sequence[float], level: float = 0.95
) -> tuple[float | None, float | None, float | None]:
    """Return Spearman's correlation and its interval (Bonett & Wright 2000).

    >>> correlation([1, 2, 3, 4, 5], [5, 3, 4, 2, 1])[0]
    -0.9

    All are None with fewer than five values or where a side is constant; the interval is None
    where the correlation is 1 or -1, of which so few values cannot be sure.
    """
    if len(left) < 5 or len(set(left)) == 1 or len(set(right)) == 1:
        return None, None, None
    rho = float(spearmanr(left, right).statistic)
    if abs(rho) > 1 - 1e-12:
        return float(round(rho)), None, None
    return rho, *fisher_interval(rho, len(left), 1 + rho**2 / 2, level)


def fisher_interval(
    correlation: float, n: int, spread: float = 1.0, level: float = 0.95
) -> tuple[float | None, float | None]:
    """Return the interval of a correlation of n pairs, by Fisher's transformation (1915).

    >>> low, high = fisher_interval(0.5, 28)
    >>> round(low, 3), round(high, 3)
    (0.156, 0.736)

    ``spread`` is its variance × (n − 3): 1 for Pearson's, 1 + r² / 2 for Spearman's (Bonett &
    Wright 2000). None where so few values cannot be sure.
    """
    if n < 4 or abs(correlation) > 1 - 1e-12:
        return None, None
    reach = float(norm.ppf((1 + level) / 2)) * math.sqrt(spread / (n - 3))
    middle = math.atanh(correlation)
    return math.tanh(middle - reach), math.tanh(middle + reach)
