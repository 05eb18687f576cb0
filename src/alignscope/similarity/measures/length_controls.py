"""Debiased CKA beyond sentence length: a null band among equally long rows, and partial CKA."""

import math

import torch
from torch import Tensor

from alignscope.similarity.measures.context import Context, Documents
from alignscope.similarity.measures.hsic import KernelSums, hsic_from_sums, self_hsic
from alignscope.similarity.measures.intervals import jackknife_spread
from alignscope.similarity.measures.kernels import Kernel, cross, frobenius_inner
from alignscope.similarity.measures.lengths import PAIRINGS, Lengths
from alignscope.similarity.measures.null import (
    LengthColumns,
    debiased_cka_null_sd,
    largest_components,
    length_columns,
    normal_draws,
    quantile_interval,
)

Columns = dict[str, float | None]


def length_band(x: Kernel, y: Kernel, lengths: Lengths) -> LengthColumns:
    """Return the range of debiased CKA over 95 % of the pairings of equally long rows.

    The mean over the pairings of `Lengths.pairings` is exact but for pairs of rows of one block.
    Its spread is that of random pairings of the largest principal components of both sides, and of
    a normal variable for all others, whose variance is that over all pairings.

    Args:
        x: the linear kernel of the source.
        y: that of the target.
        lengths: the lengths of the rows.
    """
    scale = math.sqrt(self_hsic(x, True) * self_hsic(y, True))
    left, right = largest_components(x), largest_components(y)
    norms = _norm(x) * _norm(y) / scale
    others = max(0.0, 1 - float(left.values.square().sum() * right.values.square().sum()))
    noise = math.sqrt(others) * debiased_cka_null_sd(len(x)) * normal_draws()[:PAIRINGS]
    pairings = lengths.pairings
    moved = right.vectors.float()[pairings]  # (n, pairings, components)
    products = torch.einsum("nk,npl->pkl", left.vectors.float(), moved).double().square()
    values = torch.einsum("pkl,k,l->p", products, left.values, right.values)
    values = values - left.diagonal @ right.diagonal[pairings]
    draws = _mean_over_pairings(x, y, lengths) / scale + norms * (values - values.mean() + noise)
    return length_columns(quantile_interval(draws), lengths)


def _norm(kernel: Kernel) -> float:
    return math.sqrt(float(frobenius_inner(kernel, kernel) + kernel.diagonal.square().sum()))


def _mean_over_pairings(x: Kernel, y: Kernel, lengths: Lengths) -> float:
    """Return the mean of the unbiased HSIC over the pairings of equally long rows.

    The mean of L over the pairings is A L₀ A, where A takes the mean over the partners of a row and
    L₀ is L without its diagonal, which no pairing moves off the diagonal.
    """
    assert x.rows is not None
    assert y.rows is not None
    averaged = lengths.expect(y.rows)
    d, sizes = y.diagonal, lengths.block_sizes.to(y.diagonal)
    weights = torch.where(sizes > 1, 1 / (sizes - 1).clamp(min=1), 1.0)
    own = lengths.expect(d[:, None])[:, 0] * weights  # the diagonal of A diag(L) A
    squares = averaged.square().sum(1, dtype=torch.float64)
    product = cross(x, Kernel(squares, squares, rows=averaged)).square().sum()
    moved = lengths.expect(x.rows).square().sum(1, dtype=torch.float64)
    total = product - d @ moved - x.diagonal @ (squares - own)
    r, q = x.sums, lengths.expect(y.sums[:, None])[:, 0] - (squares - own)
    return float(hsic_from_sums(len(x), KernelSums(total, r.sum(), q.sum(), r @ q), debiased=True))


