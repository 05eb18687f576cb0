"""Is the nearest sentence of the other language the translation, and how near is it?"""

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
    """Return precision at 1 by cosine, the mean of both directions, between 0 and 1.

    >>> x = torch.randn(100, 8)
    >>> retrieval(x, x)
    1.0

    Row i of ``left`` (n, d) and ``right`` (n, d) is the same sentence; 1/n is chance. Each side's
    mean is taken off first (Libovický et al. 2020), for it tells the language, not the sentence;
    not so with ``centred`` off. Of k sentences that are equally near, the right one counts 1/k.

    Raises:
        SimilarityError: if the shapes differ or a value is not finite.
    """
    return _found(*_both(left, right, "retrieval", centred)).of_pairs()


def mutual_nearest(left: Array, right: Array, *, centred: bool = True) -> float:
    """Return how often a sentence and its translation are each other's nearest by cosine.

    >>> x = torch.randn(100, 8)
    >>> mutual_nearest(x, x)
    1.0

    As `retrieval`, but both directions have to agree on a pair (the alignment score of MEXA,
    Kargaran et al. 2024). Ties count 1/k in each direction.

    Raises:
        SimilarityError: as `retrieval` does.
    """
    return _agreed(*_both(left, right, "mutual nearest neighbours", centred)).of_pairs()


def centred_cosine(left: Array, right: Array, *, centred: bool = True) -> float:
    """Return the mean cosine of a sentence and its translation, each side's mean taken off.

    >>> x = torch.randn(100, 8)
    >>> round(centred_cosine(x, 2 * x + 1), 6)
    1.0

    Between -1 and 1; 0 for unrelated sides (Libovický et al. 2020). A sentence that is its side's
    mean has no direction and counts 0.

    Raises:
        SimilarityError: as `retrieval` does.
    """
    return float(_cosines(*_both(left, right, "cosine", centred)).mean())


def unit_rows(side: Tensor, *, centred: bool = True) -> RowMatrix:
    """Scale the rows of a side (n, d) to norm 1, its mean taken off before."""
    rows = side.double()
    return RowMatrix(torch.nn.functional.normalize(rows - rows.mean(0) if centred else rows, dim=1))


def retrieval_estimates(x: RowMatrix, y: RowMatrix) -> list[Estimate]:
    """Return retrieval, with Wilson's interval and the null of 1000 pairings."""
    return _share(_found(x, y))


def mutual_nearest_estimates(x: RowMatrix, y: RowMatrix) -> list[Estimate]:
    """Return mutual nearest neighbours, with Wilson's interval and the null of 1000 pairings."""
    return _share(_agreed(x, y))


def cosine_estimates(x: RowMatrix, y: RowMatrix) -> list[Estimate]:
    """Return the mean cosine, with Student's interval and the normal null of its exact moments."""
    cosines, null = _cosines(x, y), normal_null(*mean_moments(x, y))
    value = float(cosines.mean())
    return [Estimate("plain", value, *infinitesimal_jackknife(value, cosines), *null)]


def _both(left: Array, right: Array, measure: str, centred: bool) -> tuple[RowMatrix, RowMatrix]:
    x, y = as_pair(left, right, measure, least=1, same_width=True)
    return unit_rows(x, centred=centred), unit_rows(y, centred=centred)


def _share(shares: SparseScores) -> list[Estimate]:
    value = shares.of_pairs()
    return [Estimate("plain", value, *wilson_interval(value, shares.n), *permutation_null(shares))]


def _cosines(x: RowMatrix, y: RowMatrix) -> Tensor:
    return (x.rows * y.rows).sum(1)


def _found(x: RowMatrix, y: RowMatrix) -> SparseScores:
    """How far each pair is found, the mean of both directions."""
    cosines = x.rows @ y.rows.T
    there, back = _nearest(cosines), _nearest(cosines.T).T
    return SparseScores.of(there / 2 + back / 2)


def _agreed(x: RowMatrix, y: RowMatrix) -> SparseScores:
    cosines = x.rows @ y.rows.T
    return SparseScores.of(_nearest(cosines) * _nearest(cosines.T).T)


def _nearest(cosines: Tensor) -> Tensor:
    """Each row's nearest columns: 1/k where k of them are equally near, else 0."""
    best = (cosines >= cosines.amax(dim=1, keepdim=True) - 1e-12).double()
    return best / best.sum(1, keepdim=True)
