"""Intervals and null bands of every measure, against shuffles, samples and brute force."""

import itertools
import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from alignscope.config.registry import MEASURE_INFO
from alignscope.similarity.measures import cka
from alignscope.similarity.measures import null as nulls
from alignscope.similarity.measures.anc import anc
from alignscope.similarity.measures.cca import procrustes, pwcca, svcca
from alignscope.similarity.measures.estimate import Estimate
from alignscope.similarity.measures.hsic import self_hsic
from alignscope.similarity.measures.intervals import (
    infinitesimal_jackknife,
    jackknife,
    wilson_interval,
)
from alignscope.similarity.measures.kernels import (
    Kernel,
    gaussian_kernel,
    linear_kernel,
    rank_kernel,
)
from alignscope.similarity.measures.neighbours import mutual_knn
from alignscope.similarity.measures.registry import MEASURES
from alignscope.similarity.measures.retrieval import centred_cosine, mutual_nearest, retrieval
from alignscope.similarity.measures.row_means import RowMatrix, mean_moments
from alignscope.similarity.measures.rsa import rsa
from tests.helpers.gauss import mixed, normal, related, shuffles

pytestmark = pytest.mark.filterwarnings("ignore::alignscope.similarity.measures.inputs.BiasWarning")

PURE: Mapping[tuple[str, str], Callable[[Tensor, Tensor], float]] = {
    ("cka", "debiased"): cka.debiased_cka,
    ("cka", "biased"): cka.biased_cka,
    ("cka-rbf", "debiased"): partial(cka.rbf_cka, debiased=True),
    ("cka-rbf", "biased"): cka.rbf_cka,
    ("anc", "plain"): anc,
    ("retrieval", "plain"): retrieval,
    ("mutual", "plain"): mutual_nearest,
    ("cosine", "plain"): centred_cosine,
    ("svcca", "biased"): svcca,
    ("pwcca", "biased"): pwcca,
    ("procrustes", "biased"): procrustes,
    ("rsa", "plain"): rsa,
    ("mutual-knn", "plain"): mutual_knn,
}
every = pytest.mark.parametrize(("measure", "estimator"), PURE)


def estimates(measure: Any, left: Tensor, right: Tensor) -> dict[str, Estimate]:
    chosen = MEASURES[measure]
    found = chosen.compare(chosen.prepare(left), chosen.prepare(right))
    return {estimate.estimator: estimate for estimate in found}


def test_this_file_tests_every_measure_and_estimator() -> None:
    found = {(name, kind) for name in MEASURES for kind in estimates(name, *related())}
    assert found == set(PURE)
    assert set(MEASURES) == set(MEASURE_INFO)


@every
def test_value_equals_that_of_the_plain_function(measure: str, estimator: str) -> None:
    left, right = related()
    found = estimates(measure, left.float(), right.float())[estimator].value
    assert found == pytest.approx(PURE[measure, estimator](left, right), abs=1e-6)


@every
def test_null_band_covers_95_percent_of_shuffles(measure: str, estimator: str) -> None:
    left, right = related(50, 6)
    found = estimates(measure, left, right)[estimator]
    assert found.low < found.value < found.high
    values = np.array([PURE[measure, estimator](left, right[o]) for o in shuffles(50, 600)])
    inside = np.mean((found.null_low - 1e-12 <= values) & (values <= found.null_high + 1e-12))
    assert 0.915 <= inside <= 0.99
    near = 1 / 50 if measure == "mutual" else values.std() / 2  # that one counts sentences
    assert found.null_low == pytest.approx(np.quantile(values, 0.025), abs=near)
    assert found.null_high == pytest.approx(np.quantile(values, 0.975), abs=near)


@every
def test_interval_covers_the_mean_at_its_level(measure: str, estimator: str) -> None:
    n, samples = 60, 150
    left, right = related(n * samples, 4)
    found = [
        estimates(measure, one, other)[estimator]
        for one, other in zip(left.split(n), right.split(n), strict=True)
    ]
    truth = np.mean([estimate.value for estimate in found])
    inside = np.mean([estimate.low <= truth <= estimate.high for estimate in found])
    # The share of two directions is less sure than Wilson's interval knows: see its docstring.
    assert 0.88 <= inside <= (1 if measure == "retrieval" else 0.99)


PAIRED = {"cka": "biased", "cka-rbf": "biased", "rsa": "plain"}


@pytest.mark.parametrize("measure", PAIRED)
def test_moments_of_kernels_equal_those_of_all_pairings(measure: str) -> None:
    left, right = mixed(6, 3)
    make = {"cka": linear_kernel, "cka-rbf": gaussian_kernel, "rsa": rank_kernel}[measure]
    x, y = make(left), make(right)
    orders = map(list, itertools.permutations(range(6)))
    values = np.array([PURE[measure, PAIRED[measure]](left, right[order]) for order in orders])
    kind = measure != "rsa"
    scale = math.sqrt(
        self_hsic(x, False) * self_hsic(y, False)
        if kind
        else float(x.self_inner.sum() * y.self_inner.sum())
    )
    mean, rows = nulls.pairing_moments(x, y)
    rest = self_hsic(x, True) * self_hsic(y, True) * nulls.debiased_cka_null_sd(6) ** 2
    assert values.mean() == pytest.approx(mean / scale, abs=1e-9)
    assert values.var() == pytest.approx((rows + rest) / scale**2, rel=1e-9)


def test_moments_of_means_equal_those_of_all_pairings() -> None:
    left, right = (RowMatrix(side) for side in related(6, 3))
    orders = map(list, itertools.permutations(range(6)))
    values = [float((left.rows * right.rows[order]).sum(1).mean()) for order in orders]
    mean, variance = mean_moments(left, right)
    assert (mean, variance) == pytest.approx((np.mean(values), np.var(values)))


