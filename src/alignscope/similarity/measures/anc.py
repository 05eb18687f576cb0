"""Average neuron-wise correlation: do the same neurons do the same?"""

import torch
from torch import Tensor

from alignscope.similarity.measures.estimate import Estimate
from alignscope.similarity.measures.inputs import Array, as_pair, center, rounding_tolerance
from alignscope.similarity.measures.intervals import correlation_influence, infinitesimal_jackknife
from alignscope.similarity.measures.null import RowMatrix, mean_moments, normal_null


def anc(left: Array, right: Array) -> float:
    """Return the average neuron-wise correlation (Del & Fishel 2022).

    >>> x = torch.randn(100, 8)
    >>> round(anc(x, x), 6)
    1.0

    The mean over columns of Pearson's correlation of column i of ``left`` (n, d) with column i of
    ``right`` (n, d): it asks whether the *same* neurons do the same, so unlike CKA a rotation of
    one side lowers it. About 0 for independent sides, between -1 and 1. A neuron that is constant
    on a side correlates with nothing and counts 0.

    Raises:
        SimilarityError: if the shapes differ, there are fewer than 2 rows, a value is not finite
            or a side does not vary.
    """
    both = zip(as_pair(left, right, "ANC", same_width=True), (left, right), strict=True)
    x, y = (standardise_columns(side, rounding_tolerance(given)) for side, given in both)
    return float(_correlations(x, y).mean())


def standardise_columns(side: Tensor, relative: float | None = None) -> RowMatrix:
    """Centre the columns of a side (n, d) and scale them to norm 1."""
    relative = relative or rounding_tolerance(side)
    columns = center(side, "ANC", relative)
    # Where a neuron is constant, centring leaves rounding, which would be scaled up.
    varies = columns.abs().amax(0) > relative * side.abs().amax(0)
    columns = torch.where(varies, columns, 0.0)
    return RowMatrix(torch.nn.functional.normalize(columns, dim=0))


def anc_estimates(x: RowMatrix, y: RowMatrix) -> list[Estimate]:
    """Return the ANC of two sides, with interval and the normal null of its exact moments."""
    correlations, (n, d) = _correlations(x, y), x.rows.shape
    influence = correlation_influence(x.rows, y.rows, correlations).mean(1)
    value = float(correlations.mean())
    mean, variance = mean_moments(x, y)
    null = normal_null(mean * n / d, variance * (n / d) ** 2)
    return [Estimate("plain", value, *infinitesimal_jackknife(value, influence), *null)]


def _correlations(x: RowMatrix, y: RowMatrix) -> Tensor:
    return (x.rows * y.rows).sum(0)
