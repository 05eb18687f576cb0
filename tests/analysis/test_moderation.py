"""Moderated variances, against limma's formulas and against simulated windows."""

import numpy as np
import pytest
from scipy.stats import f as fisher
from scipy.stats import t as student

from alignscope.analysis.moderation import (
    REF_CORRELATION,
    VarianceEstimate,
    _inverse_trigamma,
    moderate_variances,
)


def estimates(variances: list[float], degrees: float = 1) -> list[VarianceEstimate]:
    return [VarianceEstimate(variance, degrees) for variance in variances]


@pytest.mark.parametrize("value", [1e-4, 0.3, 1.0, 1.6449, 7.0, 1e3, 1e9])
def test_the_inverse_of_trigamma(value: float) -> None:
    from scipy.special import polygamma

    assert float(polygamma(1, _inverse_trigamma(value))) == pytest.approx(value, rel=1e-6)


def test_equal_variances_are_pooled() -> None:
    found = moderate_variances(estimates([2.0, 2.0, 2.0, 2.0], degrees=2))
    assert [estimate.variance for estimate in found] == pytest.approx([2.0] * 4)
    prior = 3 * 2 / (1 + 2 * REF_CORRELATION)
    tail = fisher.sf(1, 2, prior)  # the variance is not unusual, so that nearly all is borrowed
    assert found[0].degrees == pytest.approx(2 + prior * min(1, 2 * tail))


def test_an_unstable_window_keeps_its_own_variance() -> None:
    found = moderate_variances(estimates([1.0, 1.1, 0.9, 400.0], degrees=4))
    assert found[3].variance > 300
    assert found[3].degrees == pytest.approx(4, abs=0.5)
    assert found[0].variance < 60  # the unstable one hardly reaches the others


def test_a_single_window_and_constant_windows_keep_their_variance() -> None:
    assert moderate_variances(estimates([3.0], degrees=2)) == [VarianceEstimate(3.0, 2)]
    assert moderate_variances(estimates([0.0, 0.0])) == estimates([0.0, 0.0])
    assert moderate_variances([]) == []


def test_windows_may_have_different_numbers_of_seeds() -> None:
    mixed = [VarianceEstimate(1.0, 1), VarianceEstimate(1.2, 4), VarianceEstimate(0.9, 2)]
    found = moderate_variances(mixed)
    assert all(0.9 <= estimate.variance <= 1.2 for estimate in found)
    assert all(new.degrees > old.degrees for new, old in zip(found, mixed, strict=True))


@pytest.mark.parametrize("seeds", [2, 3, 5])
@pytest.mark.parametrize("spread", [0.0, 0.7])
def test_intervals_over_seeds_cover_as_claimed(seeds: int, spread: float) -> None:
    """Six windows that share one REF; 93 to 97 % are covered, with less than half the width."""
    rng, covered, ratios = np.random.default_rng(3), [], []
    for _ in range(600):
        deviations = np.exp(rng.normal(0, spread, 7))
        runs = deviations[:, None] * rng.normal(size=(7, seeds))
        effects = runs[1:] - runs[0]
        own = effects.var(1, ddof=1)
        moderated = moderate_variances(estimates(own.tolist(), seeds - 1))
        half = np.array(
            [student.ppf(0.975, of.degrees) * np.sqrt(of.variance / seeds) for of in moderated]
        )
        covered.append(abs(effects.mean(1)) <= half)
        ratios.append(half / (student.ppf(0.975, seeds - 1) * np.sqrt(own / seeds)))
    assert 0.93 <= np.mean(covered) <= 0.97
    if seeds == 2:
        assert np.median(ratios) < 0.5
