"""The boundary: planted change points are found, flat and falling curves have none."""

from collections.abc import Sequence

import numpy as np
import pytest

from alignscope.analysis.changepoint import (
    ChangePoint,
    bootstrap_means,
    boundaries_table,
    contrasts_by_window,
    cut_rises,
    find_change_point,
    fit_cut,
    order_test,
)
from alignscope.analysis.effect_estimates import estimate_effects
from alignscope.config.windows import Window
from alignscope.results.schemas import BOUNDARIES
from tests.helpers.worlds import World, corpora

WINDOWS = [Window(i, i + 1) for i in range(0, 12, 2)]


def planted(levels: Sequence[float], seeds: int, draw: np.random.Generator) -> ChangePoint:
    """Return the change point of contrasts with these means and effects of runs and languages."""
    language = 0.03 * draw.normal(size=(1, 16))
    values = {
        window: level * (1 + 0.3 * draw.normal(size=(1, 16)))
        + 0.01 * draw.normal(size=(seeds, 1))
        + 0.02 * draw.normal(size=(seeds, 16))
        + language
        for window, level in zip(WINDOWS, levels, strict=False)
    }
    return find_change_point(values)


@pytest.mark.parametrize(("lower", "windows"), [(1, 6), (2, 6), (4, 6), (5, 6), (2, 4)])
def test_planted_change_points_are_found(lower: int, windows: int) -> None:
    draw = np.random.default_rng(1)
    levels = [-0.15] * lower + [0.0] * (windows - lower)
    points = [planted(levels, 5, draw) for _ in range(40)]
    right = [point.block == 2 * lower for point in points]
    assert np.mean(right) > 0.95
    for point in points:
        if point.block is not None:
            assert point.low is not None
            assert point.high is not None
            assert point.low <= 2 * lower <= point.high
            assert sum(share for _, share in point.shares) == pytest.approx(1)
            assert [block for block, _ in point.shares] == [w.first for w in WINDOWS[1:windows]]


@pytest.mark.parametrize("seeds", [1, 2, 5])
def test_flat_curves_have_a_change_point_in_at_most_5_percent(seeds: int) -> None:
    draw = np.random.default_rng(2)
    points = [planted([-0.05] * 6, seeds, draw) for _ in range(200)]
    assert np.mean([point.block is None for point in points]) > 0.91
    assert np.mean([point.p < 0.05 for point in points]) < 0.09  # type: ignore[operator]
    assert np.mean([point.p < 0.5 for point in points]) == pytest.approx(0.5, abs=0.1)  # type: ignore[operator]
    assert "not identifiable" in next(point.reason for point in points if point.block is None)


def test_a_falling_curve_has_no_change_point() -> None:
    draw = np.random.default_rng(3)
    assert all(planted([0, 0, 0, -0.2, -0.2, -0.2], 5, draw).block is None for _ in range(20))


def test_seeds_that_disagree_leave_every_cut_possible() -> None:
    steps = np.zeros((6, 5, 8))
    for seed, lower in enumerate((1, 5, 1, 5, 3)):
        steps[:lower, seed] = -0.2
    point = find_change_point(dict(zip(WINDOWS, steps, strict=True)))
    assert (point.block, point.reason) == (None, "not identifiable: it could be anywhere")
    assert point.p is not None
    assert point.p < 0.05


def test_a_single_costly_window_in_the_middle_is_no_change_point() -> None:
    draw = np.random.default_rng(4)
    for levels in ([0, -0.2, 0, 0, 0, 0], [0, -0.1, 0, -0.12, 0, 0]):
        points = [planted(levels, 5, draw) for _ in range(20)]
        assert np.mean([point.block is None for point in points]) > 0.9
    assert any("windows take turns" in point.reason for point in points)


def test_too_few_seeds_are_named_as_the_reason() -> None:
    two_seeds = {window: np.zeros((2, 8)) - (window.first < 2) for window in WINDOWS[:4]}
    assert (
        find_change_point(two_seeds).reason
        == "not identifiable: too few seeds or corpora for 4 windows"
    )


