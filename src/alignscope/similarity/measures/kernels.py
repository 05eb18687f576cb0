"""Kernels: the similarity of every row of a side to every other row.

A comparison of two kernels K and L needs three things: their diagonals, the sums of their rows, and
`rowwise_inner`, the sum over j of K_ij L_ij for every row i. If there are more than twice as many
rows as features, `rowwise_inner` follows from products of features, and no n × n matrix is built.
"""

import math
from collections.abc import Iterator

import torch
from scipy.stats import rankdata
from torch import Tensor

from alignscope.errors import SimilarityError
from alignscope.similarity.measures.context import Documents
from alignscope.similarity.measures.inputs import CONSTANT
from alignscope.similarity.measures.memo import Memoized, memoize

CHUNK = 4096
"""Rows multiplied at once: longer sums in single precision lose digits."""
WIDTH = 128
"""Columns of a strip of a kernel. Narrow strips compute few entries of the upper triangle, and BLAS
is fast at tall products of at least about this width."""
SUMMED = 1024
"""Products summed in the precision of the rows before the sums are added up in double precision."""


class Kernel(Memoized):
    """A symmetric kernel of n rows, given by its features or by its matrix.

    Products keep the precision of the rows; sums over rows are in double precision.

    Args:
        diagonal: the diagonal of the kernel, (n,).
        sums: the sum of every row of the kernel without its diagonal entry, (n,).
        rows: the features (n, d) whose inner products are the kernel's entries.
        matrix: the kernel itself, (n, n), if it has no features.
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
        """The lower triangle of the kernel as a list of numbers, for sums of products.

        A kernel is symmetric, so half of its entries decide every sum. The columns are cut into
        strips of `WIDTH`; the strip that begins at column s holds rows s to n - 1 of its columns::

            n = 6, WIDTH = 2      ■ □ . . . .      ■ the square on the diagonal: both triangles
                                  □ ■ . . . .      x below the square: lower triangle only
                                  x x ■ □ . .      . not computed
                                  x x □ ■ . .
                                  x x x x ■ □
                                  x x x x □ ■

        The square at the top of a strip contains entries of both triangles. Its entries are scaled
        by √½, so that their products count half: the sum of products of the ``entries`` of two
        kernels is half of the sum of products of all entries of the kernels, the diagonal included.

        The numbers fill rows of `SUMMED`, and zeros fill up the last row: each row is summed in
        the precision of the features, and only then in double precision.
        """
        n, source = len(self), self._features() if self.matrix is None else self.matrix
        count = sum((n - start) * width for start, width in _strips(n))
        entries = source.new_empty(-(-count // SUMMED), SUMMED)
        entries.view(-1)[count:] = 0
        for (start, width), strip in strips(entries, n):
            if self.matrix is None:
                torch.mm(source[start:], source[start : start + width].T, out=strip)
            else:
                strip.copy_(source[start:, start : start + width])
            strip[:width] *= math.sqrt(0.5)
        return entries

    @property
    @memoize
    def self_inner(self) -> Tensor:
        """The `rowwise_inner` of the kernel with itself, (n,)."""
        return rowwise_inner(self, self)

    @property
    def width(self) -> float:
        """The number of features; infinite if the kernel has none."""
        return float("inf") if self.rows is None else self.rows.shape[1]

    def _features(self) -> Tensor:
        if self.rows is None:
            raise ValueError("This kernel has no features.")
        return self.rows

    def matvec_offdiag(self, vector: Tensor) -> Tensor:
        """Multiply the kernel without its diagonal by a vector (n,)."""
        return self.product(vector[:, None])[:, 0] - self.diagonal * vector

    def product(self, columns: Tensor) -> Tensor:
        """Multiply the whole kernel by columns (n, k), in double precision."""
        if self.matrix is not None:
            return self.matrix @ columns
        rows = self._features()
        return (rows @ (rows.T @ columns.to(rows.dtype))).double()

    def pairs(self, first: Tensor, second: Tensor) -> Tensor:
        """Return the entries of pairs of rows, in double precision.

        Args:
            first: one row of each pair, (m,).
            second: the other row, (m,).
        """
        first, second = first.to(self.diagonal.device), second.to(self.diagonal.device)
        if self.matrix is not None:
            return self.matrix[first, second].double()
        rows = self._features()
        parts = [
            (rows[i].double() * rows[j]).sum(1)
            for i, j in zip(_chunks(first), _chunks(second), strict=True)
        ]
        return torch.cat(parts)

    def sums_over(self, documents: Documents) -> Tensor:
        """Return the sum of each row over the columns of each document, (n, documents)."""
        if self.matrix is not None:
            return documents.sum(self.matrix).T.contiguous()
        rows = self._features()
        return (rows @ documents.sum(rows).T).double()


def strips(entries: Tensor, n: int) -> Iterator[tuple[tuple[int, int], Tensor]]:
    """Yield first column, width and content of each strip of the ``entries`` of n rows."""
    flat, begin = entries.view(-1), 0
    for start, width in _strips(n):
        end = begin + (n - start) * width
        yield (start, width), flat[begin:end].view(n - start, width)
        begin = end


def _strips(n: int) -> Iterator[tuple[int, int]]:
    return ((start, min(WIDTH, n - start)) for start in range(0, n, WIDTH))


def linear_kernel(side: Tensor) -> Kernel:
    """Return the inner products of all pairs of rows of a side (n, d) with centred columns."""
    rows = side - side.mean(0)
    diagonal = torch.linalg.vector_norm(rows, dim=1).double().square()
    return Kernel(diagonal, -diagonal, rows=rows)  # rows of a centred kernel sum to 0


def gaussian_kernel(side: Tensor) -> Kernel:
    """Return the centred Gaussian kernel of Kornblith et al. 2019, section 4.

    Its entries are exp(-distance² / (2 sigma²)), centred, with sigma² the median of the squared
    distances above zero, as in the code released by Muller et al. 2021. Memory grows with n².

    Raises:
        SimilarityError: if all rows are equal.
    """
    rows = side.double() - side.mean(0, dtype=torch.float64)
    squares = rows.square().sum(1)
    distances = (squares[:, None] + squares - 2 * rows @ rows.T).clamp(min=0).fill_diagonal_(0)
    # Rounding leaves a small distance between equal rows; it counts as zero.
    apart = distances[distances > 1e-12 * squares.max()]
    if not len(apart):
        raise SimilarityError(CONSTANT.format("CKA"))
    median = (apart.median() - (-apart).median()) / 2  # the mean of the middle two
    kernel = (-distances / (2 * median)).exp()
    return _dense(kernel - kernel.mean(0) - kernel.mean(1, keepdim=True) + kernel.mean())


def rank_kernel(side: Tensor) -> Kernel:
    """Return the centred ranks of the dissimilarities of all pairs of rows.

    Dissimilarity is 1 - Pearson's correlation of two rows; the diagonal is 0. Memory grows with n².

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
    """Return, for every row i, the sum over j ≠ i of the products of entries i, j, (n,)."""
    if _features_are_cheaper(x, y):
        return _rowwise_inner_by_features(x, y)
    total = torch.zeros_like(x.diagonal)
    for (start, width), products in strips(x.entries * y.entries, len(x)):
        total[start:] += products.sum(1)
        total[start : start + width] += products.sum(0)
    return total - x.diagonal * y.diagonal


