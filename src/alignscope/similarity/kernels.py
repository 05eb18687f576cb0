"""Kernels: how alike every row of a side is to every other, as far as comparisons need it.

A comparison of two kernels K and L asks how alike they are entry by entry. All of it follows from
their diagonals, the sums of their rows, and `shared`: row by row the sum of products of entries.
Where there are more rows than features that comes from products of features, and no n × n matrix
is ever made.
"""

from collections.abc import Callable, Iterator
from functools import cached_property, wraps
from typing import TypeVar
from weakref import WeakKeyDictionary

import torch
from scipy.stats import rankdata
from torch import Tensor

from alignscope.errors import SimilarityError
from alignscope.similarity.sides import CONSTANT

Result = TypeVar("Result")

CHUNK = 4096
"""Rows multiplied at a time: sums over more of them in single precision lose digits."""


class Kernel:
    """A symmetric kernel of n rows; ``diagonal`` and ``sums`` (of rows without it) are (n,).

    ``rows`` (n, d) are the features whose products it holds, or None where there are none. What is
    multiplied keeps the precision of the rows, sums over rows are in double.
    """

    def __init__(self, diagonal: Tensor, sums: Tensor, rows: Tensor | None = None) -> None:
        self.diagonal, self.sums, self.rows = diagonal, sums, rows

    def __len__(self) -> int:
        return len(self.diagonal)

    @cached_property
    def strips(self) -> tuple[Tensor, ...]:
        """The upper triangle: for some rows at a time, their entries from their own column on."""
        rows = self._features()
        return tuple(rows[i : i + step] @ rows[i:].T for i, step in _steps(len(rows)))

    @cached_property
    def own(self) -> Tensor:
        """What the kernel shares with itself, (n,)."""
        return shared(self, self)

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
        if self.rows is not None:
            return (self.rows @ (self.rows.T @ columns.to(self.rows.dtype))).double()
        total, start = torch.zeros_like(columns), 0
        for strip in self.strips:
            end = start + len(strip)
            total[start:end] += strip @ columns[start:]
            total[end:] += strip[:, len(strip) :].T @ columns[start:end]
            start = end
        return total


def once(function: Callable[..., Result]) -> Callable[..., Result]:
    """Compute what concerns one kernel alone (the first argument) once, as long as it lives."""
    known: WeakKeyDictionary[Kernel, dict[object, Result]] = WeakKeyDictionary()

    @wraps(function)
    def remembered(kernel: Kernel, *arguments: object) -> Result:
        results = known.setdefault(kernel, {})
        if arguments not in results:
            results[arguments] = function(kernel, *arguments)
        return results[arguments]

    return remembered


def linear_kernel(side: Tensor) -> Kernel:
    """The products of all pairs of rows (n, d), every column's mean taken off."""
    rows = side - side.mean(0)  # nearly is enough: what is left of the mean is in the sums
    diagonal = torch.linalg.vecdot(rows, rows).double()
    return Kernel(diagonal, (rows @ rows.sum(0)).double() - diagonal, rows)


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
    kernel = Kernel(diagonal, matrix.sum(1) - diagonal)
    kernel.strips = tuple(matrix[i : i + step, i:] for i, step in _steps(len(matrix)))
    return kernel


def _steps(n: int) -> Iterator[tuple[int, int]]:
    """Where strips begin, and their height: five of them, so that little is multiplied twice."""
    height = max(1, -(-n // 5))
    return ((start, height) for start in range(0, n, height))


def shared(x: Kernel, y: Kernel) -> Tensor:
    """Row by row, (n,): the sum over all other rows j of the product of entries i, j."""
    if _by_features(x, y):
        return _shared_features(x, y)
    total, start = torch.zeros_like(x.diagonal), 0
    for one, other in zip(x.strips, y.strips, strict=True):
        both, end = one * other, start + len(one)
        total[start:end] += both.sum(1)
        total[end:] += both[:, len(one) :].sum(0)
        start = end
    return total - x.diagonal * y.diagonal


def trace(x: Kernel, y: Kernel) -> Tensor:
    """The sum of `shared` over all rows, which costs less."""
    if _by_features(x, y):
        return cross(x, y).square().sum() - x.diagonal @ y.diagonal
    total = -(x.diagonal @ y.diagonal)
    for one, other in zip(x.strips, y.strips, strict=True):
        height = len(one)
        twice = torch.linalg.vecdot(one[:, :height], other[:, :height]).double().sum()
        total += 2 * torch.linalg.vecdot(one, other).double().sum() - twice
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
