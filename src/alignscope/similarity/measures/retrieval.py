"""Retrieval measures: is the nearest sentence of the other language the translation?"""

import torch
from torch import Tensor

from alignscope.similarity.measures.context import NO_CONTEXT, Context
from alignscope.similarity.measures.estimate import Estimate
from alignscope.similarity.measures.inputs import Array, as_pair
from alignscope.similarity.measures.intervals import (
    effective_number,
    influence_spread,
    wilson_interval,
)
from alignscope.similarity.measures.memo import memoize
from alignscope.similarity.measures.null import (
    NO_LENGTHS,
    SparseScores,
    length_columns,
    normal_null,
    permutation_null,
)
from alignscope.similarity.measures.row_means import RowMatrix, mean_length_band, mean_moments


def retrieval(left: Array, right: Array, *, centred: bool = True) -> float:
    """Return precision at 1 by cosine, averaged over both directions.

    >>> import torch
    >>> x = torch.randn(100, 8)
    >>> retrieval(x, x)
    1.0

    If k sentences are equally near, the right one counts 1/k. The mean that is subtracted from a
    candidate contains neither the candidate nor the translation that is sought.

    Args:
        left: one side, (n, d); row i of both sides is the same sentence.
        right: the other side, (n, d).
        centred: whether the mean of each side is subtracted first (Libovický et al. 2020): it
            encodes the language rather than the sentence.

    Returns:
        A number between 0 and 1; the level of chance is 1/n.

    Raises:
        SimilarityError: if the shapes differ or a value is not finite.
    """
    return _hits(*_unit_pair(left, right, "retrieval", centred)).of_pairs()


def mutual_nearest(left: Array, right: Array, *, centred: bool = True) -> float:
    """Return the share of sentences that are mutual nearest neighbours with their translation.

    >>> import torch
    >>> x = torch.randn(100, 8)
    >>> mutual_nearest(x, x)
    1.0

    As in `retrieval`, but both directions have to agree on a pair (the alignment score of MEXA,
    Kargaran et al. 2024). Ties count 1/k in each direction.

    Args:
        left: one side, (n, d); row i of both sides is the same sentence.
        right: the other side, (n, d).
        centred: whether the mean of each side is subtracted first.

    Raises:
        SimilarityError: as `retrieval` does.
    """
    return _mutual_hits(*_unit_pair(left, right, "mutual nearest neighbours", centred)).of_pairs()


def centred_cosine(left: Array, right: Array, *, centred: bool = True) -> float:
    """Return the mean cosine of a sentence and its translation.

    >>> import torch
    >>> x = torch.randn(100, 8)
    >>> round(centred_cosine(x, 2 * x + 1), 6)
    1.0

    A sentence that equals the mean of its side has no direction and counts 0.

    Args:
        left: one side, (n, d); row i of both sides is the same sentence.
        right: the other side, (n, d).
        centred: whether the mean of each side is subtracted first (Libovický et al. 2020).

    Returns:
        A number between -1 and 1; 0 for unrelated sides.

    Raises:
        SimilarityError: as `retrieval` does.
    """
    return float(_cosines(*_unit_pair(left, right, "cosine", centred)).mean())


class UnitRows(RowMatrix):
    """Rows (n, d) of norm 1, the ``norms`` (n,) that they had, and whether they were centred."""

    def __init__(self, rows: Tensor, *, centred: bool) -> None:
        self.norms, self.centred = rows.norm(dim=1), centred
        super().__init__(torch.nn.functional.normalize(rows, dim=1))

    @property
    @memoize
    def cosines(self) -> Tensor:
        """The cosines of all pairs of rows, (n, n)."""
        return self.rows @ self.rows.T


def unit_rows(side: Tensor, *, centred: bool = True) -> UnitRows:
    """Subtract the mean of a side (n, d) and scale its rows to norm 1."""
    rows = side.double()
    return UnitRows(rows - rows.mean(0) if centred else rows, centred=centred)


def retrieval_estimates(x: UnitRows, y: UnitRows, context: Context = NO_CONTEXT) -> list[Estimate]:
    """Return retrieval, with Wilson's interval and the null of 1,000 random pairings."""
    return _share_estimates(_hits(x, y), context)


