"""Retrieval measures: is the nearest sentence of the other language the translation?"""

import torch
from torch import Tensor

from alignscope.similarity.measures.estimate import Estimate
from alignscope.similarity.measures.inputs import Array, as_pair
from alignscope.similarity.measures.intervals import infinitesimal_jackknife, wilson_interval
from alignscope.similarity.measures.null import (
    RowMatrix,
    SparseScores,
    mean_moments,
    normal_null,
    permutation_null,
)


def retrieval(left: Array, right: Array, *, centred: bool = True) -> float:
    """Return precision at 1 by cosine, averaged over both directions.

    >>> import torch
    >>> x = torch.randn(100, 8)
    >>> retrieval(x, x)
    1.0

    If k sentences are equally near, the right one counts 1/k.

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


def unit_rows(side: Tensor, *, centred: bool = True) -> RowMatrix:
    """Subtract the mean of a side (n, d) and scale its rows to norm 1."""
    rows = side.double()
    return RowMatrix(torch.nn.functional.normalize(rows - rows.mean(0) if centred else rows, dim=1))


def retrieval_estimates(x: RowMatrix, y: RowMatrix) -> list[Estimate]:
    """Return retrieval, with Wilson's interval and the null of 1,000 random pairings."""
    return _share_estimates(_hits(x, y))


def mutual_nearest_estimates(x: RowMatrix, y: RowMatrix) -> list[Estimate]:
    """Return mutual nearest neighbours, with Wilson's interval and the null of 1,000 pairings."""
    return _share_estimates(_mutual_hits(x, y))


def cosine_estimates(x: RowMatrix, y: RowMatrix) -> list[Estimate]:
    """Return the mean cosine, with Student's interval and a normal null with exact moments."""
    cosines, null = _cosines(x, y), normal_null(*mean_moments(x, y))
    value = float(cosines.mean())
    return [Estimate("plain", value, *infinitesimal_jackknife(value, cosines), *null)]


def _unit_pair(
    left: Array, right: Array, measure: str, centred: bool
) -> tuple[RowMatrix, RowMatrix]:
    x, y = as_pair(left, right, measure, least=1, same_width=True)
    return unit_rows(x, centred=centred), unit_rows(y, centred=centred)


def _share_estimates(hits: SparseScores) -> list[Estimate]:
    value = hits.of_pairs()
    return [Estimate("plain", value, *wilson_interval(value, hits.n), *permutation_null(hits))]


def _cosines(x: RowMatrix, y: RowMatrix) -> Tensor:
    return (x.rows * y.rows).sum(1)


def _hits(x: RowMatrix, y: RowMatrix) -> SparseScores:
    """Return the hit of every pair (n, n), averaged over both directions."""
    cosines = x.rows @ y.rows.T
    forward, backward = _nearest(cosines), _nearest(cosines.T).T
    return SparseScores.of(forward / 2 + backward / 2)


def _mutual_hits(x: RowMatrix, y: RowMatrix) -> SparseScores:
    cosines = x.rows @ y.rows.T
    return SparseScores.of(_nearest(cosines) * _nearest(cosines.T).T)


def _nearest(cosines: Tensor) -> Tensor:
    """Return 1/k at the k columns that are equally near to a row and nearest, and 0 elsewhere."""
    best = (cosines >= cosines.amax(dim=1, keepdim=True) - 1e-12).double()
    return best / best.sum(1, keepdim=True)
