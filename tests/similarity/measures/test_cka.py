"""CKA against n × n kernels, and on data for which its value is known."""

import itertools
import math

import numpy as np
import pytest
import torch
from torch import Tensor

from alignscope.errors import SimilarityError
from alignscope.similarity.measures.cka import (
    biased_cka,
    debiased_cka,
    debiased_interval,
    null_band,
)
from tests.helpers.gauss import mixed, normal, shuffles


def textbook(left: Tensor, right: Tensor, *, debiased: bool) -> float:
    """Kornblith et al. 2019 with kernels; the unbiased HSIC as in Song et al. 2012, equation 4."""

    def hsic(k: Tensor, m: Tensor) -> float:
        n = len(k)
        if not debiased:
            h = torch.eye(n, dtype=k.dtype) - 1 / n
            return float(torch.trace(k @ h @ m @ h))
        k, m = (kernel - torch.diag(kernel.diagonal()) for kernel in (k, m))
        one = torch.ones(n, dtype=k.dtype)
        first = torch.trace(k @ m) + (one @ k @ one) * (one @ m @ one) / ((n - 1) * (n - 2))
        return float(first - 2 / (n - 2) * (one @ k @ m @ one))

    k, m = left.double() @ left.double().T, right.double() @ right.double().T
    return hsic(k, m) / math.sqrt(hsic(k, k) * hsic(m, m))


biased = pytest.mark.filterwarnings("ignore::alignscope.similarity.measures.inputs.BiasWarning")


@biased
@pytest.mark.parametrize(
    ("n", "d", "e"), [(4, 3, 3), (10, 40, 7), (60, 5, 9), (60, 200, 200), (300, 200, 170)]
)
def test_products_of_features_and_n_by_n_kernels_agree(n: int, d: int, e: int) -> None:
    left, right = normal(n, d) + 3, normal(n, e, 2) - left_part(n, e)
    assert debiased_cka(left, right) == pytest.approx(
        textbook(left, right, debiased=True), abs=1e-6
    )
    assert biased_cka(left, right) == pytest.approx(textbook(left, right, debiased=False), abs=1e-6)


def left_part(n: int, e: int) -> Tensor:
    return normal(n, 1).expand(n, e)


@pytest.mark.parametrize("measure", [debiased_cka, biased_cka])
def test_rotated_scaled_and_shifted_copy_has_value_one(measure) -> None:  # type: ignore[no-untyped-def]
    left, right = mixed(50, 8)
    rotation = torch.linalg.qr(normal(8, 8, 9)).Q
    assert measure(left, left) == pytest.approx(1)
    assert measure(left, right) == pytest.approx(measure(right, left))
    assert measure(left @ rotation * 7 + 2, right) == pytest.approx(measure(left, right))
    assert 0.2 < measure(left, right) < 0.999


@biased
@pytest.mark.parametrize("n", [25, 100, 1000])
def test_independent_sides_have_debiased_cka_near_zero_and_biased_cka_above(n: int) -> None:
    draws = 40 if n < 1000 else 4
    pairs = [(normal(n, 768, 2 * seed), normal(n, 768, 2 * seed + 1)) for seed in range(draws)]
    values = [debiased_cka(*pair) for pair in pairs]
    assert abs(sum(values) / draws) < 0.01
    assert min(values) < 0
    assert biased_cka(*pairs[0]) > 0.4


def test_half_precision_input_is_summed_in_double() -> None:
    left, right = (side.half() for side in mixed(200, 16))
    expected = textbook(left.double(), right.double(), debiased=True)
    assert debiased_cka(left * 100, right * 100) == pytest.approx(expected, abs=1e-3)


def test_duplicated_rows_are_accepted() -> None:
    left, right = mixed(20, 4)
    twice = debiased_cka(left.repeat(2, 1), right.repeat(2, 1))
    assert twice == pytest.approx(
        textbook(left.repeat(2, 1), right.repeat(2, 1), debiased=True), abs=1e-9
    )


