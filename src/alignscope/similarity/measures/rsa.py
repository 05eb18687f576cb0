"""Representational similarity analysis: are the same pairs of rows dissimilar on both sides?"""

import math

from torch import Tensor

from alignscope.similarity.measures.cka import kernel_band
from alignscope.similarity.measures.context import NO_CONTEXT, Context, Documents
from alignscope.similarity.measures.estimate import Estimate
from alignscope.similarity.measures.inputs import Array, as_pair
from alignscope.similarity.measures.intervals import Spread, jackknife_spread
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


def rsa_estimates(x: Kernel, y: Kernel, context: Context = NO_CONTEXT) -> list[Estimate]:
    """Return the RSA of two rank kernels, with interval and null.

    The interval keeps the ranks of all pairs when it leaves a row or a document out.
    """
    value, scale = _correlation(x, y), _scale(x, y)
    spread = _spread(x, y, context.documents)
    ends, band = spread.around(value), kernel_band(x, y, scale)
    return [Estimate("plain", value, *ends, *band, **spread.columns)]


def _correlation(x: Kernel, y: Kernel) -> float:
    return float(frobenius_inner(x, y)) / _scale(x, y)


def _scale(x: Kernel, y: Kernel) -> float:
    return math.sqrt(float(x.self_inner.sum() * y.self_inner.sum()))


def _spread(x: Kernel, y: Kernel, documents: Documents | None) -> Spread:
    """Return the jackknife, from the correlations of the ranks without each row or document."""

    def covariance_without(a: Kernel, b: Kernel) -> Tensor:
        inner = a.self_inner if a is b else rowwise_inner(a, b)
        n, total = len(a), inner.sum()
        if documents is None:
            sums = a.sums.sum() - 2 * a.sums, b.sums.sum() - 2 * b.sums
            return total - 2 * inner - sums[0] * sums[1] / ((n - 1) * (n - 2))
        left = n - documents.sizes.to(inner.device)
        inside = [documents.sum_pairs(side) for side in _within(a, b, documents)]
        sums = (
            a.sums.sum() - 2 * documents.sum(a.sums) + inside[0],
            b.sums.sum() - 2 * documents.sum(b.sums) + inside[1],
        )
        products = total - 2 * documents.sum(inner) + inside[2]
        return products - sums[0] * sums[1] / (left * (left - 1))

    spread = (covariance_without(x, x) * covariance_without(y, y)).sqrt()
    return jackknife_spread(covariance_without(x, y) / spread, documents)


def _within(a: Kernel, b: Kernel, documents: Documents) -> tuple[Tensor, Tensor, Tensor]:
    """Return the entries of pairs of rows of one document, of both kernels and their products."""
    left, right = a.pairs(*documents.pairs), b.pairs(*documents.pairs)
    return left, right, left * right
