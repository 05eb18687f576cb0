"""Means over seeds and corpora: by hand, and on simulated tables whose truth is known."""

import numpy as np
import pytest
from scipy.stats import ttest_1samp

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
def test_intervals_hold_the_truth_as_often_as_they_say(
    shape: tuple[int, int], spread: tuple[float, float, float]
) -> None:
    found = [two_way_mean(values) for values in simulated(shape, *spread, mean=2)]
    assert 0.92 <= np.mean([one.low <= 2 <= one.high for one in found]) <= 0.985  # type: ignore[operator]


def test_two_seeds_are_not_trusted_much_more_than_they_deserve() -> None:
    for spread in ((1, 1, 1), (0, 1, 1), (3, 1, 1), (1, 1, 0.01)):
        found = [two_way_mean(values) for values in simulated((2, 16), *spread)]
        assert 0.88 <= np.mean([one.low <= 0 <= one.high for one in found]) <= 0.99  # type: ignore[operator]


def test_p_values_are_uniform_where_there_is_no_effect_and_small_where_there_is() -> None:
    p = np.array([two_way_mean(values).p for values in simulated((5, 17), 1, 1, 1)], float)
    for level in (0.05, 0.2, 0.5, 0.8):
        assert np.mean(p < level) == pytest.approx(level, abs=0.045)
    strong = [two_way_mean(values).p for values in simulated((5, 17), 1, 1, 1, mean=5)]
    assert np.mean(np.array(strong, float) < 0.05) > 0.99


def test_an_interval_that_touches_zero_has_p_of_five_percent() -> None:
    (values, *_) = simulated((4, 6), 1, 1, 1)
    found = two_way_mean(values)
    assert found.high is not None
    assert two_way_mean(values - found.high).p == pytest.approx(0.05, abs=1e-6)


@pytest.mark.parametrize(("domains", "spread"), [(2, 0.02), (2, 0.05), (4, 0.03), (5, 0.0)])
def test_a_contrast_knows_that_its_other_corpora_are_a_sample(domains: int, spread: float) -> None:
    draw, inside = np.random.default_rng(2), []
    for _ in range(SIMULATIONS):
        seed = 0.01 * draw.normal(size=(5, 1))
        targets = 0.03 * draw.normal(size=(1, 16)) + 0.01 * draw.normal(size=(5, 16))
        beside = spread * draw.normal(size=(1, domains)) + 0.01 * draw.normal(size=(5, domains))
        difference = targets + seed - beside.mean(1, keepdims=True)
        found = two_way_mean(difference, beside=beside)
        assert found.low is not None
        assert found.high is not None
        inside.append(found.low <= 0 <= found.high)
    assert 0.92 <= np.mean(inside) <= 0.99
    assert two_way_mean(difference, beside=beside[:, :1]).p is None


def test_rounding_is_no_effect_that_is_sure() -> None:
    found = two_way_mean(np.array([[0.7 - 0.8], [0.6 - 0.7]]))
    assert found.p is None


def test_one_corpus_gives_students_interval() -> None:
    values = np.array([[0.3], [0.1], [0.5], [0.2]])
    found, expected = two_way_mean(values), ttest_1samp(values[:, 0], 0)
    interval = expected.confidence_interval()
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert found.p == pytest.approx(expected.pvalue)


def test_one_seed_says_nothing_of_others_and_no_variation_nothing_of_chance() -> None:
    found = two_way_mean(np.array([[0.3, 0.1]]))
    assert found.mean == pytest.approx(0.2)
    assert (found.low, found.high, found.p) == (None, None, None)
    constant = two_way_mean(np.full((3, 2), 0.25))
    assert (constant.low, constant.high, constant.p) == (0.25, 0.25, None)


def test_holms_correction_is_the_textbooks() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, None, 0.9]) == [1.0, None, 1.0]
    assert holm([]) == []
