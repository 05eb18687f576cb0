"""Kernels: how alike every row of a side is to every other, as far as comparisons need it.

A comparison of two kernels K and L asks how alike they are entry by entry. All of it follows from
their diagonals, the sums of their rows, and `rowwise_inner`: row by row the sum of products of
entries. Where there are more than twice as many rows as features, that sum comes from products of
features, and no n × n matrix is ever made.
"""

import math
from collections.abc import Iterator

import torch
from scipy.stats import rankdata
from torch import Tensor

from alignscope.errors import SimilarityError
from alignscope.similarity.measures.inputs import CONSTANT
from alignscope.similarity.measures.memo import Memoized, memoize

CHUNK = 4096
"""Rows multiplied at a time: sums over more of them in single precision lose digits."""
WIDTH = 128
"""Columns of a kernel multiplied at a time: the fewer, the less is computed twice; BLAS is fastest
at tall products of at least about this width."""
SUMMED = 1024
"""Products summed in the precision of the rows, before they are added up in double."""


class Kernel(Memoized):
    """A symmetric kernel of n rows; ``diagonal`` and ``sums`` (of rows without it) are (n,).

    It is made of ``rows`` (n, d), the features whose products it holds, or else it is the
    ``matrix`` (n, n). What is multiplied keeps their precision, sums over rows are in double.
    """

    def __init__(
        self,
        diagonal: Tensor,
        sums: Tensor,
        *,
        rows: Tensor | None = None,
        matrix: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.diagonal, self.sums, self.rows, self.matrix = diagonal, sums, rows, matrix

    def __len__(self) -> int:
        return len(self.diagonal)

    @property
    @memoize
    def entries(self) -> Tensor:
        """The lower triangle: strip by strip what is below, and in the square around, the diagonal.

        The squares hold both triangles, and are scaled by √½ for it: half of the sum of products of
        two kernels is the sum of products of their ``entries``. They are in rows of `SUMMED`, of
        which the last is filled up with zeros.
        """
        n, given = len(self), self._features() if self.matrix is None else self.matrix
        count = sum((n - start) * width for start, width in _strips(n))
        found = given.new_empty(-(-count // SUMMED), SUMMED)
        found.view(-1)[count:] = 0
        for (start, width), strip in strips(found, n):
            if self.matrix is None:
                torch.mm(given[start:], given[start : start + width].T, out=strip)
            else:
                strip.copy_(given[start:, start : start + width])
            strip[:width] *= math.sqrt(0.5)
        return found

    @property
    @memoize
    def own(self) -> Tensor:
        """What the kernel shares with itself, (n,)."""
        return rowwise_inner(self, self)

    @property
    def width(self) -> float:
        """Features; more than any number of rows where the kernel is not made of features."""
        return float("inf") if self.rows is None else self.rows.shape[1]

    def _features(self) -> Tensor:
        if self.rows is None:
            raise ValueError("this kernel has no features")
        return self.rows

    def times(self, vector: Tensor) -> Tensor:
        """Multiply by a vector (n,), the diagonal left out."""
        return self.product(vector[:, None])[:, 0] - self.diagonal * vector

    def product(self, columns: Tensor) -> Tensor:
        """Multiply by columns (n, k), the diagonal included; in double."""
        if self.matrix is not None:
            return self.matrix @ columns
        rows = self._features()
        return (rows @ (rows.T @ columns.to(rows.dtype))).double()


def strips(entries: Tensor, n: int) -> Iterator[tuple[tuple[int, int], Tensor]]:
    """Each strip of the ``entries`` of a kernel of n rows: its first column, its width, itself."""
    flat, begin = entries.view(-1), 0
    for start, width in _strips(n):
        end = begin + (n - start) * width
        yield (start, width), flat[begin:end].view(n - start, width)
        begin = end


def _strips(n: int) -> Iterator[tuple[int, int]]:
    return ((start, min(WIDTH, n - start)) for start in range(0, n, WIDTH))


def linear_kernel(side: Tensor) -> Kernel:
    """The products of all pairs of rows (n, d), every column's mean taken off."""
    rows = side - side.mean(0)
    diagonal = torch.linalg.vector_norm(rows, dim=1).double().square()
    return Kernel(diagonal, -diagonal, rows=rows)  # centred rows have products that sum to 0


def gaussian_kernel(side: Tensor) -> Kernel:
    """The centred Gaussian kernel of Kornblith et al. 2019, section 4; n × n memory.

    It is exp(-distance² / (2 sigma²)) with sigma² the median of the squared distances that are not
    zero, as Muller et al. 2021 released it.

    Raises:
        SimilarityError: if all rows are equal.
    """
    rows = side.double() - side.mean(0, dtype=torch.float64)
    squares = rows.square().sum(1)
    distances = (squares[:, None] + squares - 2 * rows @ rows.T).clamp(min=0).fill_diagonal_(0)
    # Two equal rows are at a distance of rounding: that is zero as well.
    apart = distances[distances > 1e-12 * squares.max()]
    if not len(apart):
        raise SimilarityError(CONSTANT.format("CKA"))
    median = (apart.median() - (-apart).median()) / 2  # of an even number: between the middle two
    kernel = (-distances / (2 * median)).exp()
    return _dense(kernel - kernel.mean(0) - kernel.mean(1, keepdim=True) + kernel.mean())


def rank_kernel(side: Tensor) -> Kernel:
    """The ranks of the dissimilarities of all pairs of rows, their mean taken off; n × n memory.

    Dissimilarity is 1 - Pearson's correlation of two rows; the diagonal is 0.

    Raises:
        SimilarityError: if all pairs are equally dissimilar.
    """
    rows = torch.nn.functional.normalize(side.double() - side.double().mean(1, keepdim=True), dim=1)
    above = torch.triu_indices(len(rows), len(rows), 1, device=rows.device)
    dissimilarities = 1 - (rows @ rows.T)[*above]
    if float(dissimilarities.max() - dissimilarities.min()) <= 1e-12:
        raise SimilarityError(CONSTANT.format("RSA"))
    ranks = torch.from_numpy(rankdata(dissimilarities.cpu().numpy())).to(rows)
    matrix = rows.new_zeros(len(rows), len(rows))
    matrix[*above] = ranks - ranks.mean()
    return _dense(matrix + matrix.T)


def _dense(matrix: Tensor) -> Kernel:
    diagonal = matrix.diagonal().clone()
    return Kernel(diagonal, matrix.sum(1) - diagonal, matrix=matrix)


def rowwise_inner(x: Kernel, y: Kernel) -> Tensor:
    """Row by row, (n,): the sum over all other rows j of the product of entries i, j."""
    if _by_features(x, y):
        return _shared_features(x, y)
    total = torch.zeros_like(x.diagonal)
    for (start, width), both in strips(x.entries * y.entries, len(x)):
        total[start:] += both.sum(1)
        total[start : start + width] += both.sum(0)
    return total - x.diagonal * y.diagonal


def frobenius_inner(x: Kernel, y: Kernel) -> Tensor:
    """The sum of `rowwise_inner` over all rows, which costs less."""
    if _by_features(x, y):
        return cross(x, y).square().sum() - x.diagonal @ y.diagonal
    if x is y:
        half = torch.linalg.vector_norm(x.entries, dim=1).double().square()
    else:
        half = torch.linalg.vecdot(x.entries, y.entries).double()
    total: Tensor = 2 * half.sum() - x.diagonal @ y.diagonal
    return total


def cross(x: Kernel, y: Kernel) -> Tensor:
    """The products of features (d, e) of two kernels that are made of them, in double."""
    left, right = x._features(), y._features()
    total = torch.zeros(left.shape[1], right.shape[1], dtype=torch.float64, device=left.device)
    for one, other in zip(_chunks(left), _chunks(right), strict=True):
        total += one.T @ other
    return total


def _by_features(x: Kernel, y: Kernel) -> bool:
    """Whether products of features are cheaper than those of rows."""
    return len(x) > 2 * min(x.width, y.width)


def _shared_features(x: Kernel, y: Kernel) -> Tensor:
    left, right = x._features(), y._features()
    product = cross(x, y).to(left.dtype)
    parts = [
        ((one @ product) * other).sum(1, dtype=torch.float64)
        for one, other in zip(_chunks(left), _chunks(right), strict=True)
    ]
    return torch.cat(parts) - x.diagonal * y.diagonal


def _chunks(rows: Tensor) -> tuple[Tensor, ...]:
    return torch.split(rows, CHUNK)
