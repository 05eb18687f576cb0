"""Centred kernel alignment (Kornblith et al. 2019), biased and debiased.

Rows are examples, columns are features, and row i of both sides is the same example. CKA is
HSIC(K, L) / √(HSIC(K, K) HSIC(L, L)) for the kernels K and L of both sides.
"""

import math
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch
from torch import Tensor

from alignscope._util.confidence import CONFIDENCE
from alignscope.errors import SimilarityError
from alignscope.similarity.measures.estimate import Estimate
from alignscope.similarity.measures.inputs import CONSTANT, Array, as_varying_pair, warn_biased
from alignscope.similarity.measures.intervals import jackknife
from alignscope.similarity.measures.kernels import (
    Kernel,
    frobenius_inner,
    gaussian_kernel,
    linear_kernel,
    rowwise_inner,
)
from alignscope.similarity.measures.memo import memoize
from alignscope.similarity.measures.null import (
    debiased_cka_null_sd,
    limit_null_draws,
    normal_draws,
    pairing_moments,
    quantile_interval,
)

Number = TypeVar("Number", float, Tensor)

LEAST = 4
"""Rows below which the unbiased HSIC is undefined."""


def debiased_cka(left: Array, right: Array) -> float:
    """Return linear CKA with the unbiased estimator of HSIC (Song et al. 2012).

    >>> import torch
    >>> x = torch.randn(100, 8)
    >>> round(debiased_cka(x, 3 * x + 1), 6)
    1.0

    Args:
        left: one side, (n, d).
        right: the other side, (n, e).

    Returns:
        About 0 for independent sides with any n and d, and 1 for sides that are equal up to
        rotation and scale. The value can be slightly negative (Nguyen et al. 2021) and is not
        clipped.

    Raises:
        SimilarityError: if the sides do not have the same n of at least 4 rows, are not finite, or
            one of them is constant.
    """
    return alignment(*_linear(left, right), debiased=True)


def biased_cka(left: Array, right: Array) -> float:
    """Return linear CKA by equation 2 of Kornblith et al. 2019.

    The value is far above 0 for independent sides unless n is much larger than d. Compare it with
    `debiased_cka` and a shuffled null (`inputs.BiasWarning` if n < 2 d).

    Args:
        left: one side, (n, d).
        right: the other side, (n, e).

    Raises:
        SimilarityError: as `debiased_cka` does.
    """
    x, y = _linear(left, right)
    warn_biased("biased CKA", len(x), int(max(x.width, y.width)))
    return alignment(x, y, debiased=False)


def rbf_cka(left: Array, right: Array, *, debiased: bool = False) -> float:
    """Return CKA with Gaussian kernels (Kornblith et al. 2019, section 4).

    >>> import torch
    >>> x = torch.randn(100, 8)
    >>> round(rbf_cka(x, 3 * x + 1), 6)
    1.0

    The kernel is exp(-distance² / (2 sigma²)) with sigma² the median of the squared distances above
    zero, as in the code released by Muller et al. 2021. Memory grows with n².

    Args:
        left: one side, (n, d).
        right: the other side, (n, e).
        debiased: whether HSIC is estimated without bias; by default the value is biased as
            `biased_cka` is.

    Raises:
        SimilarityError: as `debiased_cka` does.
    """
    sides = as_varying_pair(left, right, "CKA", least=LEAST)
    if not debiased:
        warn_biased("biased RBF CKA", len(sides[0]), max(side.shape[1] for side in sides))
    x, y = map(gaussian_kernel, sides)
    return alignment(x, y, debiased=debiased)


def debiased_interval(left: Array, right: Array, level: float = CONFIDENCE) -> tuple[float, float]:
    """Return a confidence interval around debiased CKA for other rows of the same kind.

    >>> import torch
    >>> x = torch.randn(100, 8)
    >>> y = x + torch.randn(100, 8)
    >>> low, high = debiased_interval(x, y)
    >>> low < debiased_cka(x, y) < high
    True

    The interval is the delete-one jackknife (`intervals.jackknife`), computed for all rows at once.

    Args:
        left: one side, (n, d).
        right: the other side, (n, e).
        level: the coverage.

    Raises:
        SimilarityError: as `debiased_cka` does, and if there are fewer than 5 rows.
    """
    x, y = _linear(left, right, LEAST + 1)
    return alignment_interval(x, y, debiased=True, level=level)


def null_band(left: Array, right: Array, level: float = CONFIDENCE) -> tuple[float, float]:
    """Return the range of debiased CKA over the fraction ``level`` of random pairings of the rows.

    >>> import torch
    >>> x, y = torch.randn(100, 8), torch.randn(100, 8)
    >>> low, high = null_band(x, y)
    >>> low < 0 < high
    True

    The mean and variance over all pairings are exact (`null.debiased_cka_null_sd`). The shape is
    that of the limit for many rows (`null.limit_null_draws`), so do not rely on the band if one row
    is many times farther from the mean than all others.

    Args:
        left: one side, (n, d).
        right: the other side, (n, e).
        level: the coverage.

    Raises:
        SimilarityError: as `debiased_cka` does.
    """
    return alignment_band(*_linear(left, right), debiased=True, level=level)


