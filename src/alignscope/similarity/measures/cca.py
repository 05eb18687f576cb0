"""Measures up to linear maps: canonical correlation analysis (SVCCA, PWCCA) and Procrustes."""

from dataclasses import dataclass

import torch
from torch import Tensor

from alignscope.errors import SimilarityError
from alignscope.similarity.measures.context import NO_CONTEXT, Context
from alignscope.similarity.measures.estimate import Estimate
from alignscope.similarity.measures.inputs import (
    Array,
    as_pair,
    center,
    rounding_tolerance,
    warn_biased,
)
from alignscope.similarity.measures.intervals import correlation_influence, influence_spread
from alignscope.similarity.measures.null import shuffle_null


def svcca(left: Array, right: Array, *, kept: float = 0.99) -> float:
    """Return the mean canonical correlation of the main directions (Raghu et al. 2017).

    >>> import torch
    >>> x = torch.randn(100, 8)
    >>> round(svcca(x, x), 6)
    1.0

    Each side is reduced to the principal directions that explain the fraction ``kept`` of its
    variance. The mean is over as many correlations as the smaller side has directions. The value is
    biased upward unless n is much larger than this number (`inputs.BiasWarning`).

    Args:
        left: one side, (n, d).
        right: the other side, (n, e).
        kept: the fraction of variance that the directions of each side explain.

    Returns:
        A number between 0 and 1.

    Raises:
        SimilarityError: if the sides do not have the same n of at least 2 rows, are not finite or
            constant, or have no more rows than directions: every two sides would then give 1.
    """
    x, y = (
        principal_subspace(side, kept, eps) for side, eps in _with_tolerance(left, right, "SVCCA")
    )
    _, correlations, _ = _canonical_variates(x, y, "SVCCA")
    warn_biased("SVCCA", len(x.side), max(x.width, y.width))
    return float(correlations.mean())


def pwcca(left: Array, right: Array) -> float:
    """Return projection-weighted canonical correlation (Morcos et al. 2018, equations 4 and 5).

    >>> import torch
    >>> x = torch.randn(100, 8)
    >>> round(pwcca(x, x), 6)
    1.0

    Each canonical correlation is weighted by how much of ``left`` its direction accounts for; the
    measure is therefore not symmetric. The value is biased upward unless n is much larger than d
    (`inputs.BiasWarning`).

    Args:
        left: one side, (n, d).
        right: the other side, (n, e).

    Returns:
        A number between 0 and 1.

    Raises:
        SimilarityError: as `svcca` does.
    """
    x, y = (
        principal_subspace(side, 1.0, eps) for side, eps in _with_tolerance(left, right, "PWCCA")
    )
    variates, correlations, _ = _canonical_variates(x, y, "PWCCA")
    warn_biased("PWCCA", len(x.side), max(x.width, y.width))
    return float((_weights(x, variates) * correlations).sum())


def procrustes(left: Array, right: Array) -> float:
    """Return how well the best rotation maps one side onto the other (Ding et al. 2021).

    >>> import torch
    >>> x = torch.randn(100, 8)
    >>> round(procrustes(x, x @ torch.linalg.qr(torch.randn(8, 8)).Q), 6)
    1.0

    The value is the nuclear norm of XᵀY for centred sides of Frobenius norm 1. The orthogonal
    Procrustes distance of that paper is 2 minus twice the value. The value is biased upward unless
    n is much larger than d, as biased CKA is (`inputs.BiasWarning`).

    Args:
        left: one side, (n, d).
        right: the other side, (n, e).

    Returns:
        A number between 0 and 1.

    Raises:
        SimilarityError: if there are fewer than 2 rows, numbers of rows differ, a value is not
            finite, or a side is constant.
    """
    x, y = (unit_frobenius(side, eps) for side, eps in _with_tolerance(left, right, "Procrustes"))
    warn_biased("Procrustes", len(x), max(x.shape[1], y.shape[1]))
    return float(torch.linalg.svdvals(x.T @ y).sum())


@dataclass(frozen=True, eq=False)
class PrincipalSubspace:
    """A centred ``side`` (n, d) and its k orthonormal principal ``directions`` (n, k)."""

    side: Tensor
    directions: Tensor

    @property
    def width(self) -> int:
        """The number of directions."""
        return self.directions.shape[1]