def mutual_nearest_estimates(
    x: UnitRows, y: UnitRows, context: Context = NO_CONTEXT
) -> list[Estimate]:
    """Return mutual nearest neighbours, with Wilson's interval and the null of 1,000 pairings."""
    return _share_estimates(_mutual_hits(x, y), context)


def cosine_estimates(x: UnitRows, y: UnitRows, context: Context = NO_CONTEXT) -> list[Estimate]:
    """Return the mean cosine, with Student's interval and a normal null with exact moments."""
    cosines, null = _cosines(x, y), normal_null(*mean_moments(x, y))
    value, spread = float(cosines.mean()), influence_spread(cosines, context.documents)
    controls = mean_length_band(x, y, context.lengths)
    ends = spread.around(value)
    return [Estimate("plain", value, *ends, *null, **spread.columns, **controls)]


def _unit_pair(left: Array, right: Array, measure: str, centred: bool) -> tuple[UnitRows, UnitRows]:
    x, y = as_pair(left, right, measure, least=1, same_width=True)
    return unit_rows(x, centred=centred), unit_rows(y, centred=centred)


def _share_estimates(hits: SparseScores, context: Context) -> list[Estimate]:
    value, spread = hits.of_pairs(), influence_spread(hits.diagonal, context.documents)
    units = hits.n if context.documents is None else effective_number(value, spread, hits.n)
    controls = NO_LENGTHS
    if context.lengths is not None:
        ends = permutation_null(hits, pairings=context.lengths.pairings)
        controls = length_columns(ends, context.lengths)
    interval, null = wilson_interval(value, units), permutation_null(hits)
    return [Estimate("plain", value, *interval, *null, **spread.columns, **controls)]


def _cosines(x: UnitRows, y: UnitRows) -> Tensor:
    return (x.rows * y.rows).sum(1)


def _hits(x: UnitRows, y: UnitRows) -> SparseScores:
    """Return the hit of every pair (n, n), averaged over both directions."""
    forward, backward = _both_directions(x, y)
    return SparseScores.of(forward / 2 + backward / 2)


def _mutual_hits(x: UnitRows, y: UnitRows) -> SparseScores:
    forward, backward = _both_directions(x, y)
    return SparseScores.of(forward * backward)


def _both_directions(x: UnitRows, y: UnitRows) -> tuple[Tensor, Tensor]:
    cosines = x.rows @ y.rows.T
    return _nearest(cosines, y), _nearest(cosines.T, x).T


def _nearest(cosines: Tensor, candidates: UnitRows) -> Tensor:
    """Return 1/k at the k candidates that are equally near to a row and nearest, and 0 elsewhere.

    The diagonal, which decides the value, is computed with other means than the rest, which decides
    the null band (`_without_own_rows`).
    """
    shares = _shares(cosines)
    if candidates.centred:
        shares.diagonal().copy_(_shares(_without_own_rows(cosines, candidates)).diagonal())
    return shares


def _shares(cosines: Tensor) -> Tensor:
    best = (cosines >= cosines.amax(dim=1, keepdim=True) - 1e-12).double()
    return best / best.sum(1, keepdim=True)


def _without_own_rows(cosines: Tensor, candidates: UnitRows) -> Tensor:
    """Return the cosines of every row i with the candidates, centred without two of their rows.

    The mean that is subtracted from candidate j contains neither j nor the translation of row i. If
    it contained the translation, all other candidates would move away from it, by about 1/n of its
    distance to the mean, and it would be found too often. From candidates y_j that are centred with
    all rows, y_j + y_i / (n − 1) has the same direction.
    """
    n, norms = len(cosines), candidates.norms
    share = norms[:, None] / max(1, n - 1)
    products: Tensor = cosines * norms + cosines.diagonal()[:, None] * share
    squares: Tensor = norms.square() + 2 * candidates.cosines * share * norms + share.square()
    return products / squares.clamp(min=torch.finfo(squares.dtype).tiny).sqrt()
