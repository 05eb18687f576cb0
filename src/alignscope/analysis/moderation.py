"""Variances over seeds, moderated across the windows of a study."""

import math
from collections.abc import Sequence
from typing import NamedTuple

REF_CORRELATION = 0.25
"""The correlation of two windows' variance estimates, whose effects share the scores of REF.

The effects of two windows correlate 0.5 if all runs vary equally, and variances of correlated
normal values correlate with the square."""


class VarianceEstimate(NamedTuple):
    """An estimated variance with the degrees of freedom of its estimate."""

    variance: float
    degrees: float


def moderate_variances(estimates: Sequence[VarianceEstimate]) -> list[VarianceEstimate]:
    """Return variances over seeds that borrow strength from the other windows.

    >>> own = [VarianceEstimate(v, 1) for v in (1.0, 2.0, 4.0, 1.5)]
    >>> [round(v.degrees, 1) for v in moderate_variances(own)]
    [3.0, 2.8, 2.0, 3.0]

    With two or three seeds, the variance of one window has one or two degrees of freedom, and
    Student's quantiles are 12.7 and 4.3. The windows of a study have similar variances, so each
    estimate is combined with a prior from the other windows (empirical Bayes).

    Args:
        estimates: the variance over seeds of the effect of each window; all windows share one REF.

    Returns:
        The moderated estimates in the same order. A single window keeps its estimate.

    Notes:
        The prior is a scaled inverse χ² distribution, fitted to the logarithms of the other
        windows' variances by moments (Smyth 2004, section 6.2). A window whose variance is an
        outlier borrows less: its prior degrees of freedom are multiplied by twice the tail
        probability of its variance under the prior, at most by 1 (after Phipson et al. 2016).
        Degrees of freedom never exceed those of the other windows together, reduced because all
        effects share REF (`REF_CORRELATION`).
    """
    if len(estimates) < 2 or all(estimate.variance == 0 for estimate in estimates):
        return list(estimates)
    # Logarithms need positive values; equal scores of all seeds have a variance of 0.
    floor = 1e-5 * math.fsum(estimate.variance for estimate in estimates) / len(estimates)
    floored = [estimate._replace(variance=max(estimate.variance, floor)) for estimate in estimates]
    return [
        _moderate(estimate, [*floored[:place], *floored[place + 1 :]])
        for place, estimate in enumerate(estimates)
    ]


def _moderate(own: VarianceEstimate, others: Sequence[VarianceEstimate]) -> VarianceEstimate:
    from scipy.special import fdtrc

    prior = _fit_prior(others)
    tail = float(fdtrc(own.degrees, prior.degrees, own.variance / prior.variance))
    weight = prior.degrees * min(1.0, 2 * tail)
    degrees = weight + own.degrees
    variance = (weight * prior.variance + own.degrees * own.variance) / degrees
    return VarianceEstimate(variance, degrees)


def _fit_prior(others: Sequence[VarianceEstimate]) -> VarianceEstimate:
    """Return the location and the degrees of freedom of the prior distribution of variances."""
    from scipy.special import digamma, polygamma

    count = len(others)
    most = sum(other.degrees for other in others) / (1 + (count - 1) * REF_CORRELATION)
    logs = [
        math.log(other.variance) - float(digamma(other.degrees / 2)) + math.log(other.degrees / 2)
        for other in others
    ]
    mean = math.fsum(logs) / count
    noise = math.fsum(float(polygamma(1, other.degrees / 2)) for other in others) / count
    spread = math.fsum((log - mean) ** 2 for log in logs) / (count - 1) if count > 1 else 0.0
    if spread <= noise:  # no more than chance: the windows have one variance
        total = math.fsum(other.degrees for other in others)
        pooled = math.fsum(other.degrees * other.variance for other in others) / total
        return VarianceEstimate(pooled, most)
    half = _inverse_trigamma(spread - noise)
    location = math.exp(mean + float(digamma(half)) - math.log(half))
    return VarianceEstimate(location, min(2 * half, most))


def _inverse_trigamma(value: float) -> float:
    """Return x > 0 with trigamma(x) = value, by Newton's method (Smyth 2004, appendix)."""
    from scipy.special import polygamma

    if value > 1e7:
        return 1 / math.sqrt(value)
    x = 0.5 + 1 / value
    for _ in range(50):
        trigamma = float(polygamma(1, x))
        step = trigamma * (1 - trigamma / value) / float(polygamma(2, x))
        x += step
        if abs(step) < 1e-9 * x:
            break
    return x