def frobenius_inner(x: Kernel, y: Kernel) -> Tensor:
    """Return the sum of `rowwise_inner` over all rows, at lower cost."""
    if _features_are_cheaper(x, y):
        return cross(x, y).square().sum() - x.diagonal @ y.diagonal
    if x is y:
        half = torch.linalg.vector_norm(x.entries, dim=1).double().square()
    else:
        half = torch.linalg.vecdot(x.entries, y.entries).double()
    total: Tensor = 2 * half.sum() - x.diagonal @ y.diagonal
    return total


def cross(x: Kernel, y: Kernel) -> Tensor:
    """Return the products of the features of two kernels, (d, e), in double precision."""
    left, right = x._features(), y._features()
    total = torch.zeros(left.shape[1], right.shape[1], dtype=torch.float64, device=left.device)
    for part, counterpart in zip(_chunks(left), _chunks(right), strict=True):
        total += part.T @ counterpart
    return total


def _features_are_cheaper(x: Kernel, y: Kernel) -> bool:
    """Whether products of features cost less than products of rows."""
    return len(x) > 2 * min(x.width, y.width)


def _rowwise_inner_by_features(x: Kernel, y: Kernel) -> Tensor:
    left, right = x._features(), y._features()
    product = cross(x, y).to(left.dtype)
    parts = [
        ((part @ product) * counterpart).sum(1, dtype=torch.float64)
        for part, counterpart in zip(_chunks(left), _chunks(right), strict=True)
    ]
    return torch.cat(parts) - x.diagonal * y.diagonal


def _chunks(rows: Tensor) -> tuple[Tensor, ...]:
    return torch.split(rows, CHUNK)
