"""The measures by name: what each needs of a side, once, and what it says of two."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor

from alignscope.similarity.measures.anc import anc_estimates, standardise_columns
from alignscope.similarity.measures.cca import (
    principal_subspace,
    procrustes_estimate,
    pwcca_estimate,
    svcca_estimate,
    unit_frobenius,
)
from alignscope.similarity.measures.cka import cka_estimates
from alignscope.similarity.measures.estimate import Estimate
from alignscope.similarity.measures.kernels import gaussian_kernel, linear_kernel, rank_kernel
from alignscope.similarity.measures.retrieval import (
    cosine_estimates,
    mutual_nearest_estimates,
    retrieval_estimates,
    unit_rows,
)
from alignscope.similarity.measures.rsa import rsa_estimates


@dataclass(frozen=True)
class Measure:
    """A way to compare two sides (n, d): ``prepare`` one, then ``compare`` two that are prepared.

    What is prepared is used for every comparison of that side. ``biased`` is one that has no
    debiased estimate beside it.
    """

    prepare: Callable[[Tensor], Any]
    compare: Callable[[Any, Any], list[Estimate]]
    biased: bool = False


MEASURES: dict[str, Measure] = {
    "cka": Measure(linear_kernel, cka_estimates),
    "cka-rbf": Measure(gaussian_kernel, cka_estimates),
    "anc": Measure(standardise_columns, anc_estimates),
    "retrieval": Measure(unit_rows, retrieval_estimates),
    "mutual": Measure(unit_rows, mutual_nearest_estimates),
    "cosine": Measure(unit_rows, cosine_estimates),
    "svcca": Measure(partial(principal_subspace, kept=0.99), svcca_estimate, biased=True),
    "pwcca": Measure(partial(principal_subspace, kept=1.0), pwcca_estimate, biased=True),
    "procrustes": Measure(unit_frobenius, procrustes_estimate, biased=True),
    "rsa": Measure(rank_kernel, rsa_estimates),
}
