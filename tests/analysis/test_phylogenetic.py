"""Correlations over relatives: against closed forms, a library, and worlds with known truth."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from scipy.linalg import block_diag
from scipy.stats import spearmanr

from alignscope.analysis.correlation import correlation
from alignscope.analysis.genealogy import Lineage, lineage
from alignscope.analysis.phylogenetic import GRID, _weighted_estimates, phylogenetic_correlation
from alignscope.analysis.phylogenetic import _whitening as whitening
from alignscope.analysis.transfer_gap import permutation_p, ranks

TARGETS = (
    "cs", "de", "es", "fi", "fr", "hi", "id", "is", "it", "ja", "ko", "pl", "pt", "sv", "th", "tr",
    "zh",
)  # fmt: skip
LINEAGES = [lineage(code) for code in TARGETS]
UNRELATED = [Lineage(f"g{place}", f"f{place}") for place in range(17)]


def covariance(family: float, genus: float) -> np.ndarray:
    """The covariance of languages that correlate within families and genera."""
    rows = [
        [genus if a == b else family if a and b and a.family == b.family else 0.0 for b in LINEAGES]
        for a in LINEAGES
    ]
    found = np.array(rows)
    np.fill_diagonal(found, 1)
    return found


def draws(family: float, genus: float, rho: float, count: int) -> Sequence[np.ndarray]:
    """Pairs of traits that follow the genealogy and correlate by ``rho``."""
    root = np.linalg.cholesky(covariance(family, genus))
    normal = np.random.default_rng(1).normal(size=(count, 2, 17))
    left = normal[:, 0] @ root.T
    return list(
        np.stack([left, rho * left + math.sqrt(1 - rho**2) * normal[:, 1] @ root.T], axis=1)
    )


def test_unrelated_languages_have_spearmans_correlation_and_its_interval() -> None:
    for left, right in draws(0, 0, 0.4, 5):
        found = phylogenetic_correlation(left, right, UNRELATED)
        assert found.value == pytest.approx(spearmanr(left, right).statistic)
        assert (found.value, found.low, found.high) == pytest.approx(
            correlation(left.tolist(), right.tolist())
        )
        assert found.families == 17


def test_an_unknown_language_is_a_family_of_its_own() -> None:
    ((left, right),) = draws(0.5, 0.8, 0.4, 1)
    unknown = phylogenetic_correlation(left, right, [None] * 17)
    assert unknown == phylogenetic_correlation(left, right, UNRELATED)


def test_estimates_are_those_of_generalised_least_squares() -> None:
    ((left, right),) = draws(0.5, 0.8, 0.4, 1)
    estimates, weights = _weighted_estimates(np.stack([left, right]), whitening(tuple(LINEAGES)))
    assert weights.sum(1) == pytest.approx([1, 1])
    ones = np.ones((17, 1))
    likelihoods = []
    for (family, genus), estimate in zip(GRID, estimates, strict=True):
        matrix = covariance(family, genus)
        inverse = np.linalg.inv(matrix)
        means = [
            float((ones.T @ inverse @ side / (ones.T @ inverse @ ones)).item())
            for side in (left, right)
        ]
        x, y = left - means[0], right - means[1]
        products = x @ inverse @ y, x @ inverse @ x, y @ inverse @ y
        assert estimate == pytest.approx(products[0] / math.sqrt(products[1] * products[2]))
        # The restricted likelihood of right given left, by its definition (Patterson & Thompson).
        design = np.column_stack([ones, left])
        information = design.T @ inverse @ design
        fitted = design @ np.linalg.solve(information, design.T @ inverse @ right)
        residual = (right - fitted) @ inverse @ (right - fitted)
        determinants = np.linalg.slogdet(matrix)[1] + np.linalg.slogdet(information)[1]
        likelihoods.append(-0.5 * determinants - 7.5 * math.log(residual))
    expected = np.exp(np.array(likelihoods) - max(likelihoods))
    assert weights[0] == pytest.approx(expected / expected.sum())


def test_values_ends_and_p_do_not_depend_on_the_order_of_the_sides() -> None:
    ((left, right),) = draws(0.5, 0.8, 0.4, 1)
    forth = phylogenetic_correlation(left, right, LINEAGES)
    assert phylogenetic_correlation(right, left, LINEAGES) == pytest.approx(forth)
    assert forth.families == 8
    mirrored = phylogenetic_correlation(-left, right, LINEAGES)
    assert mirrored[:4] == pytest.approx((-forth[0], -forth[2], -forth[1], forth[3]))
    monotone = phylogenetic_correlation(np.exp(left), right**3, LINEAGES)
    assert monotone == forth


def test_the_interval_excludes_0_where_p_is_below_5_percent() -> None:
    for left, right in draws(0.5, 0.8, 0.5, 60):
        found = phylogenetic_correlation(left, right, LINEAGES)
        assert (found.low > 0 or found.high < 0) == (found.p < 0.05)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("family", "genus", "most_plain"), [(0, 0, 0.08), (0.5, 0.8, 1), (0.7, 0.9, 1)]
)
def test_independent_traits_of_relatives_are_seldom_significant(
    family: float, genus: float, most_plain: float
) -> None:
    worlds = draws(family, genus, 0, 600)
    adjusted = [phylogenetic_correlation(*world, LINEAGES).p for world in worlds]
    assert 0.02 <= np.mean(np.array(adjusted) <= 0.05) <= 0.07
    plain = [permutation_p(ranks(left), ranks(right)) for left, right in worlds[:150]]
    share = np.mean(np.array(plain) <= 0.05)
    assert share <= most_plain
    if genus:
        assert share > 0.08


@pytest.mark.parametrize(("family", "genus"), [(0, 0), (0.7, 0.9)])
def test_intervals_cover_the_correlation_of_relatives(family: float, genus: float) -> None:
    found = [phylogenetic_correlation(*world, LINEAGES) for world in draws(family, genus, 0.6, 400)]
    assert 0.92 <= np.mean([one.low <= 0.6 <= one.high for one in found]) <= 0.98  # type: ignore[operator]
    assert np.mean([one.p <= 0.05 for one in found]) > 0.55  # type: ignore[operator]


def test_equal_orders_have_no_interval_and_as_much_evidence_as_families() -> None:
    found = phylogenetic_correlation(np.arange(17.0), np.arange(17.0), LINEAGES)
    assert found == (1.0, None, None, pytest.approx(2 / math.factorial(8)), 8)
    one_family = [Lineage("g", "f")] * 6
    assert phylogenetic_correlation(np.arange(6.0), -np.arange(6.0), one_family).p == 1


def test_few_languages_and_constant_sides_have_no_correlation() -> None:
    nothing = (None, None, None, None)
    assert phylogenetic_correlation(np.arange(4.0), np.arange(4.0), LINEAGES[:4])[:4] == nothing
    assert phylogenetic_correlation(np.arange(17.0), np.ones(17), LINEAGES)[:4] == nothing


def test_a_correlation_within_one_family_alone_is_adjusted_to_its_contrasts() -> None:
    """Languages of one genus and singletons: a shift of the genus is one observation, not ten."""
    lineages = [Lineage("g", "f")] * 10 + UNRELATED[:7]
    draw = np.random.default_rng(3)
    root = np.linalg.cholesky(block_diag(np.full((10, 10), 0.9) + 0.1 * np.eye(10), np.eye(7)))
    shift = np.r_[np.full(10, 3.0), np.zeros(7)]
    left, right = (root @ draw.normal(size=17) + shift for _ in range(2))
    plain = permutation_p(ranks(left), ranks(right))
    adjusted = phylogenetic_correlation(left, right, lineages)
    assert plain < 0.05 < adjusted.p  # type: ignore[operator]
