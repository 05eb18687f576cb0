"""The measures by name: what each needs of a side, once, and what it says of two."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor

from alignscope.config.similarity import MeasureName
from alignscope.similarity.measures.anc import compare_neurons, neurons
from alignscope.similarity.measures.cca import (
    compare_principal,
    compare_unit,
    compare_weighted,
    principal,
    unit,
)
from alignscope.similarity.measures.cka import compare_kernels
from alignscope.similarity.measures.estimate import Estimate
from alignscope.similarity.measures.kernels import gaussian_kernel, linear_kernel, rank_kernel
from alignscope.similarity.measures.retrieval import (
    compare_agreed,
    compare_cosines,
    compare_found,
    directions,
)
from alignscope.similarity.measures.rsa import compare_ranks


@dataclass(frozen=True)
class Measure:
    """A way to compare two sides (n, d): ``prepare`` one, then ``compare`` two that are prepared.

    What is prepared is used for every comparison of that side. ``biased`` is one that has no
    debiased estimate beside it.
    """

    prepare: Callable[[Tensor], Any]
    compare: Callable[[Any, Any], list[Estimate]]
    biased: bool = False


MEASURES: dict[MeasureName, Measure] = {
    "cka": Measure(linear_kernel, compare_kernels),
    "cka-rbf": Measure(gaussian_kernel, compare_kernels),
    "anc": Measure(neurons, compare_neurons),
    "retrieval": Measure(directions, compare_found),
    "mutual": Measure(directions, compare_agreed),
    "cosine": Measure(directions, compare_cosines),
    "svcca": Measure(partial(principal, kept=0.99), compare_principal, biased=True),
    "pwcca": Measure(partial(principal, kept=1.0), compare_weighted, biased=True),
    "procrustes": Measure(unit, compare_unit, biased=True),
    "rsa": Measure(rank_kernel, compare_ranks),
}
