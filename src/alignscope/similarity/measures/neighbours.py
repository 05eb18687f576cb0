"""Mutual k-nearest neighbours: have both sides the same neighbours within themselves?"""

import numpy as np
import torch
from torch import Tensor

from alignscope.errors import SimilarityError
from alignscope.similarity.measures.context import NO_CONTEXT, Context, Documents
from alignscope.similarity.measures.estimate import Estimate
from alignscope.similarity.measures.inputs import Array, as_pair
from alignscope.similarity.measures.intervals import jackknife_spread
from alignscope.similarity.measures.null import (
    NO_LENGTHS,
    length_columns,
    quantile_interval,
    random_pairings,
)
from alignscope.similarity.measures.retrieval import UnitRows, unit_rows

DRAWS = 400
"""Random pairings of the null band."""
MATCHES_AT_ONCE = 4_000_000
"""Pairs of neighbours that the jackknife compares at once, which bounds its memory."""


def mutual_knn(left: Array, right: Array, *, neighbours: int = 10) -> float:
    """Return the share of k nearest neighbours that both sides have in common (Huh et al. 2024).

    >>> x = torch.randn(100, 8)
    >>> mutual_knn(x, x)
    1.0

    The neighbours of a row are rows of the same side, by cosine after the mean of the side is
    subtracted. Unlike `retrieval.mutual_nearest`, the value does not depend on where the sides lie
    relative to each other, so that they may differ in width.

    Args:
        left: one side, (n, d).
        right: the other side, (n, e).
        neighbours: k, less than n.

    Returns:
        A number between 0 and 1; about k / (n - 1) for unrelated sides.

    Raises:
        SimilarityError: if the numbers of rows differ, there are not more rows than neighbours, or
            a value is not finite.
    """
    x, y = (unit_rows(side) for side in as_pair(left, right, "mutual k-nearest neighbours"))
    return float(_shared(_nearest_rows(x, neighbours), _adjacency(y, neighbours)).mean())


def mutual_knn_estimates(x: UnitRows, y: UnitRows, context: Context = NO_CONTEXT) -> list[Estimate]:
    """Return mutual k-nearest neighbours, with a jackknife and the null of 400 pairings."""
    k, documents = context.neighbours, context.documents
    nearest, adjacency = _nearest_rows(x, k), _adjacency(y, k)
    value = float(_shared(nearest, adjacency).mean())
    spread = jackknife_spread(_without_each((x, y), k, documents), documents)
    null = _band(nearest, adjacency, random_pairings(len(nearest))[:, :DRAWS])
    controls = NO_LENGTHS
    if context.lengths is not None:
        band = _band(nearest, adjacency, context.lengths.pairings)
        controls = length_columns(band, context.lengths)
    ends = spread.around(value)
    return [Estimate("plain", value, *ends, *null, **spread.columns, **controls)]


def _without_each(sides: tuple[UnitRows, UnitRows], k: int, documents: Documents | None) -> Tensor:
    """Return the value without each row (n,), or without each document (documents,).

    Where a neighbour is left out, the next nearest row takes its place. The means of the sides are
    kept.
    """
    n = len(sides[0].rows)
    left_out = Documents(range(n)) if documents is None else documents
    longer = min(n - 1, k + int(left_out.sizes.max()))
    lists = [_nearest_rows(side, longer) for side in sides]
    groups = [left_out.index[rows] for rows in lists]
    shares = _shared(lists[0][:, :k], _adjacency(sides[1], k))
    row, group = _affected([part[:, :k] for part in groups], left_out)
    change = torch.zeros(left_out.count, dtype=torch.float64)
    size = max(1, MATCHES_AT_ONCE // longer**2)
    for rows, of_rows in zip(torch.split(row, size), torch.split(group, size), strict=True):
        kept = [part[rows] != of_rows[:, None] for part in groups]
        chosen = [mask & (mask.cumsum(1) <= k) for mask in kept]
        same = lists[0][rows][:, :, None] == lists[1][rows][:, None, :]
        common = (same & chosen[0][:, :, None] & chosen[1][:, None, :]).sum((1, 2)).double() / k
        change.index_add_(0, of_rows, common - shares[rows])
    return (shares.sum() - left_out.sum(shares) + change) / (n - left_out.sizes)


def _affected(groups: list[Tensor], left_out: Documents) -> tuple[Tensor, Tensor]:
    """Return all pairs of a row and another group that holds one of the row's neighbours."""
    rows = torch.arange(len(left_out.index))[:, None]
    numbers = torch.cat([(rows * left_out.count + part).flatten() for part in groups])
    pairs = torch.from_numpy(np.unique(numbers.numpy()))
    row, group = pairs // left_out.count, pairs % left_out.count
    other = left_out.index[row] != group
    return row[other], group[other]


def _nearest_rows(side: UnitRows, k: int) -> Tensor:
    """Return the k nearest other rows of every row, (n, k)."""
    if k >= len(side.rows):
        raise SimilarityError(
            f"{len(side.rows)} rows do not have {k} neighbours each. Compare more rows, or lower "
            "`neighbours`."
        )
    cosines = side.cosines.clone().fill_diagonal_(-torch.inf)
    return cosines.topk(k, dim=1).indices.cpu()


def _adjacency(side: UnitRows, k: int) -> Tensor:
    """Return which rows are among the k nearest of which, (n, n)."""
    nearest = _nearest_rows(side, k)
    return torch.zeros(len(nearest), len(nearest), dtype=torch.bool).scatter_(1, nearest, True)


def _shared(nearest: Tensor, adjacency: Tensor) -> Tensor:
    """Return for every row the share of its neighbours that are so on the other side, (n,)."""
    return adjacency.gather(1, nearest).double().mean(1)


def _band(nearest: Tensor, adjacency: Tensor, pairings: Tensor) -> tuple[float, float]:
    values = []
    for pairing in pairings.T.long():
        values.append(adjacency[pairing[:, None], pairing[nearest]].double().mean())
    return quantile_interval(torch.stack(values))
