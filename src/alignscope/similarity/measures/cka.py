"""Centred kernel alignment (Kornblith et al. 2019), biased and debiased.

Rows are examples, columns are features, and row i of both sides is the same example.
"""

import math
from typing import TypeVar

import torch
from torch import Tensor

from alignscope.errors import SimilarityError
from alignscope.similarity.measures.estimate import Estimate
from alignscope.similarity.measures.inputs import CONSTANT, Array, as_varying_pair, warn_biased
from alignscope.similarity.measures.intervals import LEVEL, jackknife
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
"""Rows below which the unbiased HSIC is not defined."""


def debiased_cka(left: Array, right: Array) -> float:
    """Return linear CKA with the unbiased estimator of HSIC (Song et al. 2012).

    >>> x = torch.randn(100, 8)
    >>> round(debiased_cka(x, 3 * x + 1), 6)
    1.0

    ``left`` (n, d) and ``right`` (n, e). About 0 for independent sides whatever n and d, where it
    may well be slightly negative (Nguyen et al. 2021); it is reported as it is.

    Raises:
        SimilarityError: if the sides do not have the same n of at least 4 rows, are not finite,
            or one of them does not vary.
    """
    return alignment(*_linear(left, right), debiased=True)


def biased_cka(left: Array, right: Array) -> float:
    """Return linear CKA as of Kornblith et al. 2019, equation 2.

    It is far above 0 for independent sides unless n is much larger than d: read it beside
    `debiased_cka` and a shuffled null, never alone (`sides.BiasWarning` if n < 2 d).

    Raises:
        SimilarityError: as `debiased_cka` does.
    """
    x, y = _linear(left, right)
    warn_biased("biased CKA", len(x), int(max(x.width, y.width)))
    return alignment(x, y, debiased=False)


def rbf_cka(left: Array, right: Array, *, debiased: bool = False) -> float:
    """Return CKA with Gaussian kernels (Kornblith et al. 2019, section 4).

    >>> x = torch.randn(100, 8)
    >>> round(rbf_cka(x, 3 * x + 1), 6)
    1.0

    The kernel is exp(-distance² / (2 sigma²)) with sigma² the median of the squared distances that
    are not zero, as Muller et al. 2021 released it. Biased as `biased_cka` is, unless ``debiased``;
    n × n memory.

    Raises:
        SimilarityError: as `debiased_cka` does.
    """
    both = as_varying_pair(left, right, "CKA", least=LEAST)
    if not debiased:
        warn_biased("biased RBF CKA", len(both[0]), max(side.shape[1] for side in both))
    x, y = map(gaussian_kernel, both)
    return alignment(x, y, debiased=debiased)


def debiased_interval(left: Array, right: Array, level: float = LEVEL) -> tuple[float, float]:
    """Return an interval around debiased CKA for other sentences of the same kind.

    >>> x = torch.randn(100, 8)
    >>> low, high = debiased_interval(x, x + torch.randn(100, 8))
    >>> low < debiased_cka(x, x + torch.randn(100, 8)) < high
    True

    The delete-one jackknife (`intervals.jackknife`), for all rows at once.

    Raises:
        SimilarityError: as `debiased_cka` does, and if there are fewer than 5 rows.
    """
    x, y = _linear(left, right, LEAST + 1)
    return alignment_interval(x, y, debiased=True, level=level)


def null_band(left: Array, right: Array, level: float = LEVEL) -> tuple[float, float]:
    """Return where ``level`` of debiased CKA lies when rows are paired at random.

    >>> x, y = torch.randn(100, 8), torch.randn(100, 8)
    >>> low, high = null_band(x, y)
    >>> low < 0 < high
    True

    Mean and variance over all pairings are exact (`nulls.independent_spread`), the shape is that of
    the limit of many rows (`nulls.limit_draws`): where a row is many times farther from the mean
    than all others it is not to be relied on.

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
        raise SimilarityError(f"CKA's interval needs at least {LEAST + 1} rows, there are {len(x)}")
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
    """Return the alignment of two kernels: HSIC, divided by that of each with itself."""
    between, left, right = _hsic(x, y, debiased), _self_inner(x, debiased), _self_inner(y, debiased)
    if left <= 0 or right <= 0:
        raise SimilarityError(CONSTANT.format("CKA"))
    return between / math.sqrt(left * right)


def alignment_interval(
    x: Kernel, y: Kernel, *, debiased: bool, level: float = LEVEL
) -> tuple[float, float]:
    """Return the jackknife's interval around `alignment`; a kernel's width is not fitted anew."""
    left, right = (_self_inner_without_each(kernel, debiased) for kernel in (x, y))
    if bool((left <= 0).any() or (right <= 0).any()):
        raise SimilarityError("CKA's interval is not defined where all variation is in one row")
    without = _without_each(x, y, debiased) / (left * right).sqrt()
    return jackknife(alignment(x, y, debiased=debiased), without, level)


def alignment_band(
    x: Kernel, y: Kernel, *, debiased: bool, level: float = LEVEL
) -> tuple[float, float]:
    """Return the null band of `alignment`; the biased one's is exact in mean and variance too."""
    if debiased:
        return quantile_interval(debiased_cka_null_sd(len(x)) * limit_null_draws(x, y), level)
    low, high = kernel_band(x, y, math.sqrt(_self_inner(x, False) * _self_inner(y, False)), level)
    return max(0.0, low), high  # it cannot be less


