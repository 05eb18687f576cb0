"""Average neuron-wise correlation: do the same neurons encode the same on both sides?"""

import torch
from torch import Tensor

from alignscope.similarity.measures.context import NO_CONTEXT, Context
from alignscope.similarity.measures.estimate import Estimate
from alignscope.similarity.measures.inputs import Array, as_pair, center, rounding_tolerance
from alignscope.similarity.measures.intervals import correlation_influence, influence_spread
from alignscope.similarity.measures.null import normal_null
from alignscope.similarity.measures.row_means import RowMatrix, mean_length_band, mean_moments


def anc(left: Array, right: Array) -> float:
    """Return the average neuron-wise correlation (Del & Fishel 2022).

    >>> import torch
    >>> x = torch.randn(100, 8)
    >>> round(anc(x, x), 6)
    1.0

    The value is the mean over columns of Pearson's correlation of column i of both sides. The
    *same* neurons have to encode the same, so a rotation of one side lowers the value; CKA would
    stay the same. A neuron that is constant on a side counts 0.

    Args:
        left: one side, (n, d).
        right: the other side, (n, d).

    Returns:
        A number between -1 and 1; about 0 for independent sides.

    Raises:
        SimilarityError: if the shapes differ, there are fewer than 2 rows, a value is not finite
            or a side is constant.
    """
    sides = zip(as_pair(left, right, "ANC", same_width=True), (left, right), strict=True)
    x, y = (standardise_columns(side, rounding_tolerance(array)) for side, array in sides)
    return float(_column_correlations(x, y).mean())


def standardise_columns(side: Tensor, tolerance: float | None = None) -> RowMatrix:
    """Centre the columns of a side (n, d) and scale them to norm 1; constant columns become 0.

    ``tolerance`` is the relative `rounding_tolerance` of the array that the side came from.
    """
    tolerance = tolerance or rounding_tolerance(side)
    columns = center(side, "ANC", tolerance)
    # Centring a constant neuron leaves rounding errors, which scaling would blow up.
    varies = columns.abs().amax(0) > tolerance * side.abs().amax(0)
    columns = torch.where(varies, columns, 0.0)
    return RowMatrix(torch.nn.functional.normalize(columns, dim=0))


def anc_estimates(x: RowMatrix, y: RowMatrix, context: Context = NO_CONTEXT) -> list[Estimate]:
    """Return the ANC of two sides, with an interval and a normal null with exact moments."""
    correlations, (n, d) = _column_correlations(x, y), x.rows.shape
    influence = correlation_influence(x.rows, y.rows, correlations).mean(1)
    value = float(correlations.mean())
    mean, variance = mean_moments(x, y)
    null = normal_null(mean * n / d, variance * (n / d) ** 2)
    spread = influence_spread(influence, context.documents)
    controls = mean_length_band(x, y, context.lengths, n / d)
    ends = spread.around(value)
    return [Estimate("plain", value, *ends, *null, **spread.columns, **controls)]


def _column_correlations(x: RowMatrix, y: RowMatrix) -> Tensor:
    return (x.rows * y.rows).sum(0)
