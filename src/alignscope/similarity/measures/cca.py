"""What the best linear maps of two sides have in common: canonical correlation and Procrustes."""

from dataclasses import dataclass

import torch
from torch import Tensor

from alignscope.errors import SimilarityError
from alignscope.similarity.measures.estimate import Estimate
from alignscope.similarity.measures.inputs import (
    Array,
    as_pair,
    center,
    rounding_tolerance,
    warn_biased,
)
from alignscope.similarity.measures.intervals import correlation_influence, infinitesimal_jackknife
from alignscope.similarity.measures.null import shuffle_null


def svcca(left: Array, right: Array, *, kept: float = 0.99) -> float:
    """Return the mean canonical correlation of the directions that matter (Raghu et al. 2017).

    >>> x = torch.randn(100, 8)
    >>> round(svcca(x, x), 6)
    1.0

    Each side (n, d) is reduced to the principal directions that hold the fraction ``kept`` of its
    variance; the mean is over as many correlations as the smaller side has directions. Biased
    upwards unless n is much larger than their number (`as_pair.BiasWarning`).

    Raises:
        SimilarityError: if the sides do not have the same n of at least 2 rows, are not finite,
            one of them does not vary, or they have no more rows than directions: every pair of
            sides would then give 1.
    """
    x, y = (principal_subspace(side, kept, eps) for side, eps in _rounded(left, right, "SVCCA"))
    _, correlations, _ = _canonical(x, y, "SVCCA")
    warn_biased("SVCCA", len(x.side), max(x.width, y.width))
    return float(correlations.mean())


def pwcca(left: Array, right: Array) -> float:
    """Return projection-weighted canonical correlation (Morcos et al. 2018, equation 4 and 5).

    >>> x = torch.randn(100, 8)
    >>> round(pwcca(x, x), 6)
    1.0

    The canonical correlations, each weighted by how much of ``left`` its direction accounts for;
    so it is not symmetric. Biased upwards unless n is much larger than d (`as_pair.BiasWarning`).

    Raises:
        SimilarityError: as `svcca` does.
    """
    x, y = (principal_subspace(side, 1.0, eps) for side, eps in _rounded(left, right, "PWCCA"))
    variates, correlations, _ = _canonical(x, y, "PWCCA")
    warn_biased("PWCCA", len(x.side), max(x.width, y.width))
    return float((_weights(x, variates) * correlations).sum())


def procrustes(left: Array, right: Array) -> float:
    """Return how well the best rotation carries one side onto the other (Ding et al. 2021).

    >>> x = torch.randn(100, 8)
    >>> round(procrustes(x, x @ torch.linalg.qr(torch.randn(8, 8)).Q), 6)
    1.0

    With both sides centred and of Frobenius norm 1 it is the nuclear norm of XᵀY, between 0 and
    1; the orthogonal Procrustes distance of that paper is 2 - 2 times it. Biased upwards where n
    is not much larger than d, as biased CKA is (`as_pair.BiasWarning`).

    Raises:
        SimilarityError: if there are fewer than 2 rows, or numbers of rows that differ, a value is
            not finite or a side does not vary.
    """
    x, y = (unit_frobenius(side, eps) for side, eps in _rounded(left, right, "Procrustes"))
    warn_biased("Procrustes", len(x), max(x.shape[1], y.shape[1]))
    return float(torch.linalg.svdvals(x.T @ y).sum())


@dataclass(frozen=True, eq=False)
class PrincipalSubspace:
    """A centred side (n, d) and orthonormal principal ``directions`` (n, k) of it."""

    side: Tensor
    directions: Tensor

    @property
    def width(self) -> int:
        """How many directions there are."""
        return self.directions.shape[1]


