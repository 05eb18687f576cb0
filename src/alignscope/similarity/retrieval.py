"""Translation retrieval: is the nearest sentence of the other language the translation?"""

import torch
from torch import Tensor

from alignscope.errors import SimilarityError


def retrieval(left: Tensor, right: Tensor, *, centred: bool = True) -> float:
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
    if left.shape != right.shape or left.ndim != 2 or not len(left):
        shapes = f"{tuple(left.shape)} and {tuple(right.shape)}"
        raise SimilarityError(f"retrieval compares (n, d) with (n, d), not {shapes}")
    if not (left.isfinite().all() and right.isfinite().all()):
        raise SimilarityError("retrieval among values that are not finite is not defined")
    x, y = (_directions(side.double(), centred) for side in (left, right))
    cosines = x @ y.T
    return (_precision(cosines) + _precision(cosines.T)) / 2


def _directions(side: Tensor, centred: bool) -> Tensor:
    side = side - side.mean(0) if centred else side
    return torch.nn.functional.normalize(side, dim=1)


def _precision(cosines: Tensor) -> float:
    """How often the diagonal has its row's maximum, ties shared."""
    best = cosines.max(dim=1, keepdim=True).values
    nearest = cosines >= best - 1e-12
    return float((nearest.diagonal() / nearest.sum(1)).mean())
