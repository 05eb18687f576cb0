"""Centred kernel alignment (Kornblith et al. 2019), biased and debiased.

Rows are examples, columns are features, and row i of both sides is the same example. CKA is
HSIC(K, L) / √(HSIC(K, K) HSIC(L, L)) for the kernels K and L of both sides.
"""

import math
from dataclasses import replace

from torch import Tensor

from alignscope._util.confidence import CONFIDENCE
from alignscope.errors import SimilarityError
from alignscope.similarity.measures.context import NO_CONTEXT, Context
from alignscope.similarity.measures.dimensions import outlier_columns
from alignscope.similarity.measures.estimate import Estimate
from alignscope.similarity.measures.hsic import (
    LeftOut,
    hsic,
    hsic_without,
    self_hsic,
    self_hsic_without,
)
from alignscope.similarity.measures.inputs import CONSTANT, Array, as_varying_pair, warn_biased
from alignscope.similarity.measures.intervals import Spread, jackknife_spread
from alignscope.similarity.measures.kernels import (
    Kernel,
    gaussian_kernel,
    linear_kernel,
    rowwise_inner,
)
from alignscope.similarity.measures.length_controls import length_band, without_length
from alignscope.similarity.measures.null import (
    debiased_cka_null_sd,
    limit_null_draws,
    normal_draws,
    pairing_moments,
    quantile_interval,
)

LEAST = 4
"""Rows below which the unbiased HSIC is undefined."""
ROUNDING = 1e-12
"""The share of a side's HSIC with itself below which the rest of it counts as constant."""


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
    spread = _spread(x, y, _inner_product(x, y), LeftOut(debiased=True))
    return spread.around(alignment(x, y, debiased=True), level)


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


def linear_cka_estimates(x: Kernel, y: Kernel, context: Context = NO_CONTEXT) -> list[Estimate]:
    """Return `cka_estimates` of linear kernels, with controls beside the debiased estimate.

    The controls are the null band of pairings of equally long rows, the value with the lengths
    regressed out (both if lengths are known), and the value without the largest dimensions.

    Raises:
        SimilarityError: as `cka_estimates` does.
    """
    inner = _inner_product(x, y)
    debiased, biased = _estimates(x, y, inner, context)
    controls = outlier_columns(x, y)
    if context.lengths is not None:
        debiased = replace(debiased, **length_band(x, y, context.lengths))
        controls |= without_length(x, y, inner, context)
    return [replace(debiased, **controls), biased]  # type: ignore[arg-type]


def cka_estimates(x: Kernel, y: Kernel, context: Context = NO_CONTEXT) -> list[Estimate]:
    """Return the debiased and the biased alignment of two kernels, with intervals and nulls.

    Raises:
        SimilarityError: if a kernel is constant, or there are fewer than 5 rows.
    """
    return _estimates(x, y, _inner_product(x, y), context)


def _estimates(x: Kernel, y: Kernel, inner: Tensor, context: Context) -> list[Estimate]:
    if len(x) <= LEAST:
        raise SimilarityError(f"The interval of CKA needs at least {LEAST + 1} rows, got {len(x)}.")
    estimates = []
    for estimator, debiased in (("debiased", True), ("biased", False)):
        value = alignment(x, y, debiased=debiased)
        spread = _spread(x, y, inner, LeftOut(debiased, context.documents))
        ends, band = spread.around(value), alignment_band(x, y, debiased=debiased)
        estimates.append(Estimate(estimator, value, *ends, *band, **spread.columns))
    return estimates


def alignment(x: Kernel, y: Kernel, *, debiased: bool) -> float:
    """Return the alignment of two kernels: HSIC, normalised by that of each with itself."""
    between, left, right = hsic(x, y, debiased), self_hsic(x, debiased), self_hsic(y, debiased)
    if left <= 0 or right <= 0:
        raise SimilarityError(CONSTANT.format("CKA"))
    return between / math.sqrt(left * right)


def _inner_product(x: Kernel, y: Kernel) -> Tensor:
    """Return the `rowwise_inner` of two kernels; that of a kernel with itself is kept."""
    return x.self_inner if x is y else rowwise_inner(x, y)


def _spread(x: Kernel, y: Kernel, inner: Tensor, left_out: LeftOut) -> Spread:
    """Return the jackknife of `alignment`; the width of a Gaussian kernel is kept."""
    debiased, documents = left_out.debiased, left_out.documents
    left, right = (self_hsic_without(kernel, debiased, documents) for kernel in (x, y))
    least = [ROUNDING * self_hsic(kernel, debiased) for kernel in (x, y)]
    if bool((left <= least[0]).any() or (right <= least[1]).any()):
        what = "row" if documents is None else "document"
        raise SimilarityError(
            f"The interval of CKA is undefined because all variation of a side is in one {what}."
        )
    return jackknife_spread(hsic_without(x, y, inner, left_out) / (left * right).sqrt(), documents)


def alignment_band(
    x: Kernel, y: Kernel, *, debiased: bool, level: float = CONFIDENCE
) -> tuple[float, float]:
    """Return the null band of `alignment`, exact in mean and variance for both estimators."""
    if debiased:
        return quantile_interval(debiased_cka_null_sd(len(x)) * limit_null_draws(x, y), level)
    low, high = kernel_band(x, y, math.sqrt(self_hsic(x, False) * self_hsic(y, False)), level)
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
    unbiased = math.sqrt(self_hsic(x, True) * self_hsic(y, True)) * debiased_cka_null_sd(len(x))
    draws = math.sqrt(variance) * normal_draws() + unbiased * limit_null_draws(x, y)
    return quantile_interval((mean + draws) / scale, level)


def _linear(left: Array, right: Array, least: int = LEAST) -> tuple[Kernel, Kernel]:
    x, y = as_varying_pair(left, right, "CKA", least=least)
    return linear_kernel(x), linear_kernel(y)
