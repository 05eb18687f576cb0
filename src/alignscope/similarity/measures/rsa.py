"""Representational similarity analysis: are the same pairs of rows dissimilar on both sides?"""

import math

from torch import Tensor

from alignscope.similarity.measures.cka import kernel_band
from alignscope.similarity.measures.estimate import Estimate
from alignscope.similarity.measures.inputs import Array, as_pair
from alignscope.similarity.measures.intervals import jackknife
from alignscope.similarity.measures.kernels import (
    Kernel,
    frobenius_inner,
    rank_kernel,
    rowwise_inner,
)


def rsa(left: Array, right: Array) -> float:
    """Return representational similarity analysis (Kriegeskorte et al. 2008).

    >>> import torch
    >>> x = torch.randn(100, 8)
    >>> round(rsa(x, x), 6)
    1.0

    The value is Spearman's correlation, over all pairs of rows, of the dissimilarities on one side
    with those on the other; dissimilarity is 1 - Pearson's correlation of two rows. Memory grows
    with n².

    Args:
        left: one side, (n, d).
        right: the other side, (n, e).

    Raises:
        SimilarityError: if there are fewer than 4 rows, numbers of rows differ, a value is not
            finite, or all pairs of a side are equally dissimilar.
    """
    # The columns are not centred: that would be another measure.
    x, y = (rank_kernel(side) for side in as_pair(left, right, "RSA", least=4))
    return _correlation(x, y)


def rsa_estimates(x: Kernel, y: Kernel) -> list[Estimate]:
    """Return the RSA of two rank kernels, with interval and null.

    The interval keeps the ranks of all pairs when it leaves a row out.
    """
    value, scale = _correlation(x, y), _scale(x, y)
    return [Estimate("plain", value, *_interval(x, y, value), *kernel_band(x, y, scale))]


def _correlation(x: Kernel, y: Kernel) -> float:
    return float(frobenius_inner(x, y)) / _scale(x, y)


def _scale(x: Kernel, y: Kernel) -> float:
    return math.sqrt(float(x.self_inner.sum() * y.self_inner.sum()))


def _interval(x: Kernel, y: Kernel, value: float) -> tuple[float, float]:
    """Return the jackknife interval, from the correlations of the ranks without each row."""
    pairs = (len(x) - 1) * (len(x) - 2)

    def covariance_without_each(a: Kernel, b: Kernel) -> Tensor:
        inner = a.self_inner if a is b else rowwise_inner(a, b)
        sums = a.sums.sum() - 2 * a.sums, b.sums.sum() - 2 * b.sums
        return inner.sum() - 2 * inner - sums[0] * sums[1] / pairs

    spread = (covariance_without_each(x, x) * covariance_without_each(y, y)).sqrt()
    return jackknife(value, covariance_without_each(x, y) / spread)
