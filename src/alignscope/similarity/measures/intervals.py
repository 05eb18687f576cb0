"""Confidence intervals for other rows of the same kind."""

import math
from dataclasses import dataclass
from typing import TypedDict

from scipy.special import ndtri, stdtrit
from torch import Tensor

from alignscope._util.confidence import CONFIDENCE
from alignscope.similarity.measures.context import Documents


@dataclass(frozen=True, eq=False)
class Spread:
    """How an estimate varies: the deviations without each row or document.

    The sum of the squared ``deviations`` is the variance of the estimate. ``documents`` is their
    number, or None if single rows are left out.
    """

    deviations: Tensor
    documents: int | None = None

    @property
    def error(self) -> float:
        """The standard error of the estimate."""
        return float(self.deviations.norm())

    @property
    def columns(self) -> "SpreadColumns":
        """The fields of `Estimate` beside the interval."""
        return {"documents": self.documents, "deviations": self.deviations}

    def around(self, estimate: float, level: float = CONFIDENCE) -> tuple[float, float]:
        """Return the interval of an estimate: Student's, with one degree of freedom less than
        there are deviations.
        """
        reach = float(stdtrit(len(self.deviations) - 1, (1 + level) / 2)) * self.error
        return estimate - reach, estimate + reach


class SpreadColumns(TypedDict):
    """The fields of `Estimate` that a `Spread` fills."""

    documents: int | None
    deviations: Tensor


def jackknife_spread(without_each: Tensor, documents: Documents | None = None) -> Spread:
    """Return the spread of an estimate from its values without each row or each document.

    Args:
        without_each: the values without row i (n,), or without document g (documents,).
        documents: the documents, if they were left out instead of rows.
    """
    n = len(without_each)
    deviations = math.sqrt((n - 1) / n) * (without_each - without_each.mean())
    return Spread(deviations, None if documents is None else documents.count)


def influence_spread(influence: Tensor, documents: Documents | None = None) -> Spread:
    """Return the spread of an estimate from the influence of every row, (n,).

    The influences of the rows of one document are added up (the linearised jackknife over
    clusters). Without documents, every row counts as one.
    """
    n, centred = len(influence), influence - influence.mean()
    if documents is None:
        return Spread(centred / math.sqrt(n * (n - 1)))
    groups = documents.count
    return Spread(documents.sum(centred) * math.sqrt(groups / (groups - 1)) / n, groups)


def jackknife(
    estimate: float, without_each: Tensor, level: float = CONFIDENCE
) -> tuple[float, float]:
    """Return an interval from the values of a measure without row i, for every i.

    >>> import torch
    >>> low, high = jackknife(0.5, torch.tensor([0.49, 0.5, 0.51]))
    >>> low < 0.5 < high
    True

    The interval is the estimate plus and minus Student's quantile times the standard error of the
    delete-one jackknife (Efron & Stein 1981). A bootstrap would not do: its samples contain
    duplicates, which neighbour-based measures and debiased CKA count as perfect matches.

    Args:
        estimate: the value for all n rows.
        without_each: the values without row i, for every i, (n,).
        level: the coverage.
    """
    return jackknife_spread(without_each).around(estimate, level)


def infinitesimal_jackknife(
    estimate: float, influence: Tensor, level: float = CONFIDENCE
) -> tuple[float, float]:
    """Return an interval from the influence of every row on a measure.

    >>> import torch
    >>> low, high = infinitesimal_jackknife(0.5, torch.tensor([0.1, -0.1, 0.2, -0.2]))
    >>> low < 0.5 < high
    True

    This is the infinitesimal jackknife (Jaeckel 1972). The influence of a row is n times the
    derivative of the estimate with respect to the weight of that row. For a mean it is the row's
    own value, and the interval is Student's.

    Args:
        estimate: the value for all n rows.
        influence: the influence of every row, (n,).
        level: the coverage.
    """
    return influence_spread(influence).around(estimate, level)


def correlation_influence(x: Tensor, y: Tensor, correlations: Tensor) -> Tensor:
    """Return the influence of every row on the correlations of columns, (n, k).

    The formula of Devlin et al. (1975). For canonical variates it also gives the influence on the
    canonical correlations (Romanazzi 1992).

    Args:
        x: centred columns of norm 1, (n, k).
        y: centred columns of norm 1, (n, k).
        correlations: those of column i of ``x`` with column i of ``y``, (k,).
    """
    return len(x) * (x * y - correlations / 2 * (x.square() + y.square()))


def effective_number(share: float, spread: Spread, n: int) -> float:
    """Return the number of independent cases that inform a proportion as much as n dependent ones.

    It is share (1 − share) / variance, times (z / t)² because the variance is estimated from as
    many deviations as there are documents (Korn & Graubard 1998), and n at most. If all documents
    agree, every document counts as one case.

    Args:
        share: the proportion, between 0 and 1.
        spread: how it varies over documents.
        n: the number of cases.
    """
    groups = len(spread.deviations)
    if spread.error < 1e-9:
        return groups
    quantiles = float(ndtri((1 + CONFIDENCE) / 2)), float(stdtrit(groups - 1, (1 + CONFIDENCE) / 2))
    independent = share * (1 - share) / spread.error**2
    return min(float(n), independent * (quantiles[0] / quantiles[1]) ** 2)


def wilson_interval(share: float, n: float, level: float = CONFIDENCE) -> tuple[float, float]:
    """Return Wilson's interval (1927) for a proportion of n cases.

    >>> low, high = wilson_interval(1.0, 100)
    >>> round(low, 3), round(high, 3)
    (0.963, 1.0)

    Unlike a bootstrap interval it has a width when the proportion is 0 or 1. For the mean of two
    directions (`retrieval`) it is conservative: too wide rather than too narrow.

    Args:
        share: the proportion, between 0 and 1.
        n: the number of cases.
        level: the coverage.
    """
    z = float(ndtri((1 + level) / 2))
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    reach = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return middle - reach, middle + reach
