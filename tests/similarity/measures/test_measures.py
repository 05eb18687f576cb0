"""Every measure against a transcription of its paper, a library, and data with a known value."""

from collections.abc import Callable

import numpy as np
import pytest
import scipy.linalg
import scipy.spatial.distance
import torch
from scipy.stats import spearmanr
from torch import Tensor

from alignscope.errors import SimilarityError
from alignscope.similarity.measures.anc import anc
from alignscope.similarity.measures.cca import procrustes, pwcca, svcca
from alignscope.similarity.measures.cka import biased_cka, debiased_cka, rbf_cka
from alignscope.similarity.measures.inputs import BiasWarning
from alignscope.similarity.measures.retrieval import centred_cosine, mutual_nearest, retrieval
from alignscope.similarity.measures.rsa import rsa
from tests.helpers.gauss import normal, related

Measure = Callable[[Tensor, Tensor], float]

EVERY = (
    *(debiased_cka, biased_cka, rbf_cka, anc, procrustes, rsa, svcca, pwcca),
    *(retrieval, mutual_nearest, centred_cosine),
)
ROTATED = (debiased_cka, biased_cka, rbf_cka, procrustes, svcca, pwcca)
every = pytest.mark.parametrize("measure", EVERY)


@every
def test_a_side_and_its_scaled_copy_have_value_one(measure: Measure) -> None:
    left, _ = related()
    assert measure(left, left) == pytest.approx(1)
    assert measure(left, 4 * left + 2) == pytest.approx(1)


@every
def test_related_sides_lie_between_unrelated_and_equal_ones(measure: Measure) -> None:
    left, right = related()
    order = torch.randperm(60, generator=torch.Generator().manual_seed(4))
    assert measure(left, right[order]) + 0.1 < measure(left, right) < 0.999


@every
def test_numpy_arrays_are_accepted_and_not_modified(measure: Measure) -> None:
    left, right = related()
    kept = left.clone(), right.clone()
    found = measure(left.numpy(), right.numpy())  # type: ignore[arg-type]
    assert found == measure(left, right)
    assert type(found) is float
    assert all(map(torch.equal, (left, right), kept))


@every
def test_half_precision_input_is_summed_in_double(measure: Measure) -> None:
    left, right = (100 * side for side in related())
    assert measure(left.half(), right.half()) == pytest.approx(measure(left, right), abs=0.02)
    assert measure(left.half(), right.half()) == measure(
        left.half().double(), right.half().double()
    )


@pytest.mark.parametrize("measure", [m for m in EVERY if m is not pwcca])
def test_measure_is_symmetric(measure: Measure) -> None:
    left, right = related()
    assert measure(left, right) == pytest.approx(measure(right, left), abs=1e-12)


@pytest.mark.parametrize("measure", ROTATED)
def test_measure_is_invariant_to_rotation_of_one_side(measure: Measure) -> None:
    left, right = related()
    turn = torch.linalg.qr(normal(7, 7, 9)).Q
    # PWCCA weighs by the neurons of its first side: rotating that one does change it.
    assert measure(left, right @ turn) == pytest.approx(measure(left, right))


@pytest.mark.parametrize("measure", [retrieval, mutual_nearest, centred_cosine])
def test_measure_is_invariant_to_rotation_of_both_sides(measure: Measure) -> None:
    left, right = related()
    turn = torch.linalg.qr(normal(7, 7, 9)).Q
    assert measure(left @ turn, right @ turn) == pytest.approx(measure(left, right))


def test_rotation_of_one_side_lowers_anc() -> None:
    left, right = related()
    assert anc(left @ torch.linalg.qr(normal(7, 7, 9)).Q, right) < anc(left, right) - 0.2


def test_anc_is_the_mean_correlation_of_the_columns() -> None:
    left, right = related()
    columns = [np.corrcoef(left[:, i], right[:, i])[0, 1] for i in range(7)]
    assert anc(left, right) == pytest.approx(np.mean(columns), abs=1e-12)
    left[:, 2] = 0.1
    columns[2] = 0
    assert anc(left, right) == pytest.approx(np.mean(columns), abs=1e-12)
    assert anc(-right, right) == pytest.approx(-1)


def test_procrustes_agrees_with_the_best_rotation_of_scipy() -> None:
    x, y = (np.asarray(side - side.mean(0)) for side in related())
    x, y = x / np.linalg.norm(x), y / np.linalg.norm(y)
    turn, _ = scipy.linalg.orthogonal_procrustes(x, y)
    distance = np.linalg.norm(x @ turn - y) ** 2
    assert procrustes(*related()) == pytest.approx(1 - distance / 2, abs=1e-12)
    wide = torch.cat([related()[1], torch.zeros(60, 3, dtype=torch.float64)], dim=1)
    assert procrustes(related()[0], wide) == pytest.approx(procrustes(*related()))


def test_rsa_is_the_spearman_correlation_over_pairs() -> None:
    left, right = related()
    pairs = [scipy.spatial.distance.pdist(side, "correlation") for side in (left, right)]
    assert rsa(left, right) == pytest.approx(spearmanr(*pairs).statistic, abs=1e-12)


def test_rbf_cka_agrees_with_n_by_n_kernels() -> None:
    def kernel(side: Tensor) -> np.ndarray:
        distances = scipy.spatial.distance.squareform(
            scipy.spatial.distance.pdist(side, "sqeuclidean")
        )
        return np.exp(-distances / (2 * np.median(distances[distances != 0])))

    left, right = related()
    h = np.eye(60) - 1 / 60
    k, m = kernel(left), kernel(right)
    expected = np.trace(k @ h @ m @ h) / np.sqrt(np.trace(k @ h @ k @ h) * np.trace(m @ h @ m @ h))
    assert rbf_cka(left, right) == pytest.approx(expected, abs=1e-9)


