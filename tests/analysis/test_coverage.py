"""Intervals cover the true effect as docs/statistics.md says, in a few of its cells."""

import pytest

from benchmarks.coverage import CELLS, Cell, coverage


@pytest.mark.parametrize(
    "cell",
    [
        Cell(2, 17, 0.5, 0.8, "equal"),
        Cell(3, 5, 0.5, 0.8, "log-normal"),
        Cell(2, 5, 0.0, 0.0, "one unstable run"),
        Cell(5, 17, 0.0, 0.0, "log-normal"),
    ],
)
def test_intervals_cover_the_truth(cell: Cell) -> None:
    """With 80 studies of six windows the share has a standard error of about one point."""
    found = coverage(cell, 80)
    assert 0.91 <= found.families <= 0.99
    assert 0.91 <= found.fixed <= 0.99


@pytest.mark.slow
@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_every_cell_is_between_92_and_98(cell: Cell) -> None:
    found = coverage(cell, 300, seed=2)
    assert 0.92 <= found.families <= 0.98
    assert 0.92 <= found.fixed <= 0.98
