"""The mean of values per seed and group, with a confidence interval over both."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from alignscope._util.confidence import CONFIDENCE
from alignscope.analysis.arrays import Values
from alignscope.analysis.moderation import VarianceEstimate

SMALLEST_P = 1e-12
_ROUNDING = 1e-9
"""Standard errors below this fraction of the largest value are rounding of equal values."""


@dataclass(frozen=True)
class MeanEstimate:
    """A mean with its standard error, which has Student's distribution.

    >>> estimate = MeanEstimate(0.3, 0.1, 4)
    >>> round(estimate.low, 3), round(estimate.high, 3), round(estimate.p, 3)
    (0.022, 0.578, 0.04)

    ``error`` and ``degrees`` are None if the values cannot say how much the mean varies, for
    example with a single seed. ``p`` is then None, too, and also if nothing varies.
    """

    mean: float
    error: float | None = None
    degrees: float | None = None

    @property
    def low(self) -> float | None:
        """The lower end of the 95 % CI."""
        half = self._half_width()
        return None if half is None else self.mean - half

    @property
    def high(self) -> float | None:
        """The upper end of the 95 % CI."""
        half = self._half_width()
        return None if half is None else self.mean + half

    @property
    def p(self) -> float | None:
        """The two-sided p-value of the mean being 0."""
        if not self.error:
            return None
        return min(1.0, 2 * min(self.p_beyond(0, below=True), self.p_beyond(0, below=False)))

    def p_beyond(self, threshold: float, *, below: bool) -> float:
        """Return the one-sided p-value of the hypothesis that the mean is beyond a threshold.

        A small value is evidence for the mean being below the threshold, or above it. The value is
        1 if there is no standard error.

        Args:
            threshold: the threshold, in the unit of the mean.
            below: whether the hypothesis is that the mean is below the threshold.
        """
        from scipy.special import stdtr

        if self.error is None or self.degrees is None:
            return 1.0
        distance = self.mean - threshold if below else threshold - self.mean
        if self.error == 0:
            return SMALLEST_P if distance < 0 else 1.0
        return max(SMALLEST_P, float(stdtr(self.degrees, distance / self.error)))

    def _half_width(self) -> float | None:
        from scipy.special import stdtrit

        if self.error is None or self.degrees is None:
            return None
        return float(stdtrit(self.degrees, (1 + CONFIDENCE) / 2)) * self.error


def two_way_mean(
    values: Values,
    seeds: VarianceEstimate | None = None,
    other: Sequence[VarianceEstimate] = (),
) -> MeanEstimate:
    """Return the mean of values with an interval that generalises to other seeds and groups.

    >>> import numpy as np
    >>> estimate = two_way_mean(np.array([[0.1, 0.3], [0.2, 0.5]]))
    >>> round(estimate.mean, 3)
    0.275

    Args:
        values: one value per seed and group, of shape (seeds, groups). Groups are families of
            languages, or corpora that are independent samples.
        seeds: the variance over seeds of one seed's mean over groups, for example moderated
            (`moderate_variances`). Default: the variance of these values.
        other: further contributions to the variance of the mean, such as that of the corpora whose
            mean was subtracted from ``values``.

    Returns:
        The estimate. It has no standard error with a single seed. With a single group, the interval
        generalises to other seeds only.

    Notes:
        Seeds and groups are both samples (two-way random effects). The variance of the mean is the
        sum of two estimates: the variance of the groups' means divided by their number, which
        contains the residual, and the variance over seeds divided by their number. Their sum has
        the degrees of freedom of Satterthwaite (1946).
    """
    count, groups = values.shape
    mean = float(values.mean())
    if count < 2:
        return MeanEstimate(mean)
    if seeds is None:
        seeds = VarianceEstimate(float(values.mean(1).var(ddof=1)), count - 1)
    parts = [VarianceEstimate(seeds.variance / count, seeds.degrees), *other]
    if groups > 1:
        of_groups = float(values.mean(0).var(ddof=1)) / groups
        parts.append(VarianceEstimate(of_groups, groups - 1))
    return estimate_from_parts(mean, parts, largest=float(abs(values).max()))


def estimate_from_parts(
    mean: float, parts: Sequence[VarianceEstimate], largest: float
) -> MeanEstimate:
    """Return a mean whose variance is the sum of independent parts (Satterthwaite 1946).

    Args:
        mean: the mean.
        parts: the contributions to the variance of the mean. If one is infinite, because it cannot
            be estimated, the mean has no standard error.
        largest: the largest absolute value in the mean; a standard error far below it is rounding.
    """
    variance = math.fsum(part.variance for part in parts)
    if math.isinf(variance):
        return MeanEstimate(mean)
    error = math.sqrt(variance)
    if error <= _ROUNDING * largest:
        return MeanEstimate(mean, 0.0, math.fsum(part.degrees for part in parts))
    squares = math.fsum(part.variance**2 / part.degrees for part in parts)
    return MeanEstimate(mean, error, variance**2 / squares)