def without_length(x: Kernel, y: Kernel, inner: Tensor, context: Context) -> Columns:
    """Return debiased CKA with functions of the lengths regressed out of both sides.

    The value is ⟨S, T⟩ / √(⟨S, S⟩ ⟨T, T⟩) for the `_Projected` kernels S and T. With a constant as
    the only regressor it is debiased CKA, for S is then the U-centred kernel of Székely & Rizzo
    2014. For sides that are independent given the lengths, the numerator has expectation 0: the
    entries of S off the diagonal are products of errors of different rows, and the diagonal is 0,
    so that no degree of freedom counts that the regression has used. The jackknife keeps the
    regression.

    Args:
        x: the linear kernel of the source.
        y: that of the target.
        inner: the `rowwise_inner` of both.
        rows: the lengths of the rows, and their documents.

    Returns:
        The value with its interval; None if there are too few rows for the regression.
    """
    assert context.lengths is not None
    left, right = (_Projected(kernel, context.lengths) for kernel in (x, y))
    pairs = {
        "xy": _inner_sums(left, right, inner, context.documents),
        "xx": _inner_sums(left, left, x.self_inner, context.documents),
        "yy": _inner_sums(right, right, y.self_inner, context.documents),
    }
    names = ("without_length", "without_length_low", "without_length_high")
    if min(float(min(total, without.min())) for total, without in (pairs["xx"], pairs["yy"])) <= 0:
        return dict.fromkeys(names)
    value, without_each = (
        pairs["xy"][k] / (pairs["xx"][k] * pairs["yy"][k]).sqrt() for k in (0, 1)
    )
    ends = jackknife_spread(without_each, context.documents).around(float(value))
    return dict(zip(names, (float(value), *ends), strict=True))


class _Projected:
    """The projection S of a kernel K onto the symmetric matrices with a zero diagonal whose rows
    are orthogonal to the basis Q of the lengths: S = K − diag(d) − Q Zᵀ − Z Qᵀ.
    """

    def __init__(self, kernel: Kernel, lengths: Lengths) -> None:
        self.kernel = kernel
        self.basis = basis = lengths.basis.to(kernel.diagonal.device)
        product = kernel.product(basis)
        fitted = basis @ (basis.T @ product)
        residual = kernel.diagonal - ((2 * product - fitted) * basis).sum(1)
        self.removed = lengths.solve(residual.cpu()).to(basis.device)
        """d, (n,)."""
        self.of_basis = product - self.removed[:, None] * basis
        """(K − diag(d)) Q, (n, k)."""
        self.outer = self.of_basis - basis @ (basis.T @ self.of_basis) / 2
        """Z, (n, k)."""

    def with_low_rank(self, other: "_Projected") -> Tensor:
        """Return row sums of the product of K − diag(d) and the other's Q Zᵀ + Z Qᵀ, (n,)."""
        applied = self.kernel.product(other.outer) - self.removed[:, None] * other.outer
        return (self.basis * applied + other.outer * self.of_basis).sum(1)

    def entries(self, first: Tensor, second: Tensor) -> Tensor:
        """Return the entries of pairs of different rows."""
        i, j = first.to(self.basis.device), second.to(self.basis.device)
        low_rank = self.basis[i] * self.outer[j] + self.outer[i] * self.basis[j]
        return self.kernel.pairs(first, second) - low_rank.sum(1)


def _inner_sums(
    x: _Projected, y: _Projected, inner: Tensor, documents: Documents | None
) -> tuple[Tensor, Tensor]:
    """Return ⟨S, T⟩, and ⟨S, T⟩ without each row or each document."""
    diagonals = (x.kernel.diagonal - x.removed) * (y.kernel.diagonal - y.removed)
    left, right = (torch.cat([side.basis, side.outer], 1) for side in (x, y))
    swapped = [torch.cat([side.outer, side.basis], 1) for side in (x, y)]
    both_low_rank = ((left @ (swapped[0].T @ swapped[1])) * right).sum(1)
    rows = inner + diagonals - x.with_low_rank(y) - y.with_low_rank(x) + both_low_rank
    total = rows.sum()
    if documents is None:
        return total, total - 2 * rows
    first, second = documents.pairs
    inside = documents.sum_pairs(x.entries(first, second) * y.entries(first, second))
    return total, total - 2 * documents.sum(rows) + inside
