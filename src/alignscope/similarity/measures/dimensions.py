"""Dimensions that hold much of the variance, and what remains of a value without them.

In many encoders one or a few dimensions vary far more than all others (Timkey & van Schijndel
2021). CKA weighs a dimension by the square of its variance, so it can be high because both sides
share one such dimension.
"""

import warnings
from typing import NamedTuple

import torch
from torch import Tensor

from alignscope._util.confidence import OUTLIER_MARGIN
from alignscope.similarity.measures.estimate import Estimate
from alignscope.similarity.measures.hsic import hsic, self_hsic
from alignscope.similarity.measures.kernels import Kernel
from alignscope.similarity.measures.memo import memoize

LEAST_WIDTH = 32
"""Dimensions below which every single one matters, so that there is no warning."""


class OutlierDimensionWarning(UserWarning):
    """CKA falls by more than `OUTLIER_MARGIN` without the largest dimension of each side.

    Sides of fewer than `LEAST_WIDTH` dimensions get no warning.
    """


class _Largest(NamedTuple):
    share: float
    column: Kernel
    without: float
    """The unbiased HSIC of the side with itself, without the column."""


@memoize
def effective_rank(kernel: Kernel) -> float | None:
    """Return the participation ratio (Σλ)² / Σλ² of the eigenvalues λ of the covariance.

    Σλ² is estimated without bias, so that the value does not depend on the number of rows. It is
    None if that estimate is not positive.
    """
    n, squares = len(kernel), self_hsic(kernel, True)
    if squares <= 0:
        return None
    trace = float(kernel.diagonal.sum()) / (n - 1)
    return trace**2 / (squares / (n * (n - 3)))


def outlier_columns(x: Kernel, y: Kernel) -> dict[str, float | None]:
    """Return the columns about large dimensions of two linear kernels.

    Returns:
        The share of each side's variance in its largest dimension, the effective rank of each side,
        and the debiased CKA without the largest dimension of either side.
    """
    left, right = _largest(x), _largest(y)
    u, v = left.column, right.column
    # Without a column u the kernel is K − uuᵀ, and HSIC is bilinear.
    between = hsic(x, y, True) - hsic(u, y, True) - hsic(x, v, True) + hsic(u, v, True)
    scale = left.without * right.without
    ranks = effective_rank(x), effective_rank(y)
    return {
        "source_largest": left.share,
        "target_largest": right.share,
        "source_rank": ranks[0],
        "target_rank": ranks[1],
        "without_largest": between / scale**0.5 if min(left.without, right.without) > 0 else None,
    }


@memoize
def _largest(kernel: Kernel) -> _Largest:
    assert kernel.rows is not None
    variances = kernel.rows.square().sum(0, dtype=torch.float64)
    column = _column_kernel(kernel.rows[:, int(variances.argmax())])
    without = self_hsic(kernel, True) - 2 * hsic(kernel, column, True) + self_hsic(column, True)
    return _Largest(float(variances.max() / variances.sum()), column, without)


def _column_kernel(column: Tensor) -> Kernel:
    squares = column.double().square()
    return Kernel(squares, -squares, rows=column[:, None])  # the column is centred


def depends_on_largest(estimate: Estimate, width: int) -> bool:
    """Return whether `OutlierDimensionWarning` is due for CKA of sides with ``width`` columns."""
    if estimate.without_largest is None or width < LEAST_WIDTH:
        return False
    return estimate.value - estimate.without_largest > OUTLIER_MARGIN


def warn_outliers(name: str, layer: int, value: float, without: float) -> None:
    """Warn (`OutlierDimensionWarning`) about CKA that is due to the largest dimensions.

    Args:
        name: the target.
        layer: the layer, 0 for the embeddings.
        value: debiased CKA.
        without: debiased CKA without the largest dimension of either side.
    """
    warnings.warn(
        f"CKA with {name} at layer {layer} is {value:.2f}, but {without:.2f} without the largest "
        "dimension of each side. Read the column without_largest, or a measure that weighs "
        "dimensions equally, such as anc.",
        OutlierDimensionWarning,
        stacklevel=3,
    )
