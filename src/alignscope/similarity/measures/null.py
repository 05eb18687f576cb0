"""Null bands: the range of a measure over 95 % of the random pairings of the same rows.

The rows of one side are permuted, and the measure is computed again. Four ways avoid the n!
permutations: exact moments and a normal law (`normal_null`), exact moments and the law for many
rows (`limit_null_draws`), and samples of permutations (`permutation_null`, `shuffle_null`).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, TypedDict

import torch
from scipy.special import ndtri
from torch import Tensor

from alignscope._util.confidence import CONFIDENCE
from alignscope.similarity.measures.kernels import Kernel, frobenius_inner
from alignscope.similarity.measures.lengths import Lengths
from alignscope.similarity.measures.memo import memoize

SHUFFLES = 39
"""The range of 39 draws covers a further draw with probability 38/40 = 95 %."""

COMPONENTS = 12
"""Eigenvalues of each kernel in the limit law; a normal variable stands for the others."""
OVERSAMPLING = 6
"""Further columns of the subspace iteration, which make the last eigenvalues converge."""
ITERATIONS = 2
"""Rounds of the subspace iteration."""
DRAWS = 4000
"""Draws from the limit law."""
PAIRINGS = 1000
"""Random pairings in `permutation_null`."""
ENTRIES_AT_ONCE = 8192
"""Entries that `permutation_null` looks up at once, which bounds its memory."""


def debiased_cka_null_sd(n: int) -> float:
    """Return the standard deviation of debiased CKA over all n! pairings of n rows.

    >>> round(debiased_cka_null_sd(1000), 5)
    0.00142

    The mean is exactly 0 and the variance exactly 2 / (n (n - 3)) for any two sides, because the
    unbiased HSIC is the inner product of two matrices with zero diagonals and zero row sums. For
    such matrices every sum over pairs of entries is a multiple of their sum of squares.
    """
    return math.sqrt(2 / (n * (n - 3)))


def pairing_moments(x: Kernel, y: Kernel) -> tuple[float, float]:
    """Return two moments of Σ_ij K_ij L_π(i)π(j) over all pairings π of the rows of two kernels.

    Write each kernel as the part that its diagonal and its row sums determine, plus a rest with
    zero diagonal and zero row sums. The sum is then the inner product of the determined parts plus
    that of the rests, and over all pairings these two are uncorrelated. The inner product of the
    rests has mean 0, and its standard deviation is `debiased_cka_null_sd` times the norms of both
    rests. The moments of the other inner product are returned here; they are exact.

    Returns:
        The mean of the whole sum, and the variance of the part that diagonals and row sums
        determine.
    """
    n = len(x)
    (a, r), (b, q) = ((kernel.diagonal, kernel.sums) for kernel in (x, y))
    mean = float(a.sum() * b.sum() / n + r.sum() * q.sum() / (n * (n - 1)))
    a, r, b, q = (values - values.mean() for values in (a, r, b, q))
    weight = 2 / (n - 2)
    variance = (a @ a) * (b @ b) + weight**2 * (r @ r) * (q @ q) + 2 * weight * (a @ r) * (b @ q)
    return mean, float(variance) / (n - 1)


def limit_null_draws(x: Kernel, y: Kernel) -> Tensor:
    """Draw from the law of the inner product of two randomly paired kernels, for many rows.

    Let a_i and b_j be the eigenvalues of the two centred kernels, scaled so that the squares of
    each kernel's eigenvalues sum to 1. With many rows, the standardised inner product tends to

        Σ_ij a_i b_j (z_ij² - 1) / √2,    z_ij independent standard normal,

    which has mean 0 and variance 1. The law is skewed if a few eigenvalues are large, and close to
    normal if none is. Here the `COMPONENTS` largest eigenvalues of each kernel enter the sum, and
    one normal variable with the remaining variance stands for all the others.

    The limit gives the shape only; the callers scale it by the exact standard deviation for n rows
    (`debiased_cka_null_sd`).

    Returns:
        `DRAWS` draws, the same ones for every call.
    """
    left, right = (largest_components(kernel).values for kernel in (x, y))
    squares, others, _ = _random_numbers()
    remaining = max(0.0, 1 - float(left.square().sum() * right.square().sum()))
    chosen = squares[:, : len(left), : len(right)]
    return (chosen @ right @ left) / math.sqrt(2) + math.sqrt(remaining) * others


def normal_draws() -> Tensor:
    """Return standard normal draws that are independent of `limit_null_draws`, always the same."""
    return _random_numbers()[2]


def quantile_interval(draws: Tensor, level: float = CONFIDENCE) -> tuple[float, float]:
    """Return the quantiles between which the fraction ``level`` of the draws lies."""
    ends = torch.tensor([(1 - level) / 2, (1 + level) / 2], dtype=draws.dtype)
    low, high = torch.quantile(draws, ends).tolist()
    return low, high


def normal_null(mean: float, variance: float, level: float = CONFIDENCE) -> tuple[float, float]:
    """Return the band of a normal null, such as that of a mean over all rows."""
    reach = float(ndtri((1 + level) / 2)) * math.sqrt(variance)
    return mean - reach, mean + reach


class LengthColumns(TypedDict):
    """The fields of `Estimate` about pairings of rows of nearly equal length."""

    length_null_low: float | None
    length_null_high: float | None
    length_broken: float | None


NO_LENGTHS: LengthColumns = {
    "length_null_low": None, "length_null_high": None, "length_broken": None
}  # fmt: skip


def length_columns(ends: tuple[float, float], lengths: Lengths) -> LengthColumns:
    """Return the fields of `Estimate` for a band of pairings of equally long rows."""
    low, high = ends
    return {"length_null_low": low, "length_null_high": high, "length_broken": lengths.broken}


@dataclass(frozen=True, eq=False)
class SparseScores:
    """A sparse matrix (n, n) with ``weights[k]`` in row ``rows[k]`` and column ``columns[k]``."""

    n: int
    rows: Tensor
    columns: Tensor
    weights: Tensor

    @classmethod
    def of(cls, matrix: Tensor) -> "SparseScores":
        """Return the entries of a dense matrix (n, n) that are not 0."""
        rows, columns = matrix.nonzero(as_tuple=True)
        return cls(len(matrix), rows.cpu(), columns.cpu(), matrix[rows, columns].double().cpu())

    @property
    def diagonal(self) -> Tensor:
        """The scores of the true pairs, (n,)."""
        true = self.rows == self.columns
        return torch.zeros(self.n, dtype=torch.float64).index_add(
            0, self.rows[true], self.weights[true]
        )

    def of_pairs(self) -> float:
        """Return the mean of the diagonal: the score of the true pairs."""
        return float(self.weights[self.rows == self.columns].sum()) / self.n


def permutation_null(
    scores: SparseScores, level: float = CONFIDENCE, pairings: Tensor | None = None
) -> tuple[float, float]:
    """Return the band of the mean score of randomly paired rows, always from the same pairings.

    For scores that are mostly 0 and whose null is therefore not normal.

    Args:
        scores: the score of every pair of rows.
        level: the coverage.
        pairings: for every row the row that it is paired with, (n, pairings); by default `PAIRINGS`
            pairings of all rows.
    """
    pairings = random_pairings(scores.n) if pairings is None else pairings
    sums = torch.zeros(pairings.shape[1], dtype=torch.float64)
    fields = (scores.rows, scores.columns, scores.weights)
    parts = (torch.split(field, ENTRIES_AT_ONCE) for field in fields)
    for rows, columns, weights in zip(*parts, strict=True):
        sums += (pairings[rows] == columns[:, None]).T.double() @ weights
    return quantile_interval(sums / scores.n, level)


def shuffle_null(n: int, measure: Callable[[Tensor], float]) -> tuple[float, float]:
    """Return the range of a measure over `SHUFFLES` random orders of one side, always the same.

    Args:
        n: the number of rows.
        measure: takes an order of the rows, (n,), and returns the value for this order.

    Returns:
        The smallest and the largest value, which cover 95 % of all orders on average.
    """
    generator = torch.Generator().manual_seed(1)
    values = [measure(torch.randperm(n, generator=generator)) for _ in range(SHUFFLES)]
    return min(values), max(values)


class Components(NamedTuple):
    """The largest principal components of a kernel, on the CPU."""

    values: Tensor
    """Eigenvalues of the centred kernel, scaled so that the squares of all of them sum to 1."""
    vectors: Tensor
    """Their eigenvectors, (n, components)."""

    @property
    def diagonal(self) -> Tensor:
        """The diagonal of the kernel that these components make up, (n,)."""
        return self.vectors.square() @ self.values


@memoize
def largest_components(kernel: Kernel) -> Components:
    """Return the `COMPONENTS` largest components of the centred kernel, or fewer.

    They are found by subspace iteration with random start.
    """
    basis = _start(len(kernel)).to(kernel.diagonal.device)
    for _ in range(ITERATIONS):
        basis = torch.linalg.qr(kernel.product(kernel.product(basis - basis.mean(0)))).Q
    basis = basis - basis.mean(0)
    values, rotation = torch.linalg.eigh(basis.T @ kernel.product(basis))
    largest = values.abs().argsort(descending=True)[:COMPONENTS]
    norm = (frobenius_inner(kernel, kernel) + kernel.diagonal.square().sum()).sqrt()
    return Components((values[largest] / norm).cpu(), (basis @ rotation[:, largest]).cpu())


@lru_cache(maxsize=2)
def _start(n: int) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    width = min(COMPONENTS + OVERSAMPLING, n - 1)
    return torch.randn(n, width, generator=generator, dtype=torch.float64)


@lru_cache(maxsize=1)
def _random_numbers() -> tuple[Tensor, Tensor, Tensor]:
    """Return z² - 1 (DRAWS, COMPONENTS, COMPONENTS), and twice DRAWS standard normal numbers."""
    generator = torch.Generator().manual_seed(1)
    shape = (DRAWS, COMPONENTS, COMPONENTS)
    squares = torch.randn(shape, generator=generator, dtype=torch.float64).square() - 1
    others, rows = torch.randn(2, DRAWS, generator=generator, dtype=torch.float64)
    return squares, others, rows


@lru_cache(maxsize=2)
def random_pairings(n: int) -> Tensor:
    """Return random pairings of n rows, (n, PAIRINGS)."""
    generator = torch.Generator().manual_seed(1)
    return torch.rand(PAIRINGS, n, generator=generator).argsort(1).T.int().contiguous()