@pytest.mark.parametrize("debiased", [True, False])
@pytest.mark.parametrize("make", [linear_kernel, gaussian_kernel])
def test_jackknife_of_cka_leaves_each_row_out(
    make: Callable[[Tensor], Kernel], debiased: bool
) -> None:
    both = [make(side) for side in mixed(12, 3)]
    whole = [dense(kernel) for kernel in both]
    without = torch.tensor(
        [hsic_cka([without_row(k, i) for k in whole], debiased) for i in range(12)],
        dtype=torch.float64,
    )
    expected = jackknife(hsic_cka(whole, debiased), without)
    found = cka.cka_estimates(*both)[0 if debiased else 1]
    assert (found.low, found.high) == pytest.approx(expected, abs=1e-9)


def dense(kernel: Kernel) -> Tensor:
    """Return the kernel as a matrix (12, 12): its product with the identity."""
    return kernel.product(torch.eye(12, dtype=torch.float64))


def without_row(kernel: Tensor, i: int) -> Tensor:
    kept = [j for j in range(len(kernel)) if j != i]
    return kernel[kept][:, kept]


def hsic_cka(kernels: list[Tensor], debiased: bool) -> float:
    def hsic(k: Tensor, m: Tensor) -> float:
        n = len(k)
        if not debiased:
            h = torch.eye(n, dtype=k.dtype) - 1 / n
            return float(torch.trace(k @ h @ m @ h))
        k, m = (kernel - torch.diag(kernel.diagonal()) for kernel in (k, m))
        rest = k.sum() * m.sum() / ((n - 1) * (n - 2)) - 2 * (k @ m).sum() / (n - 2)
        return float(torch.trace(k @ m) + rest)

    k, m = kernels
    return hsic(k, m) / math.sqrt(hsic(k, k) * hsic(m, m))


def test_jackknife_of_rsa_leaves_each_row_out() -> None:
    both = [rank_kernel(side) for side in mixed(12, 3)]
    whole = [dense(kernel) for kernel in both]
    above = torch.triu_indices(11, 11, 1)

    def pearson(kernels: list[Tensor], i: int) -> float:
        ranks = [without_row(kernel, i)[*above] for kernel in kernels]
        return float(torch.corrcoef(torch.stack(ranks))[0, 1])

    without = torch.tensor([pearson(whole, i) for i in range(12)], dtype=torch.float64)
    found = estimates("rsa", *mixed(12, 3))["plain"]
    assert (found.low, found.high) == pytest.approx(jackknife(found.value, without), abs=1e-9)


def test_largest_eigenvalues_agree_with_a_full_decomposition() -> None:
    side = normal(80, 30) * torch.arange(1.0, 31) ** -1
    kernel = linear_kernel(side)
    centred = side - side.mean(0)
    values = torch.linalg.eigvalsh(centred @ centred.T).flip(0)[:12]
    expected = values / (centred @ centred.T).norm()
    assert torch.allclose(nulls.largest_components(kernel).values, expected, atol=1e-3)


def test_single_precision_suffices_for_outlier_dimensions() -> None:
    """Encoders have a few neurons that are hundreds of times larger than all others."""
    left, right = mixed(200, 40)
    scales = torch.ones(40, dtype=torch.float64)
    scales[3], scales[17] = 300, 80
    offset = torch.zeros(40, dtype=torch.float64)
    offset[3] = 5000
    left, right = (side * scales + offset for side in (left, right))
    single = estimates("cka", left.float(), right.float())
    for estimator, found in estimates("cka", left.float().double(), right.float().double()).items():
        assert single[estimator].value == pytest.approx(found.value, abs=1e-6)
        assert single[estimator].low == pytest.approx(found.low, abs=1e-5)
        assert single[estimator].null_high == pytest.approx(found.null_high, abs=1e-4)


def test_products_of_features_and_of_rows_give_the_same_estimates() -> None:
    """With more rows than twice the features, the code multiplies features and not rows."""
    left, right = mixed(300, 20)
    wide = [torch.nn.functional.pad(side, (0, 140)) for side in (left, right)]
    for estimator, found in estimates("cka", left, right).items():
        other = estimates("cka", *wide)[estimator]
        assert other.columns == pytest.approx(found.columns | {"estimator": estimator}, abs=1e-9)


def test_intervals_of_proportions_and_means_agree_with_textbooks() -> None:
    low, high = wilson_interval(0.5, 100)
    assert (low, high) == pytest.approx((0.40383, 0.59617), abs=1e-5)
    values = torch.tensor([1.0, 2.0, 3.0, 4.0], dtype=torch.float64)
    low, high = infinitesimal_jackknife(2.5, values)
    assert high - 2.5 == pytest.approx(3.18244630 * values.std() / 2)
    assert low + high == pytest.approx(5)


def test_null_of_biased_cka_is_never_negative() -> None:
    left, right = (normal(100, 20, seed) for seed in (1, 2))
    left[0], right[0] = 30 * left[0], 30 * right[0]
    assert estimates("cka", left, right)["biased"].null_low == 0


def test_ties_do_not_need_memory_for_every_pairing_and_entry() -> None:
    """With many equal rows, all n × n scores are above 0, and their null has the mean 1/n."""
    side = torch.cat([normal(1, 4).repeat(290, 1), normal(10, 4, 2)])
    found = estimates("retrieval", side, side)["plain"]
    assert found.null_low < 1 / 300 < found.null_high
    whole, blocks = torch.ones(3, 3), nulls.ENTRIES_AT_ONCE
    assert nulls.permutation_null(nulls.SparseScores.of(whole / 3)) == pytest.approx((1 / 3, 1 / 3))
    assert blocks < 290 * 290
