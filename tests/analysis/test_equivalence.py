"""Languages pass the test of a harmless window at the rates that the level promises."""

import math

import numpy as np
import pytest
from scipy import stats

from alignscope.analysis.equivalence import LEVEL, languages_that_pass

MARGIN = 0.015
LANGUAGES = 17


@pytest.mark.parametrize("seed", range(5))
def test_p_values_are_students_if_the_variance_is_that_of_the_language(seed: int) -> None:
    values = np.random.default_rng(seed).normal(-0.01, 0.01, size=(4, 6))
    found = languages_that_pass(values, MARGIN, values.var(axis=0, ddof=1), degrees=3)
    expected = stats.ttest_1samp(values, -MARGIN, axis=0, alternative="greater").pvalue
    assert found.p_values == pytest.approx(expected.tolist(), rel=1e-9)
    assert found.uncorrected == (expected <= 0.025).tolist()


def test_holm_by_hand() -> None:
    z = np.array([stats.norm.isf(p) for p in (0.008, 0.013, 0.001)])
    values = (z * 0.01 - MARGIN)[None, :]
    found = languages_that_pass(values, MARGIN, 0.01**2, degrees=math.inf)
    assert found.p_values == pytest.approx([0.008, 0.013, 0.001])
    assert found.uncorrected == [True, True, True]
    assert found.holm == [True, True, True]  # 0.001 * 3, 0.008 * 2, 0.013 * 1
    values = (np.array([stats.norm.isf(p) for p in (0.013, 0.014, 0.001)]) * 0.01 - MARGIN)[None]
    assert languages_that_pass(values, MARGIN, 0.01**2, math.inf).holm == [False, False, True]


def test_missing_seeds_widen_the_test() -> None:
    values = np.array([[-0.005, -0.005], [-0.005, np.nan]])
    full, missing = languages_that_pass(values, MARGIN, 0.01**2, 30).p_values
    assert full == pytest.approx(stats.t.sf(0.01 / (0.01 / math.sqrt(2)), 30))
    assert missing == pytest.approx(stats.t.sf(0.01 / 0.01, 30))


def test_without_variance_the_sign_decides() -> None:
    values = np.array([[-0.5, -0.25, 0.0]])
    found = languages_that_pass(values, 0.25, 0.0, 5)
    assert found.p_values == [1.0, 0.5, 0.0]
    assert found.uncorrected == [False, False, True]


@pytest.mark.parametrize(
    ("margin", "variance", "degrees"),
    [(-0.1, 1.0, 3), (0.1, -1.0, 3), (0.1, 1.0, 0), (math.nan, 1.0, 3), (0.1, math.nan, 3)],
)
def test_invalid_arguments_are_refused(margin: float, variance: float, degrees: float) -> None:
    with pytest.raises(ValueError, match="cannot be used"):
        languages_that_pass(np.zeros((2, 2)), margin, variance, degrees)


def test_a_language_without_a_seed_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Languages \[1\] have no seed"):
        languages_that_pass(np.array([[0.0, np.nan]]), MARGIN, 1.0, 3)


# Rates over simulated studies: three seeds, a variance pooled over the residuals of six windows.


def passes(
    effects: float, *, studies: int, shared: float, draw: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return which languages pass, uncorrected and by Holm, (studies, languages) each.

    ``shared`` is the part of the variance over seeds that all languages have in common.
    """
    seeds, windows, deviation = 3, 6, 0.008
    degrees = windows * (seeds - 1)
    uncorrected, corrected = [], []
    for _ in range(studies):
        common = draw.normal(size=(seeds, 1)) * math.sqrt(shared)
        own = draw.normal(size=(seeds, LANGUAGES)) * math.sqrt(1 - shared)
        values = effects + deviation * (common + own)
        variance = deviation**2 * draw.chisquare(degrees, size=LANGUAGES) / degrees
        found = languages_that_pass(values, MARGIN, variance, degrees)
        uncorrected.append(found.uncorrected)
        corrected.append(found.holm)
    return np.array(uncorrected), np.array(corrected)


@pytest.mark.parametrize("shared", [0.0, 0.8])
def test_error_rates_at_the_margin(shared: float) -> None:
    """Every language loses the margin exactly, so that each pass is an error."""
    draw = np.random.default_rng(11)
    alone, together = passes(-MARGIN, studies=3000, shared=shared, draw=draw)
    assert abs(alone.mean() - LEVEL) < 0.006
    family = together.any(axis=1).mean()
    assert family < LEVEL + 3 * math.sqrt(LEVEL * (1 - LEVEL) / 3000)
    assert shared > 0 or family > 0.5 * LEVEL
    assert shared > 0 or alone.any(axis=1).mean() > 0.25  # why there is a correction


def test_power_where_a_window_costs_nothing() -> None:
    alone, together = passes(0.0, studies=300, shared=0.5, draw=np.random.default_rng(12))
    assert alone.mean() > 0.8
    assert 0.3 < together.mean() < alone.mean()