def canonical_correlations(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Hotelling 1936: roots of the generalised eigenproblem of the covariances."""
    x, y = x - x.mean(0), y - y.mean(0)
    xx, yy, xy = x.T @ x, y.T @ y, x.T @ y
    values = scipy.linalg.eigh(xy @ np.linalg.solve(yy, xy.T), xx, eigvals_only=True)
    return np.sqrt(np.clip(values[::-1], 0, 1))


def test_svcca_is_the_mean_correlation_of_principal_directions() -> None:
    left, right = related()
    left[:, 0] *= 50

    def reduced(side: Tensor) -> np.ndarray:
        x = np.asarray(side - side.mean(0))
        u, s, _ = np.linalg.svd(x, full_matrices=False)
        k = next(k for k in range(1, 8) if (s[:k] ** 2).sum() / (s**2).sum() >= 0.99)
        return u[:, :k] * s[:k]

    assert reduced(left).shape[1] < 7 == reduced(right).shape[1]
    expected = canonical_correlations(reduced(left), reduced(right)).mean()
    assert svcca(left, right) == pytest.approx(expected, abs=1e-9)
    assert svcca(*related(), kept=1) == pytest.approx(
        canonical_correlations(*(side.numpy() for side in related())).mean(), abs=1e-9
    )


def test_pwcca_weights_correlations_by_projections() -> None:
    left, right = (np.asarray(side - side.mean(0)) for side in related())
    xx, yy, xy = left.T @ left, right.T @ right, left.T @ right
    values, maps = scipy.linalg.eigh(xy @ np.linalg.solve(yy, xy.T), xx)
    directions = left @ maps  # orthonormal, as eigh norms its vectors by the second matrix
    weights = np.array([sum(abs(h @ z) for z in left.T) for h in directions.T])
    expected = (weights * np.sqrt(values)).sum() / weights.sum()
    assert pwcca(*related()) == pytest.approx(expected, abs=1e-9)
    assert pwcca(*related()) != pytest.approx(pwcca(*related()[::-1]), abs=1e-4)


@pytest.mark.parametrize("measure", [svcca, pwcca])
def test_cca_of_as_many_directions_as_rows_is_refused(
    measure: Measure,
) -> None:
    with pytest.raises(SimilarityError, match="8 rows with 7 directions is 1 for any two sides"):
        measure(normal(8, 20), normal(8, 20, 2))


def test_mutual_nearest_neighbours_agree_with_loops() -> None:
    left, right = (side.numpy() for side in related(40, 3))
    x, y = left - left.mean(0), right - right.mean(0)
    cosines = 1 - scipy.spatial.distance.cdist(x, y, "cosine")
    hits = [cosines[i].argmax() == i and cosines[:, i].argmax() == i for i in range(40)]
    assert 0.05 < np.mean(hits) < 0.9
    assert mutual_nearest(left, right) == pytest.approx(np.mean(hits))


def test_centred_cosine_agrees_with_loops_and_can_be_negative() -> None:
    left, right = (side.numpy() for side in related())
    x, y = left - left.mean(0), right - right.mean(0)
    each = [1 - scipy.spatial.distance.cosine(a, b) for a, b in zip(x, y, strict=True)]
    assert centred_cosine(left, right) == pytest.approx(np.mean(each))
    assert centred_cosine(left, -right) == pytest.approx(-np.mean(each))
    assert centred_cosine(left + 100, right + 100, centred=False) > 0.99


@every
def test_sides_that_cannot_be_compared_are_refused(measure: Measure) -> None:
    with pytest.raises(SimilarityError, match="with the same n, got"):
        measure(normal(9, 2), normal(8, 2))
    with pytest.raises(SimilarityError, match="not finite"):
        measure(normal(9, 2) / 0, normal(9, 2))


@pytest.mark.parametrize("measure", [anc, procrustes, rsa, svcca, pwcca, rbf_cka])
@pytest.mark.parametrize("flat", [torch.full((9, 2), 0.1), torch.zeros(9, 2)])
def test_a_constant_side_is_refused(measure: Measure, flat: Tensor) -> None:
    with pytest.raises(SimilarityError, match="does not vary"):
        measure(normal(9, 2), flat)


@pytest.mark.filterwarnings("ignore::alignscope.similarity.measures.inputs.BiasWarning")
@pytest.mark.parametrize("measure", [anc, procrustes, retrieval, centred_cosine])
def test_three_rows_are_enough_for_measures_of_rows(measure: Measure) -> None:
    assert -1 <= measure(normal(3, 2), normal(3, 2, 2)) <= 1


@pytest.mark.parametrize("measure", [rbf_cka, rsa])
def test_three_rows_are_too_few_for_measures_of_pairs(measure: Measure) -> None:
    with pytest.raises(SimilarityError, match="at least 4 rows, got 3"):
        measure(normal(3, 2), normal(3, 2, 2))


@every
def test_repeated_rows_are_accepted(measure: Measure) -> None:
    left, right = (side.repeat(2, 1) for side in related(30, 4))
    assert -1 <= measure(left, right) <= 1


@pytest.mark.parametrize("measure", [biased_cka, rbf_cka, procrustes, svcca, pwcca])
def test_few_rows_in_many_dimensions_give_a_warning(measure: Measure) -> None:
    with pytest.warns(BiasWarning, match="of 13 rows in 7 dimensions is biased upward"):
        measure(*related(13, 7))
    measure(*related(14, 7))  # warnings are errors