def cka_estimates(x: Kernel, y: Kernel) -> list[Estimate]:
    """Return the debiased and the biased alignment of two kernels, with intervals and nulls.

    Raises:
        SimilarityError: if a kernel is constant, or there are fewer than 5 rows.
    """
    if len(x) <= LEAST:
        raise SimilarityError(f"The interval of CKA needs at least {LEAST + 1} rows, got {len(x)}.")
    return [
        Estimate(
            estimator,
            alignment(x, y, debiased=debiased),
            *alignment_interval(x, y, debiased=debiased),
            *alignment_band(x, y, debiased=debiased),
        )
        for estimator, debiased in (("debiased", True), ("biased", False))
    ]


def alignment(x: Kernel, y: Kernel, *, debiased: bool) -> float:
    """Return the alignment of two kernels: HSIC, normalised by that of each with itself."""
    between, left, right = _hsic(x, y, debiased), _self_inner(x, debiased), _self_inner(y, debiased)
    if left <= 0 or right <= 0:
        raise SimilarityError(CONSTANT.format("CKA"))
    return between / math.sqrt(left * right)


def alignment_interval(
    x: Kernel, y: Kernel, *, debiased: bool, level: float = CONFIDENCE
) -> tuple[float, float]:
    """Return the jackknife interval around `alignment`; the width of a Gaussian kernel is kept."""
    left, right = (_self_inner_without_each(kernel, debiased) for kernel in (x, y))
    if bool((left <= 0).any() or (right <= 0).any()):
        raise SimilarityError(
            "The interval of CKA is undefined because all variation of a side is in one row."
        )
    without = _without_each(x, y, debiased) / (left * right).sqrt()
    return jackknife(alignment(x, y, debiased=debiased), without, level)


def alignment_band(
    x: Kernel, y: Kernel, *, debiased: bool, level: float = CONFIDENCE
) -> tuple[float, float]:
    """Return the null band of `alignment`, exact in mean and variance for both estimators."""
    if debiased:
        return quantile_interval(debiased_cka_null_sd(len(x)) * limit_null_draws(x, y), level)
    low, high = kernel_band(x, y, math.sqrt(_self_inner(x, False) * _self_inner(y, False)), level)
    return max(0.0, low), high  # biased CKA is never negative


def kernel_band(
    x: Kernel, y: Kernel, scale: float, level: float = CONFIDENCE
) -> tuple[float, float]:
    """Return the null band of the inner product of two kernels, divided by ``scale``.

    The moments over all pairings are exact (`null.pairing_moments`).

    Args:
        x: one kernel, diagonal included.
        y: the other kernel.
        scale: the divisor of the inner product.
        level: the coverage.
    """
    mean, variance = pairing_moments(x, y)
    unbiased = math.sqrt(_self_inner(x, True) * _self_inner(y, True)) * debiased_cka_null_sd(len(x))
    draws = math.sqrt(variance) * normal_draws() + unbiased * limit_null_draws(x, y)
    return quantile_interval((mean + draws) / scale, level)


def _linear(left: Array, right: Array, least: int = LEAST) -> tuple[Kernel, Kernel]:
    x, y = as_varying_pair(left, right, "CKA", least=least)
    return linear_kernel(x), linear_kernel(y)


def _hsic(x: Kernel, y: Kernel, debiased: bool) -> float:
    """Return HSIC, up to a factor that cancels."""
    (_, r), (_, q) = _margins(x, debiased), _margins(y, debiased)
    entries = frobenius_inner(x, y) if debiased else frobenius_inner(x, y) + x.diagonal @ y.diagonal
    sums = KernelSums(*map(float, (entries, r.sum(), q.sum(), r @ q)))
    return hsic_from_sums(len(x), sums, debiased)


def _without_each(x: Kernel, y: Kernel, debiased: bool) -> Tensor:
    """Return `_hsic` without row i, for every i, (n,)."""
    (a, r), (b, q) = _margins(x, debiased), _margins(y, debiased)
    inner = x.self_inner if x is y else rowwise_inner(x, y)
    total = inner.sum() - 2 * inner + a @ b - a * b
    # Without row i the row sums are r_j - K_ij and q_j - L_ij. This is the sum of their products
    # over all j ≠ i, expanded.
    middle = r @ q - r * q - y.matvec_offdiag(r) - x.matvec_offdiag(q) + inner
    sum_x, sum_y = r.sum() - 2 * r + a, q.sum() - 2 * q + b
    return hsic_from_sums(len(x) - 1, KernelSums(total, sum_x, sum_y, middle), debiased)


@memoize
def _self_inner(kernel: Kernel, debiased: bool) -> float:
    return _hsic(kernel, kernel, debiased)


@memoize
def _self_inner_without_each(kernel: Kernel, debiased: bool) -> Tensor:
    return _without_each(kernel, kernel, debiased)


def _margins(kernel: Kernel, debiased: bool) -> tuple[Tensor, Tensor]:
    """Return diagonal and row sums of a kernel, whose diagonal is left out if ``debiased``."""
    if debiased:
        return torch.zeros_like(kernel.diagonal), kernel.sums
    return kernel.diagonal, kernel.sums + kernel.diagonal


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


def hsic_from_sums(n: int, sums: KernelSums[Number], debiased: bool) -> Number:
    """Return HSIC, up to a factor that cancels in CKA.

    The unbiased estimator is equation 4 of Song et al. 2012, the biased one is that of Gretton et
    al. 2005.

    Args:
        n: the number of rows.
        sums: the sums of both kernels; without their diagonals if ``debiased``.
        debiased: whether to use the unbiased estimator.
    """
    product = sums.sum_x * sums.sum_y
    if debiased:
        return sums.total + product / ((n - 1) * (n - 2)) - 2 * sums.middle / (n - 2)
    return sums.total + product / (n * n) - 2 * sums.middle / n
