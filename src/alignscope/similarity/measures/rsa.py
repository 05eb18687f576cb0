"""Representational similarity analysis: are the same pairs of rows far apart?"""

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

    Spearman's correlation, over all pairs of rows, of how dissimilar the two are on one side with
    how dissimilar they are on the other; dissimilarity is 1 - Pearson's correlation of the rows.
    Memory grows with n².

    Raises:
        SimilarityError: if there are fewer than 4 rows, or numbers of rows that differ, a value is
            not finite, or all pairs of a side are equally dissimilar.
    """
    # Rows are compared as they are: centring them by column as well would be another measure.
    x, y = (rank_kernel(side) for side in as_pair(left, right, "RSA", least=4))
    return _correlation(x, y)


def rsa_estimates(x: Kernel, y: Kernel) -> list[Estimate]:
    """Return the RSA of two kernels of ranks, with interval and null; ranks are not made anew."""
    value, scale = _correlation(x, y), _scale(x, y)
    return [Estimate("plain", value, *_interval(x, y, value), *kernel_band(x, y, scale))]


def _correlation(x: Kernel, y: Kernel) -> float:
    return float(frobenius_inner(x, y)) / _scale(x, y)


def _scale(x: Kernel, y: Kernel) -> float:
    return math.sqrt(float(x.own.sum() * y.own.sum()))


def _interval(x: Kernel, y: Kernel, value: float) -> tuple[float, float]:
    """The jackknife: Pearson's correlation of the ranks of all pairs without row i, for every i."""
    pairs = (len(x) - 1) * (len(x) - 2)

    def without_each(one: Kernel, other: Kernel) -> Tensor:
        both = one.own if one is other else rowwise_inner(one, other)
        sums = one.sums.sum() - 2 * one.sums, other.sums.sum() - 2 * other.sums
        return both.sum() - 2 * both - sums[0] * sums[1] / pairs

    spread = (without_each(x, x) * without_each(y, y)).sqrt()
    return jackknife(value, without_each(x, y) / spread)
