"""The Hilbert-Schmidt independence criterion of two kernels, with and without some of the rows."""

from dataclasses import dataclass
from typing import Generic, TypeVar

import torch
from torch import Tensor

from alignscope.similarity.measures.context import Documents
from alignscope.similarity.measures.kernels import Kernel, frobenius_inner
from alignscope.similarity.measures.memo import memoize

Number = TypeVar("Number", float, Tensor)


@dataclass(frozen=True)
class KernelSums(Generic[Number]):
    """The four sums of two kernels K and L that HSIC depends on, as numbers or for many subsets."""

    total: Number
    """1ᵀ(K∘L)1, the inner product of the kernels."""
    sum_x: Number
    """1ᵀK1."""
    sum_y: Number
    """1ᵀL1."""
    middle: Number
    """1ᵀKL1, the inner product of the row sums."""


def hsic_from_sums(n: int | Tensor, sums: KernelSums[Number], debiased: bool) -> Number:
    """Return HSIC, up to a factor that cancels in CKA.

    The unbiased estimator is equation 4 of Song et al. 2012, the biased one is that of Gretton et
    al. 2005.

    Args:
        n: the number of rows, or that of each subset.
        sums: the sums of both kernels; without their diagonals if ``debiased``.
        debiased: whether to use the unbiased estimator.
    """
    product = sums.sum_x * sums.sum_y
    if debiased:
        return sums.total + product / ((n - 1) * (n - 2)) - 2 * sums.middle / (n - 2)  # type: ignore[return-value]
    return sums.total + product / (n * n) - 2 * sums.middle / n  # type: ignore[return-value]


def hsic(x: Kernel, y: Kernel, debiased: bool) -> float:
    """Return HSIC, up to a factor that cancels."""
    (_, r), (_, q) = _margins(x, debiased), _margins(y, debiased)
    entries = frobenius_inner(x, y) if debiased else frobenius_inner(x, y) + x.diagonal @ y.diagonal
    sums = KernelSums(*map(float, (entries, r.sum(), q.sum(), r @ q)))
    return hsic_from_sums(len(x), sums, debiased)


@memoize
def self_hsic(kernel: Kernel, debiased: bool) -> float:
    """Return the `hsic` of a kernel with itself."""
    return hsic(kernel, kernel, debiased)


def hsic_without(x: Kernel, y: Kernel, inner: Tensor, left_out: "LeftOut") -> Tensor:
    """Return `hsic` without each row (n,), or without each document (documents,).

    Args:
        x: one kernel.
        y: the other kernel.
        inner: the `rowwise_inner` of both, (n,).
        left_out: what is left out, and whether the estimator is unbiased.
    """
    if left_out.documents is None:
        return _without_each_row(x, y, inner, left_out.debiased)
    return _without_each_document(x, y, inner, left_out)


@dataclass(frozen=True, eq=False)
class LeftOut:
    """The rows that the jackknife leaves out together: single ones, or those of a document."""

    debiased: bool
    documents: Documents | None = None


@memoize
def self_hsic_without(kernel: Kernel, debiased: bool, documents: Documents | None) -> Tensor:
    """Return the `hsic_without` of a kernel with itself."""
    return hsic_without(kernel, kernel, kernel.self_inner, LeftOut(debiased, documents))


def _without_each_row(x: Kernel, y: Kernel, inner: Tensor, debiased: bool) -> Tensor:
    (a, r), (b, q) = _margins(x, debiased), _margins(y, debiased)
    total = inner.sum() - 2 * inner + a @ b - a * b
    # Without row i the row sums are r_j - K_ij and q_j - L_ij. This is the sum of their products
    # over all j ≠ i, expanded.
    middle = r @ q - r * q - y.matvec_offdiag(r) - x.matvec_offdiag(q) + inner
    sum_x, sum_y = r.sum() - 2 * r + a, q.sum() - 2 * q + b
    return hsic_from_sums(len(x) - 1, KernelSums(total, sum_x, sum_y, middle), debiased)


def _without_each_document(x: Kernel, y: Kernel, inner: Tensor, left_out: LeftOut) -> Tensor:
    documents, debiased = left_out.documents, left_out.debiased
    assert documents is not None
    (a, r), (b, q) = _margins(x, debiased), _margins(y, debiased)
    whole = inner + a * b

    def inside(off_diagonal: Tensor, diagonal: Tensor) -> Tensor:
        """Sum a symmetric matrix over the rows and columns of each document."""
        return documents.sum(diagonal) + documents.sum_pairs(off_diagonal)

    k, other = x.pairs(*documents.pairs), y.pairs(*documents.pairs)
    total = whole.sum() - 2 * documents.sum(whole) + inside(k * other, a * b)
    sum_x = r.sum() - 2 * documents.sum(r) + inside(k, a)
    sum_y = q.sum() - 2 * documents.sum(q) + inside(other, b)
    # Without document C the row sums are r_j - R_jC and q_j - Q_jC, where R and Q hold the sums of
    # the kernels over the columns of each document. `middle` sums their products over j not in C.
    rows, own = torch.arange(len(x), device=inner.device), documents.index.to(inner.device)
    sums_x, sums_y = (of_documents(kernel, documents, debiased) for kernel in (x, y))
    all_rows = r @ q - sums_y.T @ r - sums_x.T @ q + (sums_x * sums_y).sum(0)
    rest_x, rest_y = r - sums_x[rows, own], q - sums_y[rows, own]
    middle = all_rows - documents.sum(rest_x * rest_y)
    n = len(x) - documents.sizes.to(inner.device)
    return hsic_from_sums(n, KernelSums(total, sum_x, sum_y, middle), debiased)


@memoize
def of_documents(kernel: Kernel, documents: Documents, debiased: bool) -> Tensor:
    """Return the sum of each row of a kernel over the columns of each document, (n, documents).

    The diagonal is left out if ``debiased``.
    """
    sums = kernel.sums_over(documents)
    if debiased:
        rows = torch.arange(len(kernel), device=sums.device)
        sums[rows, documents.index.to(sums.device)] -= kernel.diagonal
    return sums


def _margins(kernel: Kernel, debiased: bool) -> tuple[Tensor, Tensor]:
    """Return diagonal and row sums of a kernel, whose diagonal is left out if ``debiased``."""
    if debiased:
        return torch.zeros_like(kernel.diagonal), kernel.sums
    return kernel.diagonal, kernel.sums + kernel.diagonal
