"""Means over seeds and corpora: by hand, and their coverage on simulated values."""

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from alignscope.analysis.multiple_testing import holm
from alignscope.analysis.random_effects import two_way_mean, variance_components

SIMULATIONS = 1000


def simulated(
    shape: tuple[int, int], seed: float, corpus: float, rest: float, mean: float = 0.0
) -> np.ndarray:
    """Values (simulations × seeds × corpora) with these standard deviations."""
    draw = np.random.default_rng(1)
    seeds, corpora = shape
    parts = [
        seed * draw.normal(size=(SIMULATIONS, seeds, 1)),
        corpus * draw.normal(size=(SIMULATIONS, 1, corpora)),
        rest * draw.normal(size=(SIMULATIONS, seeds, corpora)),
    ]
    return mean + parts[0] + parts[1] + parts[2]


@pytest.mark.parametrize("shape", [(3, 17), (5, 4), (5, 17)])
@pytest.mark.parametrize("spread", [(1, 1, 1), (0, 1, 1), (1, 0, 1), (3, 1, 1), (1, 1, 0.01)])
def test_intervals_cover_the_true_mean(
    shape: tuple[int, int], spread: tuple[float, float, float]
) -> None:
    estimates = [two_way_mean(values) for values in simulated(shape, *spread, mean=2)]
    covered = [estimate.low <= 2 <= estimate.high for estimate in estimates]  # type: ignore[operator]
    assert 0.92 <= np.mean(covered) <= 0.985


def test_intervals_cover_the_true_mean_with_two_seeds() -> None:
    for spread in ((1, 1, 1), (0, 1, 1), (3, 1, 1), (1, 1, 0.01)):
        estimates = [two_way_mean(values) for values in simulated((2, 16), *spread)]
        covered = [estimate.low <= 0 <= estimate.high for estimate in estimates]  # type: ignore[operator]
        assert 0.88 <= np.mean(covered) <= 0.99


def test_p_values_are_uniform_without_an_effect_and_small_with_one() -> None:
    p = np.array([two_way_mean(values).p for values in simulated((5, 17), 1, 1, 1)], float)
    for level in (0.05, 0.2, 0.5, 0.8):
        assert np.mean(p < level) == pytest.approx(level, abs=0.045)
    strong = [two_way_mean(values).p for values in simulated((5, 17), 1, 1, 1, mean=5)]
    assert np.mean(np.array(strong, float) < 0.05) > 0.99


def test_an_interval_that_touches_zero_has_p_of_five_percent() -> None:
    (values, *_) = simulated((4, 6), 1, 1, 1)
    estimate = two_way_mean(values)
    assert estimate.high is not None
    assert two_way_mean(values - estimate.high).p == pytest.approx(0.05, abs=1e-6)


def test_variance_components_are_those_of_the_analysis_of_variance() -> None:
    """A table of 3 seeds and 4 corpora; mean squares and degrees of freedom are computed by hand.

    Sums of squares: seeds 4 × (1 + 1 + 4) = 24, corpora 3 × (9 + 1 + 1 + 9) = 60, residual
    4 × 1 = 4, so that the mean squares are 24 / 2 = 12, 60 / 3 = 20 and 4 / 6.
    """
    seed_effects = np.array([[-1.0], [-1.0], [2.0]])
    corpus_effects = np.array([[-3.0, -1.0, 1.0, 3.0]])
    residuals = np.array([[1.0, -1.0, 0.0, 0.0], [-1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    values = 5 + seed_effects + corpus_effects + residuals
    seeds, corpora, residual = 12, 20, 4 / 6
    assert variance_components(values) == (
        (pytest.approx((seeds - residual) / 12), 2),
        (pytest.approx((corpora - residual) / 12), 3),
        (pytest.approx(residual / 12), 6),
    )


def test_a_component_is_never_negative() -> None:
    """Residuals alone: the mean squares of seeds and corpora are 0, below that of the residual."""
    residuals = np.array([[1.0, -1.0], [-1.0, 1.0]])
    assert variance_components(residuals) == ((0, 1), (0, 1), (pytest.approx(4 / 4), 1))


@pytest.mark.parametrize(("domains", "spread"), [(2, 0.02), (2, 0.05), (4, 0.03), (5, 0.0)])
def test_the_corpora_that_are_subtracted_count_as_a_sample(domains: int, spread: float) -> None:
    draw, inside = np.random.default_rng(2), []
    for _ in range(SIMULATIONS):
        seed = 0.01 * draw.normal(size=(5, 1))
        targets = 0.03 * draw.normal(size=(1, 16)) + 0.01 * draw.normal(size=(5, 16))
        beside = spread * draw.normal(size=(1, domains)) + 0.01 * draw.normal(size=(5, domains))
        difference = targets + seed - beside.mean(1, keepdims=True)
        estimate = two_way_mean(difference, beside=beside)
        assert estimate.low is not None
        assert estimate.high is not None
        inside.append(estimate.low <= 0 <= estimate.high)
    assert 0.92 <= np.mean(inside) <= 0.99
    assert two_way_mean(difference, beside=beside[:, :1]).p is None


def test_rounding_errors_are_not_significant() -> None:
    estimate = two_way_mean(np.array([[0.7 - 0.8], [0.6 - 0.7]]))
    assert estimate.p is None


def test_one_corpus_has_students_interval() -> None:
    values = np.array([[0.3], [0.1], [0.5], [0.2]])
    estimate, expected = two_way_mean(values), ttest_1samp(values[:, 0], 0)
    interval = expected.confidence_interval()
    assert (estimate.low, estimate.high) == pytest.approx((interval.low, interval.high))
    assert estimate.p == pytest.approx(expected.pvalue)


def test_one_seed_has_no_interval_and_equal_values_have_no_p_value() -> None:
    estimate = two_way_mean(np.array([[0.3, 0.1]]))
    assert estimate.mean == pytest.approx(0.2)
    assert (estimate.low, estimate.high, estimate.p) == (None, None, None)
    constant = two_way_mean(np.full((3, 2), 0.25))
    assert (constant.low, constant.high, constant.p) == (0.25, 0.25, None)


def test_holms_correction_agrees_with_the_textbook() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, None, 0.9]) == [1.0, None, 1.0]
    assert holm([]) == []
