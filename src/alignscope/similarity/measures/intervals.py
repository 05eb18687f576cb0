"""Confidence intervals for other rows of the same kind."""

import math

from scipy.special import ndtri, stdtrit
from torch import Tensor

from alignscope._util.confidence import CONFIDENCE


def jackknife(
    estimate: float, without_each: Tensor, level: float = CONFIDENCE
) -> tuple[float, float]:
    """Return an interval from the values of a measure without row i, for every i.

    >>> import torch
    >>> low, high = jackknife(0.5, torch.tensor([0.49, 0.5, 0.51]))
    >>> low < 0.5 < high
    True

    The interval is the estimate plus and minus Student's quantile times the standard error of the
    delete-one jackknife (Efron & Stein 1981). A bootstrap would not do: its samples contain
    duplicates, which neighbour-based measures and debiased CKA count as perfect matches.

    Args:
        estimate: the value for all n rows.
        without_each: the values without row i, for every i, (n,).
        level: the coverage.
    """
    n = len(without_each)
    spread = float((without_each - without_each.mean()).square().sum())
    error = math.sqrt((n - 1) / n * spread)
    reach = float(stdtrit(n - 1, (1 + level) / 2)) * error
    return estimate - reach, estimate + reach


def infinitesimal_jackknife(
    estimate: float, influence: Tensor, level: float = CONFIDENCE
) -> tuple[float, float]:
    """Return an interval from the influence of every row on a measure.

    >>> import torch
    >>> low, high = infinitesimal_jackknife(0.5, torch.tensor([0.1, -0.1, 0.2, -0.2]))
    >>> low < 0.5 < high
    True

    This is the infinitesimal jackknife (Jaeckel 1972). The influence of a row is n times the
    derivative of the estimate with respect to the weight of that row. For a mean it is the row's
    own value, and the interval is Student's.

    Args:
        estimate: the value for all n rows.
        influence: the influence of every row, (n,).
        level: the coverage.
    """
    n = len(influence)
    error = float(influence.std()) / math.sqrt(n)
    reach = float(stdtrit(n - 1, (1 + level) / 2)) * error
    return estimate - reach, estimate + reach


def correlation_influence(x: Tensor, y: Tensor, correlations: Tensor) -> Tensor:
    """Return the influence of every row on the correlations of columns, (n, k).

    The formula of Devlin et al. (1975). For canonical variates it also gives the influence on the
    canonical correlations (Romanazzi 1992).

    Args:
        x: centred columns of norm 1, (n, k).
        y: centred columns of norm 1, (n, k).
        correlations: those of column i of ``x`` with column i of ``y``, (k,).
    """
    return len(x) * (x * y - correlations / 2 * (x.square() + y.square()))


def wilson_interval(share: float, n: int, level: float = CONFIDENCE) -> tuple[float, float]:
    """Return Wilson's interval (1927) for a proportion of n cases.

    >>> low, high = wilson_interval(1.0, 100)
    >>> round(low, 3), round(high, 3)
    (0.963, 1.0)

    Unlike a bootstrap interval it has a width when the proportion is 0 or 1. For the mean of two
    directions (`retrieval`) it is conservative: too wide rather than too narrow.

    Args:
        share: the proportion, between 0 and 1.
        n: the number of cases.
        level: the coverage.
    """
    z = float(ndtri((1 + level) / 2))
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    reach = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return middle - reach, middle + reach
