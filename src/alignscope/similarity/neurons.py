"""Measures that look for the same neurons or the same geometry, not for a kernel's."""

import torch
from scipy.stats import spearmanr
from torch import Tensor

from alignscope.errors import SimilarityError
from alignscope.similarity.sides import CONSTANT, Array, centred_sides, sides


def anc(left: Array, right: Array) -> float:
    """Return the average neuron-wise correlation (Del & Fishel 2022).

    >>> x = torch.randn(100, 8)
    >>> round(anc(x, x), 6)
    1.0

    The mean over columns of Pearson's correlation of column i of ``left`` (n, d) with column i of
    ``right`` (n, d): it asks whether the *same* neurons do the same, so unlike CKA a rotation of
    one side lowers it. About 0 for independent sides, between -1 and 1. A neuron that is constant
    on a side correlates with nothing and counts 0.

    Raises:
        SimilarityError: if the shapes differ, there are fewer than 2 rows, a value is not finite
            or a side does not vary.
    """
    x, y = centred_sides(left, right, "ANC", same_width=True)
    x, y = (torch.nn.functional.normalize(_without_rounding(side), dim=0) for side in (x, y))
    return float((x * y).sum(0).mean())


def _without_rounding(side: Tensor) -> Tensor:
    """Zero the columns of which centring left nothing but rounding."""
    most = side.abs().amax(0)
    return torch.where(most > 1e-12 * side.abs().max(), side, 0.0)


def procrustes(left: Array, right: Array) -> float:
    """Return how well the best rotation carries one side onto the other (Ding et al. 2021).

    >>> x = torch.randn(100, 8)
    >>> round(procrustes(x, x @ torch.linalg.qr(torch.randn(8, 8)).Q), 6)
    1.0

    With both sides centred and of Frobenius norm 1 it is the nuclear norm of XᵀY, between 0 and
    1; the orthogonal Procrustes distance of that paper is 2 - 2 times it. Biased upwards where n
    is not much larger than d, as biased CKA is.

    Raises:
        SimilarityError: if there are fewer than 2 rows, or numbers of rows that differ, a value is
            not finite or a side does not vary.
    """
    x, y = centred_sides(left, right, "Procrustes")
    return float(torch.linalg.svdvals(x.T @ y).sum() / (x.norm() * y.norm()))


def rsa(left: Array, right: Array) -> float:
    """Return representational similarity analysis (Kriegeskorte et al. 2008).

    >>> x = torch.randn(100, 8)
    >>> round(rsa(x, x), 6)
    1.0

    Spearman's correlation, over all pairs of rows, of how dissimilar the two are on one side with
    how dissimilar they are on the other; dissimilarity is 1 - Pearson's correlation of the rows.
    Memory grows with n².

    Raises:
        SimilarityError: if there are fewer than 4 rows, or numbers of rows that differ, a value is
            not finite, or all pairs of a side are equally dissimilar.
    """
    # Rows are compared as they are: centring them by column as well would be another measure.
    both = sides(left, right, "RSA", least=4)
    above = torch.triu_indices(len(both[0]), len(both[0]), 1, device=both[0].device)
    pairs = [_correlations(side)[*above].cpu() for side in both]
    if any(float(pair.max() - pair.min()) <= 1e-12 for pair in pairs):
        raise SimilarityError(CONSTANT.format("RSA"))
    return float(spearmanr(*(1 - pair.numpy() for pair in pairs)).statistic)


def _correlations(rows: Tensor) -> Tensor:
    rows = torch.nn.functional.normalize(rows - rows.mean(1, keepdim=True), dim=1)
    return rows @ rows.T
