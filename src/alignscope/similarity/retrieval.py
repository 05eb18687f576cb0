"""Translation retrieval: is the nearest sentence of the other language the translation?"""

import torch
from torch import Tensor

from alignscope.similarity.sides import Array, sides


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
    cosines = _cosines(left, right, "retrieval", centred)
    return float((_nearest(cosines).diagonal() + _nearest(cosines.T).diagonal()).mean() / 2)


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
    cosines = _cosines(left, right, "mutual nearest neighbours", centred)
    return float((_nearest(cosines).diagonal() * _nearest(cosines.T).diagonal()).mean())


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
    x, y = _directions(left, right, "cosine", centred)
    return float((x * y).sum(1).mean())


def _cosines(left: Array, right: Array, measure: str, centred: bool) -> Tensor:
    x, y = _directions(left, right, measure, centred)
    return x @ y.T


def _directions(left: Array, right: Array, measure: str, centred: bool) -> tuple[Tensor, Tensor]:
    x, y = sides(left, right, measure, least=1, same_width=True)
    if centred:
        x, y = x - x.mean(0), y - y.mean(0)
    return torch.nn.functional.normalize(x, dim=1), torch.nn.functional.normalize(y, dim=1)


def _nearest(cosines: Tensor) -> Tensor:
    """Each row's nearest columns: 1/k where k of them are equally near, else 0."""
    best = cosines >= cosines.max(dim=1, keepdim=True).values - 1e-12
    return best.double() / best.sum(1, keepdim=True)
