"""Canonical correlation: what the best linear maps of two sides have in common."""

import torch
from torch import Tensor

from alignscope.errors import SimilarityError
from alignscope.similarity.sides import Array, centred_sides


def svcca(left: Array, right: Array, *, kept: float = 0.99) -> float:
    """Return the mean canonical correlation of the directions that matter (Raghu et al. 2017).

    >>> x = torch.randn(100, 8)
    >>> round(svcca(x, x), 6)
    1.0

    Each side is reduced to the principal directions that hold the fraction ``kept`` of its
    variance; the mean is over as many correlations as the smaller side has directions. Biased
    upwards unless n is much larger than their number.

    Raises:
        SimilarityError: if the sides cannot be compared (`sides.centred_sides`), or have no more
            rows than directions: every pair of sides would then give 1.
    """
    x, y = centred_sides(left, right, "SVCCA")
    bases = [_basis(side, kept) for side in (x, y)]
    _refuse_saturated(len(x), bases, "SVCCA")
    return float(_correlations(*bases).mean())


def pwcca(left: Array, right: Array) -> float:
    """Return projection-weighted canonical correlation (Morcos et al. 2018, equation 4 and 5).

    >>> x = torch.randn(100, 8)
    >>> round(pwcca(x, x), 6)
    1.0

    The canonical correlations, each weighted by how much of ``left`` its direction accounts for;
    so it is not symmetric. Biased upwards unless n is much larger than d.

    Raises:
        SimilarityError: as `svcca` does.
    """
    x, y = centred_sides(left, right, "PWCCA")
    one, other = _basis(x, 1.0), _basis(y, 1.0)
    _refuse_saturated(len(x), [one, other], "PWCCA")
    turns, correlations, _ = torch.linalg.svd(one.T @ other, full_matrices=False)
    weights = ((one @ turns).T @ x).abs().sum(1)
    return float((weights * correlations.clamp(max=1)).sum() / weights.sum())


def _basis(side: Tensor, kept: float) -> Tensor:
    """Orthonormal directions (n, k) of a centred side: as many as hold ``kept`` of its variance."""
    left, values, _ = torch.linalg.svd(side, full_matrices=False)
    rank = int((values > values[0] * max(side.shape) * torch.finfo(side.dtype).eps).sum())
    share = values.square().cumsum(0) / values.square().sum()
    enough = int((share < kept).sum()) + 1 if kept < 1 else rank
    directions: Tensor = left[:, : min(rank, enough)]
    return directions


def _correlations(one: Tensor, other: Tensor) -> Tensor:
    correlations: Tensor = torch.linalg.svdvals(one.T @ other)
    return correlations.clamp(max=1)  # rounding may put them above


def _refuse_saturated(n: int, bases: list[Tensor], measure: str) -> None:
    most = max(basis.shape[1] for basis in bases)
    if n - 1 <= most:
        raise SimilarityError(
            f"{measure} of {n} rows with {most} directions is 1 whatever they are: it needs more "
            "rows than directions, and many more to mean anything"
        )