def kernel_band(x: Kernel, y: Kernel, scale: float, level: float = LEVEL) -> tuple[float, float]:
    """Return the null band of the sum of products of all entries of two kernels, over ``scale``.

    Its moments over all pairings are exact (`nulls.pairing_moments`).
    """
    mean, variance = pairing_moments(x, y)
    unbiased = math.sqrt(_self_inner(x, True) * _self_inner(y, True)) * debiased_cka_null_sd(len(x))
    draws = math.sqrt(variance) * normal_draws() + unbiased * limit_null_draws(x, y)
    return quantile_interval((mean + draws) / scale, level)


def _linear(left: Array, right: Array, least: int = LEAST) -> tuple[Kernel, Kernel]:
    x, y = as_varying_pair(left, right, "CKA", least=least)
    return linear_kernel(x), linear_kernel(y)


def _hsic(x: Kernel, y: Kernel, debiased: bool) -> float:
    """HSIC, up to a factor that cancels."""
    (_, r), (_, q) = _margins(x, debiased), _margins(y, debiased)
    entries = frobenius_inner(x, y) if debiased else frobenius_inner(x, y) + x.diagonal @ y.diagonal
    total, whole_x, whole_y, middle = map(float, (entries, r.sum(), q.sum(), r @ q))
    return hsic_from_sums(len(x), total, whole_x, whole_y, middle, debiased)


def _without_each(x: Kernel, y: Kernel, debiased: bool) -> Tensor:
    """`_hsic` of all rows but row i, for every i, (n,)."""
    (a, r), (b, q) = _margins(x, debiased), _margins(y, debiased)
    both = x.own if x is y else rowwise_inner(x, y)
    total = both.sum() - 2 * both + a @ b - a * b
    # What row i has to do with all others: the sum over j of r_j L_ij, K_ij q_j and K_ij L_ij.
    middle = r @ q - r * q - y.times(r) - x.times(q) + both
    whole_x, whole_y = r.sum() - 2 * r + a, q.sum() - 2 * q + b
    return hsic_from_sums(len(x) - 1, total, whole_x, whole_y, middle, debiased)


@memoize
def _self_inner(kernel: Kernel, debiased: bool) -> float:
    return _hsic(kernel, kernel, debiased)


@memoize
def _self_inner_without_each(kernel: Kernel, debiased: bool) -> Tensor:
    return _without_each(kernel, kernel, debiased)


def _margins(kernel: Kernel, debiased: bool) -> tuple[Tensor, Tensor]:
    """Diagonal and row sums, of a kernel without its diagonal if ``debiased``."""
    if debiased:
        return torch.zeros_like(kernel.diagonal), kernel.sums
    return kernel.diagonal, kernel.sums + kernel.diagonal


def hsic_from_sums(
    n: int, total: Number, whole_x: Number, whole_y: Number, middle: Number, debiased: bool
) -> Number:
    """HSIC, up to a factor that cancels, from 1ᵀ(K∘L)1, 1ᵀK1, 1ᵀL1 and 1ᵀKL1.

    Song et al. 2012, equation 4, of kernels without diagonals; else Gretton et al. 2005.
    """
    if debiased:
        return total + whole_x * whole_y / ((n - 1) * (n - 2)) - 2 * middle / (n - 2)
    return total + whole_x * whole_y / (n * n) - 2 * middle / n