def test_windows_without_an_order_have_no_change_point() -> None:
    some = np.ones((3, 4))
    assert (
        "three windows at least, there are 2"
        in find_change_point(dict.fromkeys(WINDOWS[:2], some)).reason
    )
    overlapping = find_change_point(dict.fromkeys((Window(0, 1), Window(1, 2), Window(4, 5)), some))
    assert overlapping.reason == "windows 0-1 and 1-2 overlap: they cannot be put in an order"
    assert find_change_point(dict.fromkeys(WINDOWS, some)).reason.startswith("not identifiable")
    assert (
        find_change_point(dict.fromkeys(WINDOWS, np.ones((0, 4)))).reason
        == "no seed has every window"
    )


def test_the_table_has_a_row_per_curve() -> None:
    """Families are the sample, and a seed counts if it has every window."""

    def harm(rng: np.random.Generator, window: str, corpus: str) -> float:
        cost = 0.3 if window == "0-1" and not corpus.startswith("ud:en") else 0.0
        return -cost + 0.01 * rng.normal()

    windows = ("0-1", "2-3", "4-5", "6-7")
    given = World(corpora(0.9, 0.8, 0.7), harm, windows).study(np.random.default_rng(1))
    (group,) = estimate_effects(given)
    contrasts = contrasts_by_window(group, "config")
    assert [str(window) for window in contrasts] == list(windows)
    assert {values.shape for values in contrasts.values()} == {(5, 8)}
    table = boundaries_table([group])
    assert table.schema == BOUNDARIES
    (row,) = table.rows(named=True)
    assert (row["windows"], row["block"], row["low"], row["high"]) == (4, 2, 2, 2)
    assert row["shares"] == "2:1 4:0 6:0"
    rest = given.filter(~((given["seed"] == 3) & (given["window"] == "2-3")))
    (partial,) = estimate_effects(rest)
    assert {v.shape for v in contrasts_by_window(partial, "config").values()} == {(4, 8)}
    assert boundaries_table([partial])["block"].item() == 2


def test_the_cut_is_that_of_least_squares() -> None:
    draw = np.random.default_rng(5)
    for _ in range(50):
        values = draw.normal(size=(6, 3, 4)) + 1.5 * (np.arange(6) >= 3)[:, None, None]
        means = values.mean((1, 2))
        cut, rise = fit_cut(values)
        rising = [k for k in range(1, 6) if means[k:].mean() > means[:k].mean()]
        residual = {
            k: ((means[:k] - means[:k].mean()) ** 2).sum()
            + ((means[k:] - means[k:].mean()) ** 2).sum()
            for k in rising
        }
        assert cut == min(residual, key=lambda k: residual[k])
        total = ((means - means.mean()) ** 2).sum()
        assert rise == pytest.approx(np.sqrt(total - residual[cut]))


def test_a_falling_cut_has_a_negative_rise() -> None:
    (rises,) = cut_rises(np.array([[1.0, 0.0, 0.0]]))
    assert rises.tolist() == pytest.approx([-np.sqrt(2 / 3), -np.sqrt(1 / 6)])


def test_the_order_test_counts_the_orders_that_rise_as_much() -> None:
    """A step at the first cut: of the 3 places of the low window, one seed has it first in 1 of 3.

    Two seeds that agree have a p-value of 1 / 9; two corpora that agree, too.
    """
    step = np.zeros((3, 2, 2)) - np.array([1.0, 0.0, 0.0])[:, None, None]
    _, rise = fit_cut(step)
    assert order_test(step, rise) == pytest.approx(1 / 9, abs=0.015)
    many_corpora = np.repeat(step[:, :, :1], 40, axis=2)
    assert order_test(many_corpora, rise) == pytest.approx(1 / 9, abs=0.015)  # the larger counts


def test_bootstrap_samples_vary_as_seeds_and_corpora_do() -> None:
    draw = np.random.default_rng(6)
    of_seeds = np.broadcast_to(draw.normal(size=(1, 5, 1)), (3, 5, 8))
    samples = bootstrap_means(of_seeds)
    assert samples.mean() == pytest.approx(of_seeds.mean(), abs=0.03)
    assert samples[:, 0].std() == pytest.approx(of_seeds[0, :, 0].std() / np.sqrt(5), rel=0.05)
    assert np.ptp(samples, axis=1).max() < 1e-12  # the windows are resampled together
