"""Intervals for other rows of the same kind."""

import math

from scipy.special import ndtri, stdtrit
from torch import Tensor

LEVEL = 0.95


def jackknife(estimate: float, without_each: Tensor, level: float = LEVEL) -> tuple[float, float]:
    """Return an interval from what a measure gives without row i, for every i, (n,).

    >>> import torch
    >>> low, high = jackknife(0.5, torch.tensor([0.49, 0.5, 0.51]))
    >>> low < 0.5 < high
    True

    The estimate plus and minus Student's quantile times the delete-one jackknife's standard error
    (Efron & Stein 1981). It is no bootstrap on purpose: that draws some rows twice, and measures
    that look for neighbours or leave diagonals out take a row beside its double for a likeness.
    """
    n = len(without_each)
    spread = float((without_each - without_each.mean()).square().sum())
    error = math.sqrt((n - 1) / n * spread)
    reach = float(stdtrit(n - 1, (1 + level) / 2)) * error
    return estimate - reach, estimate + reach


def infinitesimal_jackknife(
    estimate: float, influence: Tensor, level: float = LEVEL
) -> tuple[float, float]:
    """Return an interval from how much every row, (n,), moves a measure.

    >>> import torch
    >>> low, high = infinitesimal_jackknife(0.5, torch.tensor([0.1, -0.1, 0.2, -0.2]))
    >>> low < 0.5 < high
    True

    The infinitesimal jackknife (Jaeckel 1972): ``influence`` is n times what a little more weight
    on a row adds to the estimate. Of a mean it is the row's own value, and this is Student's
    interval.
    """
    n = len(influence)
    error = float(influence.std()) / math.sqrt(n)
    reach = float(stdtrit(n - 1, (1 + level) / 2)) * error
    return estimate - reach, estimate + reach


def correlation_influence(x: Tensor, y: Tensor, correlations: Tensor) -> Tensor:
    """Return the influence of every row on the correlations of columns, (n, k).

    ``x`` and ``y`` (n, k) have centred columns of norm 1 (Devlin et al. 1975); if they are
    canonical variates it holds for canonical correlations too (Romanazzi 1992).
    """
    return len(x) * (x * y - correlations / 2 * (x.square() + y.square()))


def wilson_interval(share: float, n: int, level: float = LEVEL) -> tuple[float, float]:
    """Return Wilson's interval (1927) of how often something is so, out of n.

    >>> low, high = wilson_interval(1.0, 100)
    >>> round(low, 3), round(high, 3)
    (0.963, 1.0)

    Unlike a bootstrap it has a width where all or none are so. Where the share is the mean of two
    directions it is too wide rather than too narrow.
    """
    z = float(ndtri((1 + level) / 2))
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    reach = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return middle - reach, middle + reach
