"""Means of inner products of paired rows: their moments and bands over pairings."""

import torch
from torch import Tensor

from alignscope.similarity.measures.lengths import Lengths
from alignscope.similarity.measures.memo import Memoized, memoize
from alignscope.similarity.measures.null import (
    NO_LENGTHS,
    LengthColumns,
    length_columns,
    quantile_interval,
)


class RowMatrix(Memoized):
    """Rows (n, d) whose inner products with other rows are averaged, and their moments."""

    def __init__(self, rows: Tensor) -> None:
        super().__init__()
        self.rows = rows

    @property
    @memoize
    def mean(self) -> Tensor:
        """The mean row, (d,)."""
        return self.rows.mean(0)

    @property
    @memoize
    def scatter(self) -> Tensor:
        """The products of the centred columns, (d, d)."""
        centred = self.rows - self.mean
        return centred.T @ centred


def mean_moments(x: RowMatrix, y: RowMatrix) -> tuple[float, float]:
    """Return the mean and variance over all pairings π of the mean over rows i of x_i · y_π(i).

    Both are exact (Hoeffding 1951, theorem 2).
    """
    n = len(x.rows)
    squares = float(x.scatter.flatten() @ y.scatter.flatten())
    return float(x.mean @ y.mean), max(0.0, squares) / ((n - 1) * n * n)


def mean_length_band(
    x: RowMatrix, y: RowMatrix, lengths: Lengths | None, scale: float = 1.0
) -> LengthColumns:
    """Return the band of the mean over rows i of x_i · y_π(i) over pairings of equal length.

    Args:
        x: the rows of the source.
        y: those of the target.
        lengths: the lengths of the rows, or None.
        scale: the factor of the mean.
    """
    if lengths is None:
        return NO_LENGTHS
    members = lengths.members.to(x.rows.device).T
    products = torch.stack([(x.rows * y.rows[rows]).sum(1) for rows in members], dim=1).cpu()
    means = products.gather(1, lengths.position[lengths.pairings]).mean(0)
    return length_columns(quantile_interval(scale * means), lengths)