def test_interval_is_the_delete_one_jackknife() -> None:
    left, right = mixed(12, 3)
    kept = [[j for j in range(12) if j != i] for i in range(12)]
    without = np.array([debiased_cka(left[rows], right[rows]) for rows in kept])
    error = math.sqrt(11 / 12 * ((without - without.mean()) ** 2).sum())
    low, high = debiased_interval(left, right)
    assert (low + high) / 2 == pytest.approx(debiased_cka(left, right))
    assert (high - low) / 2 == pytest.approx(2.20098516 * error)  # Student, 11 degrees of freedom
    narrow = debiased_interval(left, right, 0.5)
    assert low < narrow[0] < narrow[1] < high


@pytest.mark.parametrize("n", [30, 120])
def test_interval_covers_the_true_value_at_its_level(n: int) -> None:
    left, right = mixed(n * 200, 6)
    truth = debiased_cka(left, right)
    samples = zip(left.split(n), right.split(n), strict=True)
    ends = np.array([debiased_interval(*sample) for sample in samples])
    assert 0.90 <= np.mean((ends[:, 0] <= truth) & (truth <= ends[:, 1])) <= 0.99


def test_interval_of_four_rows_is_refused() -> None:
    with pytest.raises(SimilarityError, match="at least 5 rows, got 4"):
        debiased_interval(normal(4, 2), normal(4, 2, 2))


def test_null_has_the_moments_of_all_pairings() -> None:
    left, right = mixed(6, 3)
    orders = itertools.permutations(range(6))
    values = [debiased_cka(left, right[list(order)]) for order in orders]
    assert np.mean(values) == pytest.approx(0, abs=1e-12)
    assert np.var(values) == pytest.approx(2 / (6 * 3), rel=1e-9)


@pytest.mark.parametrize(("n", "d", "decay"), [(60, 100, 0), (100, 20, 0.5), (200, 20, 1)])
def test_null_band_agrees_with_the_quantiles_of_shuffles(n: int, d: int, decay: float) -> None:
    scales = torch.arange(1.0, d + 1) ** -decay
    left, right = (side * scales for side in mixed(n, d))
    low, high = null_band(left, right)
    values = np.array([debiased_cka(left, right[order]) for order in shuffles(n, 1500)])
    assert high == pytest.approx(np.quantile(values, 0.975), rel=0.15)
    assert low == pytest.approx(np.quantile(values, 0.025), rel=0.15)
    assert 0.92 < np.mean((low <= values) & (values <= high)) < 0.97
    assert null_band(left, right, 0.5)[1] < high < debiased_cka(left, right)


def test_null_band_depends_on_the_number_of_rows_only() -> None:
    left, right = mixed(400, 16)
    wide, narrow = null_band(left[:100], right[:100]), null_band(left, right)
    assert (wide[1] - wide[0]) / (narrow[1] - narrow[0]) == pytest.approx(4, rel=0.1)
    flat = torch.cat([left, torch.zeros(400, 500, dtype=left.dtype)], dim=1)
    assert null_band(flat, right) == pytest.approx(narrow)


@pytest.mark.parametrize(
    ("left", "right", "message"),
    [
        (normal(5, 2), normal(6, 2), "the same n, got \\(5, 2\\) and \\(6, 2\\)"),
        (normal(5, 2)[0], normal(5, 2), "the same n"),
        (normal(3, 2), normal(3, 2), "at least 4 rows, got 3"),
        (normal(9, 2) / 0, normal(9, 2), "not finite"),
        (torch.full((9, 3), 0.1), normal(9, 2), "does not vary"),
        (normal(9, 2), torch.zeros(9, 2), "does not vary"),
    ],
)
def test_sides_that_cannot_be_compared_are_refused(
    left: Tensor, right: Tensor, message: str
) -> None:
    for measure in (debiased_cka, biased_cka):
        with pytest.raises(SimilarityError, match=message):
            measure(left, right)
