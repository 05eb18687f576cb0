"""Null bands: where 95 % of a measure lies when the same rows are paired at random."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import torch
from scipy.special import ndtri
from torch import Tensor

from alignscope.similarity.measures.kernels import Kernel, frobenius_inner
from alignscope.similarity.measures.memo import Memoized, memoize

LEVEL = 0.95
SHUFFLES = 39
"""The range of 39 draws holds a further one in 38 of 40 cases: 95 %."""


def debiased_cka_null_sd(n: int) -> float:
    """Return the standard deviation of debiased CKA over all n! pairings of n rows.

    >>> round(debiased_cka_null_sd(1000), 5)
    0.00142

    Its mean is exactly 0 and its variance exactly 2 / (n (n - 3)), whatever the sides are: the
    unbiased HSIC is a product of matrices without diagonal whose rows sum to 0, and for such
    matrices every sum over pairs of entries is a multiple of their sum of squares.
    """
    return math.sqrt(2 / (n * (n - 3)))


def pairing_moments(x: Kernel, y: Kernel) -> tuple[float, float]:
    """Return the mean, and the variance due to rows, of the sum of products of all entries.

    Over all pairings of the rows of two kernels, that sum is what its diagonals and row sums say,
    which has these two moments, plus the product of what is left of both once these are taken off,
    which has mean 0 and `debiased_cka_null_sd`; the two are uncorrelated.
    """
    n = len(x)
    (a, r), (b, q) = ((kernel.diagonal, kernel.sums) for kernel in (x, y))
    mean = float(a.sum() * b.sum() / n + r.sum() * q.sum() / (n * (n - 1)))
    a, r, b, q = (values - values.mean() for values in (a, r, b, q))
    weight = 2 / (n - 2)
    variance = (a @ a) * (b @ b) + weight**2 * (r @ r) * (q @ q) + 2 * weight * (a @ r) * (b @ q)
    return mean, float(variance) / (n - 1)


def limit_null_draws(x: Kernel, y: Kernel) -> Tensor:
    """Draw from the limit law of the product of two kernels: mean 0, variance 1, always alike.

    For many rows it is the sum over i and j of a_i b_j (z_ij² - 1) with a and b the kernels'
    eigenvalues and z standard normal: skewed where few of them are large. What the smaller ones
    add is as good as normal.
    """
    left, right = (_spectrum(kernel) for kernel in (x, y))
    squares, others, _ = _draws()
    rest = max(0.0, 1 - float(left.square().sum() * right.square().sum()))
    chosen = squares[:, : len(left), : len(right)]
    return (chosen @ right @ left) / math.sqrt(2) + math.sqrt(rest) * others


def normal_draws() -> Tensor:
    """As many draws of a normal that has nothing to do with `limit_null_draws`, always alike."""
    return _draws()[2]


def quantile_interval(draws: Tensor, level: float = LEVEL) -> tuple[float, float]:
    """Return the quantiles of draws between which ``level`` of them lie."""
    ends = torch.tensor([(1 - level) / 2, (1 + level) / 2], dtype=draws.dtype)
    low, high = torch.quantile(draws, ends).tolist()
    return low, high


def normal_null(mean: float, variance: float, level: float = LEVEL) -> tuple[float, float]:
    """Return the band of a null that is normal, such as that of a mean over all rows."""
    reach = float(ndtri((1 + level) / 2)) * math.sqrt(variance)
    return mean - reach, mean + reach


class RowMatrix(Memoized):
    """Rows (n, d), of which the products of pairs are averaged; their moments are taken once."""

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
        """The products of columns from which the mean is taken off, (d, d)."""
        away = self.rows - self.mean
        return away.T @ away


def mean_moments(x: RowMatrix, y: RowMatrix) -> tuple[float, float]:
    """Return mean and variance over all pairings of the mean over rows of products x_i · y_π(i).

    Exact (Hoeffding 1951, theorem 2).
    """
    n = len(x.rows)
    squares = float(x.scatter.flatten() @ y.scatter.flatten())
    return float(x.mean @ y.mean), max(0.0, squares) / ((n - 1) * n * n)


@dataclass(frozen=True, eq=False)
class SparseScores:
    """A sparse matrix (n, n): entry ``rows[k]``, ``columns[k]`` is ``weights[k]``, others are 0."""

    n: int
    rows: Tensor
    columns: Tensor
    weights: Tensor

    @classmethod
    def of(cls, matrix: Tensor) -> "SparseScores":
        """Keep what is not 0 of a matrix."""
        rows, columns = matrix.nonzero(as_tuple=True)
        return cls(len(matrix), rows.cpu(), columns.cpu(), matrix[rows, columns].double().cpu())

    def of_pairs(self) -> float:
        """The mean over rows of the entry on the diagonal."""
        return float(self.weights[self.rows == self.columns].sum()) / self.n


def permutation_null(shares: SparseScores, level: float = LEVEL) -> tuple[float, float]:
    """Return the band of the mean over rows i of the shares of i, π(i): drawn, always alike.

    For shares that are mostly 0, whose null is no normal one; its mean is that of all entries.
    """
    orders, found = _orders(shares.n), torch.zeros(_PAIRINGS, dtype=torch.float64)
    parts = (torch.split(part, _AT_ONCE) for part in (shares.rows, shares.columns, shares.weights))
    for rows, columns, weights in zip(*parts, strict=True):
        found += (orders[rows] == columns[:, None].int()).T.double() @ weights
    return quantile_interval(found / shares.n, level)


def shuffle_null(n: int, measure: Callable[[Tensor], float]) -> tuple[float, float]:
    """Return the range of ``measure`` of the same shuffles of one side: 95 % of all of them."""
    generator = torch.Generator().manual_seed(1)
    found = [measure(torch.randperm(n, generator=generator)) for _ in range(SHUFFLES)]
    return min(found), max(found)


_COMPONENTS, _BESIDE, _ROUNDS, _DRAWS, _PAIRINGS, _AT_ONCE = 12, 6, 2, 4000, 1000, 8192


@memoize
def _spectrum(kernel: Kernel) -> Tensor:
    """The largest eigenvalues by subspace iteration; the squares of all would sum to 1."""
    basis = _start(len(kernel)).to(kernel.diagonal.device)
    for _ in range(_ROUNDS):
        basis = torch.linalg.qr(kernel.product(kernel.product(basis - basis.mean(0)))).Q
    basis = basis - basis.mean(0)
    values = torch.linalg.eigvalsh(basis.T @ kernel.product(basis))
    largest: Tensor = values[values.abs().argsort(descending=True)][:_COMPONENTS]
    return (
        largest / (frobenius_inner(kernel, kernel) + kernel.diagonal.square().sum()).sqrt()
    ).cpu()


@lru_cache(maxsize=2)
def _start(n: int) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    width = min(_COMPONENTS + _BESIDE, n - 1)
    return torch.randn(n, width, generator=generator, dtype=torch.float64)


@lru_cache(maxsize=1)
def _draws() -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    shape = (_DRAWS, _COMPONENTS, _COMPONENTS)
    squares = torch.randn(shape, generator=generator, dtype=torch.float64).square() - 1
    others, rows = torch.randn(2, _DRAWS, generator=generator, dtype=torch.float64)
    return squares, others, rows


@lru_cache(maxsize=2)
def _orders(n: int) -> Tensor:
    """Pairings of n rows, (n, pairings)."""
    generator = torch.Generator().manual_seed(1)
    return torch.rand(_PAIRINGS, n, generator=generator).argsort(1).T.int().contiguous()
