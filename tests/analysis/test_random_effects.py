"""Means over seeds and corpora: by hand, and their coverage on simulated values."""

import math

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from alignscope.analysis.moderation import VarianceEstimate
from alignscope.analysis.multiple_testing import holm
from alignscope.analysis.random_effects import two_way_mean

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
    assert 0.92 <= np.mean(covered) <= 0.99


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
    touching = two_way_mean(values - estimate.high)
    assert touching.p == pytest.approx(0.05, abs=1e-9)
    assert touching.p_beyond(0, below=True) == pytest.approx(0.025, abs=1e-9)
    assert touching.p_beyond(0, below=False) == pytest.approx(0.975, abs=1e-9)


def test_the_variance_is_that_of_seeds_plus_that_of_groups() -> None:
    values = np.array([[1.0, 4.0, 4.0], [3.0, 8.0, 4.0]])
    estimate = two_way_mean(values)
    of_seeds = ((3 - 4) ** 2 + (5 - 4) ** 2) / 1 / 2
    of_groups = ((2 - 4) ** 2 + (6 - 4) ** 2 + 0) / 2 / 3
    assert estimate.error == pytest.approx(np.sqrt(of_seeds + of_groups))
    expected = (of_seeds + of_groups) ** 2 / (of_seeds**2 / 1 + of_groups**2 / 2)
    assert estimate.degrees == pytest.approx(expected)
    given = two_way_mean(values, VarianceEstimate(0.5, 7), [VarianceEstimate(0.25, 3)])
    assert given.error == pytest.approx(np.sqrt(0.5 / 2 + of_groups + 0.25))


def test_a_part_that_cannot_be_estimated_leaves_no_interval() -> None:
    values = np.array([[1.0, 4.0], [3.0, 8.0]])
    estimate = two_way_mean(values, other=[VarianceEstimate(math.inf, 1)])
    assert (estimate.mean, estimate.low, estimate.high, estimate.p) == (4, None, None, None)
    assert estimate.p_beyond(-100, below=False) == 1


def test_a_single_group_gives_the_interval_of_student() -> None:
    values = np.array([[0.1], [0.4], [0.2], [0.5]])
    estimate, expected = two_way_mean(values), ttest_1samp(values[:, 0], 0)
    interval = expected.confidence_interval()
    assert (estimate.low, estimate.high) == pytest.approx((interval.low, interval.high))
    assert estimate.p == pytest.approx(expected.pvalue)


def test_a_single_seed_has_no_interval_and_equal_values_have_width_zero() -> None:
    estimate = two_way_mean(np.array([[0.3, 0.1]]))
    assert (estimate.mean, estimate.low, estimate.high, estimate.p) == (0.2, None, None, None)
    equal = two_way_mean(np.full((3, 2), 0.25))
    assert (equal.low, equal.high, equal.p) == (0.25, 0.25, None)
    assert equal.p_beyond(0.2, below=False) < 1e-9
    assert equal.p_beyond(0.2, below=True) == 1
    almost = two_way_mean(np.array([[0.7 - 0.8], [0.6 - 0.7]]))  # differs by rounding alone
    assert almost.low == almost.high == pytest.approx(-0.1)


def test_holms_correction_agrees_with_the_textbook() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, None, 0.9]) == [1.0, None, 1.0]
    assert holm([]) == []