def principal_subspace(
    side: Tensor, kept: float, tolerance: float | None = None
) -> PrincipalSubspace:
    """Find the principal directions of a side that explain the fraction ``kept`` of its variance.

    Directions that may come from rounding do not count. In single precision they occur in every
    side whose rank is lower than its number of columns, as after a layer norm.

    Args:
        side: one side, (n, d).
        kept: the fraction of variance, up to 1.
        tolerance: the `rounding_tolerance` of the array that the side came from.
    """
    tolerance = tolerance or rounding_tolerance(side)
    rows = center(side, "canonical correlation", tolerance)
    left, values, _ = torch.linalg.svd(rows, full_matrices=False)
    rank = int((values > tolerance * len(rows) ** 0.5 * side.abs().max()).sum())
    share = values.square().cumsum(0) / values.square().sum()
    enough = int((share < kept).sum()) + 1 if kept < 1 else rank
    return PrincipalSubspace(rows, left[:, : min(rank, enough)])


def unit_frobenius(side: Tensor, tolerance: float | None = None) -> Tensor:
    """Centre a side (n, d) and scale it to Frobenius norm 1."""
    rows = center(side, "Procrustes", tolerance)
    scaled: Tensor = rows / rows.norm()
    return scaled


def _with_tolerance(left: Array, right: Array, measure: str) -> list[tuple[Tensor, float]]:
    """Return both sides in double precision, each with the rounding tolerance of its array."""
    sides = zip(as_pair(left, right, measure), (left, right), strict=True)
    return [(side, rounding_tolerance(array)) for side, array in sides]


def svcca_estimate(
    x: PrincipalSubspace, y: PrincipalSubspace, context: Context = NO_CONTEXT
) -> list[Estimate]:
    """Return the SVCCA of two sides, with interval and null."""
    left, correlations, right = _canonical_variates(x, y, "SVCCA")
    weights = torch.full_like(correlations, 1 / len(correlations))
    influence = correlation_influence(left, right, correlations) @ weights

    def shuffled(order: Tensor) -> float:
        return float(torch.linalg.svdvals(x.directions.T @ y.directions[order]).mean())

    return _estimate(
        float(correlations @ weights), influence, shuffle_null(len(left), shuffled), context
    )


def pwcca_estimate(
    x: PrincipalSubspace, y: PrincipalSubspace, context: Context = NO_CONTEXT
) -> list[Estimate]:
    """Return the PWCCA of two sides, with interval and null; the interval keeps the weights."""
    left, correlations, right = _canonical_variates(x, y, "PWCCA")
    weights = _weights(x, left)
    influence = correlation_influence(left, right, correlations) @ weights

    def shuffled(order: Tensor) -> float:
        rotation, values, _ = torch.linalg.svd(x.directions.T @ y.directions[order])
        return float((_weights(x, x.directions @ rotation[:, : len(values)]) * values).sum())

    return _estimate(
        float(correlations @ weights), influence, shuffle_null(len(left), shuffled), context
    )


def procrustes_estimate(x: Tensor, y: Tensor, context: Context = NO_CONTEXT) -> list[Estimate]:
    """Return the Procrustes similarity of two sides of norm 1, with interval and null."""
    left, values, right = torch.linalg.svd(x.T @ y, full_matrices=False)
    value = float(values.sum())
    norms = x.square().sum(1) + y.square().sum(1)
    influence = len(x) * (((x @ left) * (y @ right.T)).sum(1) - value / 2 * norms)
    null = shuffle_null(len(x), lambda order: float(torch.linalg.svdvals(x.T @ y[order]).sum()))
    return _estimate(value, influence, null, context)


def _estimate(
    value: float, influence: Tensor, null: tuple[float, float], context: Context
) -> list[Estimate]:
    spread = influence_spread(influence, context.documents)
    return [Estimate("biased", value, *spread.around(value), *null, **spread.columns)]


def _canonical_variates(
    x: PrincipalSubspace, y: PrincipalSubspace, measure: str
) -> tuple[Tensor, Tensor, Tensor]:
    """Return variates (n, k) of norm 1, their correlations (k,), and the variates of ``y``."""
    n, most = len(x.side), max(x.width, y.width)
    if n - 1 <= most:
        raise SimilarityError(
            f"{measure} of {n} rows with {most} directions is 1 for any two sides. Compare many "
            "more rows than directions."
        )
    left, correlations, right = torch.linalg.svd(x.directions.T @ y.directions, full_matrices=False)
    # Rounding may put correlations above 1.
    return x.directions @ left, correlations.clamp(max=1), y.directions @ right.T


def _weights(x: PrincipalSubspace, variates: Tensor) -> Tensor:
    weights = (variates.T @ x.side).abs().sum(1)
    return weights / weights.sum()
