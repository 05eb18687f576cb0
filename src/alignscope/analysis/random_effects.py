"""The mean of what is measured for every seed and every corpus, and how sure it is of both."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import stdtrit

LEVEL = 0.95


@dataclass(frozen=True)
class MeanEstimate:
    """A mean, its interval, and the p-value of its being 0; None where one seed cannot tell."""

    mean: float
    low: float | None
    high: float | None
    p: float | None


def two_way_mean(
    values: NDArray[np.float64], level: float = LEVEL, beside: NDArray[np.float64] | None = None
) -> MeanEstimate:
    """Return the mean of values (seeds × corpora) with an interval for other seeds and corpora.

    >>> found = two_way_mean(np.array([[0.1, 0.3], [0.2, 0.5]]))
    >>> round(found.mean, 3)
    0.275

    Seeds and corpora are both taken for samples: a value is a mean plus what its seed adds, what
    its corpus adds, and a rest (two-way random effects). The variances of the three come from the
    analysis of variance (Searle et al. 1992, chapter 4), and each has Student's quantile of its own
    degrees of freedom, the squares of which are added up (Graybill & Wang 1980; Zou & Donner 2008).
    With one corpus it is Student's interval over seeds.

    Where the mean over other corpora was taken off the values, ``beside`` (seeds × corpora) holds
    those, and that they are a sample is added in the same way; one of them has no interval.

    A bootstrap of seeds and corpora is what one would expect here, but the percentiles of five
    seeds hold the truth in 83 to 88 of 100 cases, and those of three in 78 to 88; these ends in 91
    or more. With two seeds it is 88 or more.
    """
    mean = float(values.mean())
    if len(values) < 2 or (beside is not None and beside.shape[1] < 2):
        return MeanEstimate(mean, None, None, None)
    parts = _parts(values)
    if beside is not None:
        parts.append(_parts(beside)[1])

    def reach(level: float) -> float:
        """Half the width of the interval."""
        squares = (stdtrit(degrees, (1 + level) / 2) ** 2 * part for part, degrees in parts)
        found = math.sqrt(math.fsum(squares))
        return found if found > 1e-9 * float(np.abs(values).max()) else 0.0

    return MeanEstimate(mean, mean - reach(level), mean + reach(level), _p_value(mean, reach))


def _parts(values: NDArray[np.float64]) -> list[tuple[float, int]]:
    """What seeds, corpora and the rest add to the variance of the mean; each one's degrees."""
    seeds, corpora = values.shape
    by_seed, by_corpus = values.mean(1, keepdims=True), values.mean(0, keepdims=True)
    rest = values - by_seed - by_corpus + values.mean()
    degrees = max(1, (seeds - 1) * (corpora - 1))
    noise = float((rest**2).sum()) / degrees
    of_seeds = corpora * float(by_seed.var(ddof=1))
    of_corpora = seeds * float(by_corpus.var(ddof=1)) if corpora > 1 else 0.0
    squares = (max(0.0, of_seeds - noise), max(0.0, of_corpora - noise), noise)
    each = (seeds - 1, max(1, corpora - 1), degrees)
    return [(square / values.size, degree) for square, degree in zip(squares, each, strict=True)]


def _p_value(mean: float, reach: Callable[[float], float]) -> float | None:
    """The level of doubt at which the interval just touches 0; None where nothing varies."""
    least = 1e-12
    if reach(LEVEL) == 0:
        return None
    if reach(1 - least) < abs(mean):
        return least
    return float(brentq(lambda p: reach(1 - p) - abs(mean), least, 1))
