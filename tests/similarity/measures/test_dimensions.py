"""Large dimensions: their share, the effective rank, and CKA without them."""

import numpy as np
import pytest
import torch
from torch import Tensor

from alignscope.similarity.layers import similarity_by_layer
from alignscope.similarity.measures.cka import debiased_cka
from alignscope.similarity.measures.dimensions import OutlierDimensionWarning, effective_rank
from alignscope.similarity.measures.kernels import linear_kernel
from tests.helpers.gauss import mixed, normal


def two_sides(size: float, n: int = 400, d: int = 96) -> tuple[Tensor, Tensor]:
    """Return unrelated sides of a decaying spectrum that share dimension 10, of this deviation."""
    spectrum = torch.arange(1, d + 1, dtype=torch.float64) ** -0.5
    sides = [normal(n, d, k) * spectrum @ torch.linalg.qr(normal(d, d, 10 + k)).Q for k in range(2)]
    common = normal(n, 1, 30)[:, 0]
    for k, side in enumerate(sides):
        side[:, 10] += size * (0.8 * common + 0.6 * normal(n, 1, 40 + k)[:, 0])
    return sides[0], sides[1]


def test_one_shared_dimension_is_named() -> None:
    left, right = two_sides(2.0)
    with pytest.warns(
        OutlierDimensionWarning, match="CKA with t at layer 0 is 0.*without the larg"
    ):
        rows = similarity_by_layer(left[None], {"t": right[None]}, ("cka", "retrieval"))
    row = rows[0]
    variances = left.var(0)
    assert variances.argmax() == right.var(0).argmax() == 10
    assert row["source_largest"] == pytest.approx(float(variances[10] / variances.sum()))
    kept = [i for i in range(96) if i != 10]
    assert row["without_largest"] == pytest.approx(debiased_cka(left[:, kept], right[:, kept]))
    assert float(str(row["value"])) > 0.2
    assert abs(float(str(row["without_largest"]))) < 0.02
    assert {row["without_largest"] for row in rows[1:]} == {None}


def test_sides_without_a_large_dimension_get_no_warning() -> None:
    left, right = two_sides(0.0)
    rows = similarity_by_layer(left[None], {"t": right[None]}, ("cka",))
    assert abs(float(str(rows[0]["value"])) - float(str(rows[0]["without_largest"]))) < 0.02


@pytest.mark.parametrize("sizes", [(60, 200), (400, 30)])
def test_each_side_loses_its_own_largest_dimension(sizes: tuple[int, int]) -> None:
    n, d = sizes
    left, right = mixed(n, d)
    left[:, 3] *= 2
    right[:, 7] *= 2
    (row, _) = similarity_by_layer(left[None], {"t": right[None]}, ("cka",))
    kept = [[i for i in range(d) if i != int(side.var(0).argmax())] for side in (left, right)]
    expected = debiased_cka(left[:, kept[0]], right[:, kept[1]])
    assert row["without_largest"] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("n", [40, 400])
def test_the_effective_rank_does_not_depend_on_the_number_of_rows(n: int) -> None:
    """That of 60 equal dimensions is 60, of half as many rows as dimensions or of many more."""
    ranks = [effective_rank(linear_kernel(normal(n, 60, seed))) for seed in range(60)]
    assert np.mean([1 / rank for rank in ranks if rank]) == pytest.approx(1 / 60, rel=0.05)
    spectrum = torch.ones(60, dtype=torch.float64)
    spectrum[0] = 60**0.5
    truth = (59 + 60) ** 2 / (59 + 60**2)
    uneven = [effective_rank(linear_kernel(normal(2000, 60, s) * spectrum)) for s in range(5)]
    assert np.mean([rank for rank in uneven if rank]) == pytest.approx(truth, rel=0.05)