def principal_subspace(
    side: Tensor, kept: float, relative: float | None = None
) -> PrincipalSubspace:
    """Find as many principal directions of a side as hold the fraction ``kept`` of its variance.

    Directions that rounding may have made do not count; of single precision there are some
    wherever a side has a lower rank than columns, as after a layer's norm.
    """
    relative = relative or rounding_tolerance(side)
    rows = center(side, "canonical correlation", relative)
    left, values, _ = torch.linalg.svd(rows, full_matrices=False)
    rank = int((values > relative * len(rows) ** 0.5 * side.abs().max()).sum())
    share = values.square().cumsum(0) / values.square().sum()
    enough = int((share < kept).sum()) + 1 if kept < 1 else rank
    return PrincipalSubspace(rows, left[:, : min(rank, enough)])


def unit_frobenius(side: Tensor, relative: float | None = None) -> Tensor:
    """Centre a side and scale it to Frobenius norm 1."""
    rows = center(side, "Procrustes", relative)
    scaled: Tensor = rows / rows.norm()
    return scaled


def _rounded(left: Array, right: Array, measure: str) -> list[tuple[Tensor, float]]:
    """Both sides in double, and how coarse they were given."""
    both = zip(as_pair(left, right, measure), (left, right), strict=True)
    return [(side, rounding_tolerance(given)) for side, given in both]


def svcca_estimate(x: PrincipalSubspace, y: PrincipalSubspace) -> list[Estimate]:
    """Return SVCCA of two sides, with interval and null (`_estimate`)."""
    one, correlations, other = _canonical(x, y, "SVCCA")
    weights = torch.full_like(correlations, 1 / len(correlations))
    influence = correlation_influence(one, other, correlations) @ weights

    def shuffled(order: Tensor) -> float:
        return float(torch.linalg.svdvals(x.directions.T @ y.directions[order]).mean())

    return _estimate(float(correlations @ weights), influence, shuffle_null(len(one), shuffled))


def pwcca_estimate(x: PrincipalSubspace, y: PrincipalSubspace) -> list[Estimate]:
    """Return PWCCA of two sides, with interval and null; its interval holds the weights fixed."""
    one, correlations, other = _canonical(x, y, "PWCCA")
    weights = _weights(x, one)
    influence = correlation_influence(one, other, correlations) @ weights

    def shuffled(order: Tensor) -> float:
        turns, found, _ = torch.linalg.svd(x.directions.T @ y.directions[order])
        return float((_weights(x, x.directions @ turns[:, : len(found)]) * found).sum())

    return _estimate(float(correlations @ weights), influence, shuffle_null(len(one), shuffled))


def procrustes_estimate(x: Tensor, y: Tensor) -> list[Estimate]:
    """Return Procrustes' similarity of two sides of norm 1, with interval and null."""
    turns, values, others = torch.linalg.svd(x.T @ y, full_matrices=False)
    value = float(values.sum())
    norms = x.square().sum(1) + y.square().sum(1)
    influence = len(x) * (((x @ turns) * (y @ others.T)).sum(1) - value / 2 * norms)
    null = shuffle_null(len(x), lambda order: float(torch.linalg.svdvals(x.T @ y[order]).sum()))
    return _estimate(value, influence, null)


def _estimate(value: float, influence: Tensor, null: tuple[float, float]) -> list[Estimate]:
    return [Estimate("biased", value, *infinitesimal_jackknife(value, influence), *null)]


def _canonical(
    x: PrincipalSubspace, y: PrincipalSubspace, measure: str
) -> tuple[Tensor, Tensor, Tensor]:
    """Canonical variates (n, k) of norm 1, their correlations (k,), and those of the other side."""
    n, most = len(x.side), max(x.width, y.width)
    if n - 1 <= most:
        raise SimilarityError(
            f"{measure} of {n} rows with {most} directions is 1 whatever they are: it needs more "
            "rows than directions, and many more to mean anything"
        )
    turns, correlations, others = torch.linalg.svd(
        x.directions.T @ y.directions, full_matrices=False
    )
    # Rounding may put correlations above 1.
    return x.directions @ turns, correlations.clamp(max=1), y.directions @ others.T


def _weights(x: PrincipalSubspace, variates: Tensor) -> Tensor:
    weights = (variates.T @ x.side).abs().sum(1)
    return weights / weights.sum()
