"""The similarity measures by name: those of AlignScope and those registered by other code."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from torch import Tensor

from alignscope.config.registry import MEASURE_INFO, MeasureInfo
from alignscope.errors import SimilarityError
from alignscope.similarity.measures.anc import anc_estimates, standardise_columns
from alignscope.similarity.measures.cca import (
    principal_subspace,
    procrustes_estimate,
    pwcca_estimate,
    svcca_estimate,
    unit_frobenius,
)
from alignscope.similarity.measures.cka import cka_estimates, linear_cka_estimates
from alignscope.similarity.measures.context import Context
from alignscope.similarity.measures.estimate import Estimate
from alignscope.similarity.measures.function_measure import FunctionMeasure, MeasureFunction
from alignscope.similarity.measures.kernels import gaussian_kernel, linear_kernel, rank_kernel
from alignscope.similarity.measures.neighbours import mutual_knn_estimates
from alignscope.similarity.measures.retrieval import (
    cosine_estimates,
    mutual_nearest_estimates,
    retrieval_estimates,
    unit_rows,
)
from alignscope.similarity.measures.rsa import rsa_estimates


@dataclass(frozen=True)
class Measure:
    """A measure in its expert form: ``prepare`` one side, then ``compare`` two prepared sides.

    A prepared side is used for every comparison of that side, so whatever concerns one side alone
    is computed once.

    Args:
        prepare: takes a side (n, d) in single or double precision.
        compare: takes two prepared sides and returns one estimate per estimator.
        biased: whether no estimate is debiased, so that few rows in many dimensions need a warning.
        same_width: whether both sides need the same number of columns.
        takes_context: whether ``compare`` takes the `Context` of the rows as its third argument.
            Without it, the interval always leaves out single rows.
    """

    prepare: Callable[[Tensor], Any]
    compare: Callable[..., list[Estimate]]
    biased: bool = False
    same_width: bool = False
    takes_context: bool = False

    def estimates(self, x: Any, y: Any, context: Context) -> list[Estimate]:
        """Compare two prepared sides, whose rows have a context."""
        return self.compare(x, y, context) if self.takes_context else self.compare(x, y)


_BUILT_IN = {
    "cka": Measure(linear_kernel, linear_cka_estimates),
    "cka-rbf": Measure(gaussian_kernel, cka_estimates),
    "anc": Measure(standardise_columns, anc_estimates, same_width=True),
    "retrieval": Measure(unit_rows, retrieval_estimates, same_width=True),
    "mutual": Measure(unit_rows, mutual_nearest_estimates, same_width=True),
    "cosine": Measure(unit_rows, cosine_estimates, same_width=True),
    "svcca": Measure(partial(principal_subspace, kept=0.99), svcca_estimate, biased=True),
    "pwcca": Measure(partial(principal_subspace, kept=1.0), pwcca_estimate, biased=True),
    "procrustes": Measure(unit_frobenius, procrustes_estimate, biased=True),
    "rsa": Measure(rank_kernel, rsa_estimates),
    "mutual-knn": Measure(unit_rows, mutual_knn_estimates),
}
MEASURES = {name: replace(measure, takes_context=True) for name, measure in _BUILT_IN.items()}
"""The code behind each name; `get_measure` also finds measures of installed plug-ins."""

Registered = TypeVar("Registered", bound=MeasureFunction | Measure)

_NAME = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")


def get_measure(name: str) -> Measure:
    """Return the measure of a name.

    >>> get_measure("svcca").biased
    True

    Raises:
        StudyError: if no measure has this name; the message lists the known ones.
        SimilarityError: if the name has a title but no code.
    """
    info = MEASURE_INFO[name]  # loads plug-ins that register measures
    if info.name not in MEASURES:
        raise SimilarityError(
            f"The measure {name} has a title but no function here. Import the module that "
            "registers it with register_measure."
        )
    return MEASURES[info.name]


def register_measure(
    name: str, *, title: str, bounds: tuple[float, float] = (-1.0, 1.0)
) -> Callable[[Registered], Registered]:
    """Register a function of two sides as a similarity measure; use it as a decorator.

    >>> import torch
    >>> @register_measure("dcor", title="distance correlation", bounds=(0, 1))
    ... def distance_correlation(x: torch.Tensor, y: torch.Tensor) -> float:
    ...     a, b = (d - d.mean(0) - d.mean(1, keepdim=True) + d.mean()
    ...             for d in (torch.cdist(x, x), torch.cdist(y, y)))
    ...     scale = ((a * a).mean() * (b * b).mean()).sqrt()
    ...     return float(((a * b).mean() / scale).clamp(min=0).sqrt())
    >>> MEASURE_INFO["dcor"].title
    'distance correlation'
    >>> unregister_measure("dcor")

    The function takes two tensors (n, d) in double precision whose row i is the same example, and
    returns one number. AlignScope adds a 95 % interval for other rows of the same kind (the
    delete-one jackknife) and a null band (the range of 39 random pairings of the rows), so no
    measure comes without them. Several threads call the function at once.

    Cost: n + 40 calls per layer and target. With 1,000 sentences, 13 layers and 16 targets, a
    function that takes 5 ms needs 18 minutes on one core; a ``limit`` makes n smaller. A measure
    that knows faster ways passes a `Measure` instead of a function, as the built-in ones do.

    A function registered again under its own name replaces the old one, as in a notebook. Results
    that a store already has are not recomputed: choose another name when the function changes.

    Args:
        name: the name that studies and the command line use: lowercase letters, digits, hyphens.
        title: the name in figures and in the report.
        bounds: the smallest and the largest value that the function can return.

    Returns:
        A decorator that registers a function, or a `Measure`, and returns it unchanged.

    Raises:
        SimilarityError: if the name has other characters, or if the bounds are no interval.
        StudyError: if the name is built in.
    """
    _check_registration(name, title, bounds)
    info = MeasureInfo(name, title, (float(bounds[0]), float(bounds[1])))

    def register(measure: Registered) -> Registered:
        _register(info, measure)
        return measure

    return register


def _register(info: MeasureInfo, measure: MeasureFunction | Measure) -> None:
    # Worker processes call this function through the registry; a partial of a module-level function
    # is sent by name and therefore registers in the worker's own tables.
    MEASURE_INFO.register(info, measure, partial(_register, info))
    if isinstance(measure, Measure):
        MEASURES[info.name] = measure
        return
    resampled = FunctionMeasure(info.name, measure, info.bounds)
    MEASURES[info.name] = Measure(resampled.prepare, resampled.compare, takes_context=True)


def unregister_measure(name: str) -> None:
    """Remove a measure that `register_measure` added.

    Raises:
        KeyError: if the measure is built in or unknown.
    """
    MEASURE_INFO.unregister(name)
    del MEASURES[name]


def _check_registration(name: str, title: str, bounds: tuple[float, float]) -> None:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise SimilarityError(
            f"{name!r} cannot be the name of a measure. Use lowercase letters, digits and single "
            "hyphens, such as 'dcor' or 'cka-rbf'."
        )
    if not isinstance(title, str) or not title.strip():
        raise SimilarityError(f"The measure {name} needs a title for figures and the report.")
    low, high = bounds
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise SimilarityError(
            f"The bounds of {name} are {bounds}. Give two finite numbers, the smaller one first."
        )
