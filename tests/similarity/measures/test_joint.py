"""Bands over all layers at once, and the layers that could be the highest."""

import numpy as np
import pytest
import torch
from torch import Tensor

from alignscope.similarity.layers import similarity_by_layer
from alignscope.similarity.measures.intervals import influence_spread
from alignscope.similarity.measures.joint import joint_band
from tests.helpers.gauss import normal

LAYERS = 9


def means(samples: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean of every layer of samples (layers, n), and its deviations."""
    spreads = [influence_spread(of_layer) for of_layer in samples]
    return samples.mean(1), torch.stack([spread.deviations for spread in spreads])


@pytest.mark.parametrize(("n", "shared"), [(12, 0.0), (60, 0.0), (60, 2.0)])
def test_the_band_covers_all_layers_at_once(n: int, shared: float) -> None:
    """The true means are 0; single intervals would miss one of nine layers often."""
    all_inside, single = [], []
    for seed in range(400):
        samples = normal(LAYERS, n, seed) + shared * normal(1, n, 5000 + seed)
        values, deviations = means(samples)
        band = joint_band(values, deviations)
        all_inside.append(bool(((band.low <= 0) & (band.high >= 0)).all()))
        ends = [influence_spread(layer).around(float(layer.mean())) for layer in samples]
        single.append(all(low <= 0 <= high for low, high in ends))
    assert 0.92 <= np.mean(all_inside) <= 0.985
    assert np.mean(single) < np.mean(all_inside) - 0.03


def test_the_true_highest_layer_is_among_those_that_could_be() -> None:
    """Two layers share the highest mean: each must stay in at least 95 of 100 samples."""
    truth = torch.tensor([0.0, 0.2, 0.8, 1.0, 1.0, 0.9, 0.5, 0.2, 0.0], dtype=torch.float64)
    kept = []
    for seed in range(300):
        samples = truth[:, None] + 0.5 * normal(LAYERS, 50, seed) + normal(1, 50, 7000 + seed)
        kept.append(joint_band(*means(samples)).could_be_highest)
    share = torch.stack(kept).double().mean(0)
    assert float(share[3:5].min()) > 0.94
    assert float(share[[0, 1, 7, 8]].max()) < 0.05


def test_what_layers_share_does_not_hide_their_order() -> None:
    """Sentences move all layers alike, so that bands overlap and differences are still certain."""
    truth = torch.tensor([0.0, 0.3], dtype=torch.float64)
    values, deviations = means(truth[:, None] + 0.05 * normal(2, 40, 1) + 2 * normal(1, 40, 2))
    band = joint_band(values, deviations)
    assert band.high[0] > band.low[1]
    assert band.could_be_highest.tolist() == [False, True]


def test_one_layer_has_its_own_interval() -> None:
    values, deviations = means(normal(1, 40))
    band = joint_band(values, deviations)
    low, high = influence_spread(normal(1, 40)[0]).around(float(values[0]))
    assert (float(band.low[0]), float(band.high[0])) == pytest.approx((low, high), abs=0.03)
    assert band.could_be_highest.tolist() == [True]


def test_rows_of_layers_tell_which_could_be_the_highest() -> None:
    noise = torch.tensor([4.0, 1.0, 0.5, 0.5, 3.0], dtype=torch.float64)[:, None, None]
    source = torch.stack([normal(150, 12, seed) for seed in range(5)])
    targets = {
        name: source + noise * torch.stack([normal(150, 12, 50 * k + s) for s in range(5)])
        for k, name in enumerate(("a", "b"), start=1)
    }
    rows = similarity_by_layer(source, targets, ("cka", "retrieval"))
    for name in targets:
        cka = [row for row in rows if row["target"] == name and row["estimator"] == "debiased"]
        assert [row["peak"] for row in cka] == [False, False, True, True, False]
        assert [row["mean_peak"] for row in cka] == [False, False, True, True, False]
    for row in rows:
        low, high, value = (float(str(row[key])) for key in ("low", "high", "value"))
        assert float(str(row["joint_low"])) <= low <= value <= high <= float(str(row["joint_high"]))
