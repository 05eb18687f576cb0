"""The mean of values per seed and corpus, with a confidence interval over both."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from alignscope._util.confidence import CONFIDENCE
from alignscope.analysis.arrays import Values

SMALLEST_P = 1e-12


@dataclass(frozen=True)
class MeanEstimate:
    """A mean, its interval and the two-sided p-value of the mean being 0.

    Interval and p-value are None if there is a single seed. The p-value is also None if nothing
    varies.
    """

    mean: float
    low: float | None
    high: float | None
    p: float | None


class VarianceComponent(NamedTuple):
    """The contribution of one source of variation to the variance of the mean."""

    variance: float
    degrees: int
    """The degrees of freedom of its estimate."""


def two_way_mean(
    values: Values, level: float = CONFIDENCE, beside: Values | None = None
) -> MeanEstimate:
    """Return the mean of values with an interval that generalises to other seeds and corpora.

    >>> estimate = two_way_mean(np.array([[0.1, 0.3], [0.2, 0.5]]))
    >>> round(estimate.mean, 3)
    0.275

    Args:
        values: one value per seed and corpus, of shape (seeds, corpora).
        level: the level of confidence.
        beside: values of shape (seeds, other corpora) whose mean over the other corpora was
            subtracted from ``values``. Their corpora count as a sample, too.

    Returns:
        The estimate. There is no interval with a single seed, nor with a single other corpus. With
        a single corpus the interval is Student's interval over seeds.

    Notes:
        Seeds and corpora are both samples (two-way random effects): a value is the sum of a mean, a
        seed effect, a corpus effect and a residual. The three variances are estimated by analysis
        of variance (Searle et al. 1992, chapter 4). Each has the quantile of Student's distribution
        with its own degrees of freedom, and the squares of the half-widths are added (Graybill &
        Wang 1980; Zou & Donner 2008).

        Percentile bootstrap intervals over seeds and corpora cover 83-88 % with five seeds and
        78-88 % with three. These intervals cover at least 91 %, and at least 88 % with two seeds.
    """
    mean = float(values.mean())
    if len(values) < 2 or (beside is not None and beside.shape[1] < 2):
        return MeanEstimate(mean, None, None, None)
    components = variance_components(values)
    if beside is not None:
        _, of_other_corpora, _ = variance_components(beside)
        components = (*components, of_other_corpora)
    half_width = _half_width(components, float(np.abs(values).max()))
    half = half_width(level)
    return MeanEstimate(mean, mean - half, mean + half, _p_value(mean, half_width))


def variance_components(values: Values) -> tuple[VarianceComponent, ...]:
    """Return what seeds, corpora and the residual add to the variance of the mean of values.

    ``values`` has the shape (seeds, corpora). The mean squares of the two-way analysis of variance
    have seeds − 1, corpora − 1 and (seeds − 1)(corpora − 1) degrees of freedom. The components of
    seeds and corpora are their mean squares − the residual mean square, at least 0.
    """
    seeds, corpora = values.shape
    by_seed, by_corpus = values.mean(1, keepdims=True), values.mean(0, keepdims=True)
    residuals = values - by_seed - by_corpus + values.mean()
    # With one corpus the residuals are 0; one degree of freedom avoids a division by 0.
    degrees = max(1, (seeds - 1) * (corpora - 1))
    residual = float((residuals**2).sum()) / degrees
    of_seeds = corpora * float(by_seed.var(ddof=1))
    of_corpora = seeds * float(by_corpus.var(ddof=1)) if corpora > 1 else 0.0
    return (
        VarianceComponent(max(0.0, of_seeds - residual) / values.size, seeds - 1),
        VarianceComponent(max(0.0, of_corpora - residual) / values.size, max(1, corpora - 1)),
        VarianceComponent(residual / values.size, degrees),
    )


def _half_width(
    components: tuple[VarianceComponent, ...], largest: float
) -> Callable[[float], float]:
    """Return the function from a level of confidence to half the width of the interval."""
    from scipy.special import stdtrit

    def half_width(level: float) -> float:
        squares = (stdtrit(degrees, (1 + level) / 2) ** 2 * part for part, degrees in components)
        half = math.sqrt(math.fsum(squares))
        return half if half > 1e-9 * largest else 0.0  # less is rounding of equal values

    return half_width


def _p_value(mean: float, half_width: Callable[[float], float]) -> float | None:
    """Return 1 − the level at which the interval just touches 0."""
    from scipy.optimize import brentq

    if half_width(CONFIDENCE) == 0:
        return None
    if half_width(1 - SMALLEST_P) < abs(mean):
        return SMALLEST_P
    return float(brentq(lambda p: half_width(1 - p) - abs(mean), SMALLEST_P, 1))
