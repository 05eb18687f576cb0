"""Correlations over languages that are relatives: Spearman's, adjusted for genus and family."""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from alignscope._util.confidence import CONFIDENCE
from alignscope.analysis.arrays import Values
from alignscope.analysis.correlation import FEWEST, ranks
from alignscope.analysis.genealogy import Lineage

_SHARES = (0.0, 0.2, 0.4, 0.6, 0.8, 0.92)
GRID = tuple((family, genus) for family in _SHARES for genus in _SHARES if genus >= family)
"""The correlations within a family and within a genus over which estimates are averaged."""
_BISECTIONS = 30


class PhylogeneticCorrelation(NamedTuple):
    """A correlation for languages like these, with its interval and two-sided p-value.

    All are None if the correlation is undefined. The ends are None if all languages agree in their
    order or are in opposite orders, because the interval is undefined there.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    families: int = 0
    """The number of families, those of unknown languages included."""

    @property
    def columns(self) -> dict[str, float | None]:
        """The columns of the tables ``gaps`` and ``distances``."""
        return {
            "families": self.families,
            "phylo": self.value,
            "phylo_low": self.low,
            "phylo_high": self.high,
            "phylo_p": self.p,
        }


class _Whitening(NamedTuple):
    """Matrices that make languages independent, for each pair of `GRID`."""

    matrices: NDArray[np.float64]
    """Shape (pairs, languages, languages); a whitened constant is 0."""
    penalties: NDArray[np.float64]
    """The terms of the restricted log likelihood without data, of shape (pairs,)."""


def phylogenetic_correlation(
    left: Values, right: Values, lineages: Sequence[Lineage | None], level: float = CONFIDENCE
) -> PhylogeneticCorrelation:
    """Return Spearman's correlation over languages, adjusted for their genealogy.

    >>> from alignscope.analysis.genealogy import lineage
    >>> lineages = [lineage(code) for code in ("de", "sv", "fr", "fi", "tr", "ja")]
    >>> found = phylogenetic_correlation(np.arange(6.0), np.array([1.0, 0, 2, 3, 5, 4]), lineages)
    >>> round(found.value, 2), found.families
    (0.74, 4)

    Args:
        left: one value per language.
        right: the other values, in the same order.
        lineages: genus and family of each language. An unknown one is a family of its own.
        level: the level of confidence.

    Returns:
        The correlation, its interval and p-value. If no two languages are relatives, value and
        interval are those of `correlation`.

    Notes:
        Phylogenetic generalised least squares (Grafen 1989) on ranks. Two languages correlate by
        f within a family and by g within a genus. The pairs (f, g) are those of `GRID`, weighted
        by their restricted likelihood in the regression of one side on the other. There are two
        such regressions; the interval is the hull of both intervals, p the larger p-value and the
        value the mean. Single intervals are those of Bonett & Wright (2000).

        Choosing the most likely pair instead rejects a true null hypothesis in 11 % of studies at
        the 5 % level, because it ignores that the pair is uncertain.
    """
    families = len({_family(known, place) for place, known in enumerate(lineages)})
    if len(left) < FEWEST or len(set(left)) == 1 or len(set(right)) == 1:
        return PhylogeneticCorrelation(families=families)
    sides = np.stack([ranks(np.asarray(side, float)) for side in (left, right)])
    plain = float(np.corrcoef(sides[0], sides[1])[0, 1])
    if abs(plain) > 1 - 1e-12:
        p = min(1.0, 2 / math.factorial(families))
        return PhylogeneticCorrelation(float(round(plain)), None, None, p, families)
    white = _whitening(tuple(lineages))
    estimates, weights = _weighted_estimates(sides, white)
    spreads = np.sqrt((1 + estimates**2 / 2) / (len(left) - 3))
    return PhylogeneticCorrelation(
        float((weights @ estimates).mean()),
        *_interval(np.arctanh(estimates), spreads, weights, level),
        _p_value(np.arctanh(estimates) / spreads, weights),
        families,
    )


def _family(known: Lineage | None, place: int) -> str | int:
    return place if known is None else known.family


@lru_cache(maxsize=64)
def _whitening(lineages: tuple[Lineage | None, ...]) -> _Whitening:
    n = len(lineages)
    same_genus = np.array([[a is not None and a == b for b in lineages] for a in lineages])
    family = [_family(known, place) for place, known in enumerate(lineages)]
    same_family = np.array([[a == b for b in family] for a in family])
    matrices, penalties = [], []
    for within_family, within_genus in GRID:
        covariance = np.where(same_genus, within_genus, np.where(same_family, within_family, 0.0))
        np.fill_diagonal(covariance, 1.0)
        root = np.linalg.cholesky(covariance)
        inverse = np.linalg.inv(root)
        constant = inverse.sum(1)
        length = float(np.linalg.norm(constant))
        direction = constant / length
        matrices.append(inverse - np.outer(direction, direction @ inverse))
        penalties.append(float(np.log(np.diag(root)).sum() + np.log(length)))
    return _Whitening(np.array(matrices).reshape(-1, n, n), np.array(penalties))


def _weighted_estimates(sides: Values, white: _Whitening) -> tuple[Values, Values]:
    """Return the correlation of each pair of `GRID`, and its weight in either regression (2, …)."""
    left, right = (white.matrices @ side for side in sides)
    squares = (left**2).sum(1), (right**2).sum(1)
    estimates: Values = (left * right).sum(1) / np.sqrt(squares[0] * squares[1])
    estimates = np.clip(estimates, -1 + 1e-12, 1 - 1e-12)
    n = len(sides[0])
    weights = []
    for predictor, response in (squares, squares[::-1]):
        residual = response * (1 - estimates**2)
        likelihood = -white.penalties - 0.5 * np.log(predictor) - 0.5 * (n - 2) * np.log(residual)
        weight = np.exp(likelihood - likelihood.max())
        weights.append(weight / weight.sum())
    return estimates, np.array(weights)


def _below(transformed: Values, spreads: Values, weights: Values, value: float) -> Values:
    """Return the probability that Fisher's z lies below ``value``, for each regression."""
    from scipy.special import ndtr

    probabilities: Values = weights @ ndtr((value - transformed) / spreads)
    return probabilities


def _interval(
    transformed: Values, spreads: Values, weights: Values, level: float
) -> tuple[float, float]:
    """Return the hull of the intervals of both regressions, as correlations."""

    from scipy.special import ndtri

    def end(probability: float, regression: int) -> float:
        # The quantile of a mixture lies between the quantiles of its parts.
        parts = transformed + float(ndtri(probability)) * spreads
        low, high = float(parts.min()), float(parts.max())
        for _ in range(_BISECTIONS):
            middle = (low + high) / 2
            if _below(transformed, spreads, weights[regression], middle) < probability:
                low = middle
            else:
                high = middle
        return math.tanh((low + high) / 2)

    outer = (1 - level) / 2
    return min(end(outer, side) for side in (0, 1)), max(end(1 - outer, side) for side in (0, 1))


def _p_value(scores: Values, weights: Values) -> float:
    """Return the larger two-sided p-value of the correlation being 0."""
    from scipy.special import ndtr

    below, above = weights @ ndtr(-scores), weights @ ndtr(scores)
    return float(2 * np.minimum(below, above).max())
