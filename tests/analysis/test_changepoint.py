"""The boundary: planted ones are found, flat and falling curves have none."""

from collections.abc import Sequence

import numpy as np
import pytest

from alignscope.analysis.changepoint import ChangePoint, boundaries_table, find_change_point
from alignscope.config.windows import Window
from alignscope.results.schemas import BOUNDARIES
from tests.helpers.planted import scores

WINDOWS = [Window(i, i + 1) for i in range(0, 12, 2)]


def planted(levels: Sequence[float], seeds: int, draw: np.random.Generator) -> ChangePoint:
    """Of contrasts with these means; every run and every language adds its own."""
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
def test_planted_boundaries_are_found(lower: int, windows: int) -> None:
    draw = np.random.default_rng(1)
    levels = [-0.15] * lower + [0.0] * (windows - lower)
    found = [planted(levels, 5, draw) for _ in range(40)]
    right = [one.block == 2 * lower for one in found]
    assert np.mean(right) > 0.95
    for one in found:
        if one.block is not None:
            assert one.low is not None
            assert one.high is not None
            assert one.low <= 2 * lower <= one.high
            assert sum(share for _, share in one.shares) == pytest.approx(1)
            assert [block for block, _ in one.shares] == [w.first for w in WINDOWS[1:windows]]


@pytest.mark.parametrize("seeds", [1, 2, 5])
def test_flat_curves_have_none_but_for_five_in_a_hundred(seeds: int) -> None:
    draw = np.random.default_rng(2)
    found = [planted([-0.05] * 6, seeds, draw) for _ in range(200)]
    assert np.mean([one.block is None for one in found]) > 0.91
    assert np.mean([one.p < 0.05 for one in found]) < 0.09  # type: ignore[operator]
    assert np.mean([one.p < 0.5 for one in found]) == pytest.approx(0.5, abs=0.1)  # type: ignore[operator]
    assert "not identifiable" in next(one.reason for one in found if one.block is None)


def test_a_curve_that_falls_has_none() -> None:
    draw = np.random.default_rng(3)
    assert all(planted([0, 0, 0, -0.2, -0.2, -0.2], 5, draw).block is None for _ in range(20))


def test_one_boundary_in_seeds_that_disagree_could_be_anywhere() -> None:
    steps = np.zeros((6, 5, 8))
    for seed, lower in enumerate((1, 5, 1, 5, 3)):
        steps[:lower, seed] = -0.2
    found = find_change_point(dict(zip(WINDOWS, steps, strict=True)))
    assert (found.block, found.reason) == (None, "not identifiable: it could be anywhere")
    assert found.p is not None
    assert found.p < 0.05


def test_one_window_in_the_middle_is_no_boundary() -> None:
    draw = np.random.default_rng(4)
    for levels in ([0, -0.2, 0, 0, 0, 0], [0, -0.1, 0, -0.12, 0, 0]):
        found = [planted(levels, 5, draw) for _ in range(20)]
        assert np.mean([one.block is None for one in found]) > 0.9
    assert any("windows take turns" in one.reason for one in found)


def test_too_few_to_tell_is_said() -> None:
    two_seeds = {window: np.zeros((2, 8)) - (window.first < 2) for window in WINDOWS[:4]}
    assert (
        find_change_point(two_seeds).reason
        == "not identifiable: too few seeds or corpora for 4 windows"
    )


def test_what_has_no_order_has_no_boundary() -> None:
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


def test_tables_have_a_row_for_each_curve() -> None:
    given = scores(
        {"0-1": {"de": 0.3, "fr": 0.3, "ja": 0.3}, "2-3": {}, "4-5": {}, "6-7": {}}, seeds=5
    )
    found = boundaries_table(given)
    assert found.schema == BOUNDARIES
    (row,) = found.rows(named=True)
    assert (row["windows"], row["block"], row["low"], row["high"]) == (4, 2, 2, 2)
    assert row["shares"] == "2:1 4:0 6:0"
    partial = boundaries_table(given.filter(~((given["seed"] == 3) & (given["window"] == "2-3"))))
    assert partial["block"].item() == 2
