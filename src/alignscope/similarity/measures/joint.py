"""Bands that cover all layers at once, and the layers that could be the highest.

Intervals of single layers cover each layer with 95 %, but not all of them at the same time, and
the layer with the largest value need not be the highest. The estimates of all layers come from the
same sentences. Their joint distribution follows from the deviations of the jackknife: draws of it
are sums of the deviations with independent normal weights, divided by the root of a chi-squared
variable (a multivariate t distribution with the covariance of the jackknife).
"""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from alignscope._util.confidence import CONFIDENCE
from alignscope.similarity.measures.estimate import Estimate

DRAWS = 2000
"""Draws from the joint distribution."""


class JointBand(NamedTuple):
    """Ends of a band over layers, (layers,), and whether each layer could be the highest."""

    low: Tensor
    high: Tensor
    could_be_highest: Tensor


def joint_band(values: Tensor, deviations: Tensor, level: float = CONFIDENCE) -> JointBand:
    """Return the band that covers all values at once, and which of them could be the highest.

    >>> values = torch.tensor([0.1, 0.8, 0.9], dtype=torch.float64)
    >>> deviations = 0.01 * torch.randn(3, 100, dtype=torch.float64)
    >>> joint_band(values, deviations).could_be_highest.tolist()
    [False, True, True]

    The band is every value plus and minus its standard error times the quantile of the largest
    standardised deviation over all layers. A layer could be the highest unless another one exceeds
    it by more than the same quantile of the largest standardised difference between two layers.
    Both hold for all layers at once with probability ``level``.

    Args:
        values: the estimate of every layer, (layers,).
        deviations: how each changes without each row or document, (layers, groups).
        level: the joint coverage.
    """
    weights, divisor = _draws(deviations.shape[1])
    draws = deviations @ weights / divisor  # (layers, draws)
    reach = _largest(draws, deviations.norm(dim=1), level) * deviations.norm(dim=1)
    first, second = torch.combinations(torch.arange(len(values))).T
    errors = torch.cdist(deviations, deviations, compute_mode="donot_use_mm_for_euclid_dist")
    quantile = _largest(draws[first] - draws[second], errors[first, second], level)
    behind = values[None, :] - values[:, None] > quantile * errors
    return JointBand(values - reach, values + reach, ~behind.any(1))


def joint_columns(
    rows: Sequence[Mapping[str, object]], estimates: Sequence[Estimate]
) -> list[dict[str, object]]:
    """Return ``joint_low``, ``joint_high``, ``peak`` and ``mean_peak`` of every row.

    Args:
        rows: the columns of every estimate, with ``target``, ``layer`` and ``measure``.
        estimates: the estimates themselves.

    Returns:
        The columns; all are None where an estimate has no deviations. ``mean_peak`` is also None
        where the targets were compared on different rows.
    """
    columns: list[dict[str, object]] = [
        dict.fromkeys(("joint_low", "joint_high", "peak", "mean_peak")) for _ in rows
    ]
    curves: dict[tuple[object, ...], list[int]] = {}
    for i, (row, estimate) in enumerate(zip(rows, estimates, strict=True)):
        if estimate.deviations is not None:
            place = (row["measure"], estimate.estimator, row["target"])
            curves.setdefault(place, []).append(i)
    by_measure: dict[tuple[object, ...], list[list[int]]] = {}
    for key, places in curves.items():
        _fill_curve(columns, estimates, places)
        by_measure.setdefault(key[:2], []).append(places)
    for of_targets in by_measure.values():
        _fill_means(columns, estimates, of_targets)
    return columns


def _fill_curve(
    columns: list[dict[str, object]], estimates: Sequence[Estimate], places: Sequence[int]
) -> None:
    band = joint_band(*_curve(estimates, places))
    for i, low, high, peak in zip(places, *(part.tolist() for part in band), strict=True):
        # Intervals that are not Student's can be wider, such as Wilson's of a share of 1.
        ends = min(low, estimates[i].low), max(high, estimates[i].high)
        columns[i] |= {"joint_low": ends[0], "joint_high": ends[1], "peak": peak}


def _fill_means(
    columns: list[dict[str, object]], estimates: Sequence[Estimate], targets: list[list[int]]
) -> None:
    """Say which layers could be the highest of the mean over targets."""
    curves = [_curve(estimates, places) for places in targets]
    if len({deviations.shape for _, deviations in curves}) > 1:
        return
    values, deviations = (torch.stack(parts).mean(0) for parts in zip(*curves, strict=True))
    peaks = joint_band(values, deviations).could_be_highest.tolist()
    for places in targets:
        for i, peak in zip(places, peaks, strict=True):
            columns[i]["mean_peak"] = peak


def _curve(estimates: Sequence[Estimate], places: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Return the values (layers,) and deviations (layers, groups) of some estimates."""
    deviations = [estimates[i].deviations for i in places]
    stacked = torch.stack([part.double().cpu() for part in deviations if part is not None])
    return torch.tensor([estimates[i].value for i in places], dtype=torch.float64), stacked


def _largest(draws: Tensor, errors: Tensor, level: float) -> float:
    """Return the quantile of the largest standardised absolute draw."""
    vary = errors > 0
    if not bool(vary.any()):
        return 0.0
    return float((draws[vary].abs() / errors[vary, None]).amax(0).quantile(level))


@lru_cache(maxsize=4)
def _draws(groups: int) -> tuple[Tensor, Tensor]:
    """Return normal weights (groups, draws) and the divisors of a t distribution (draws,)."""
    generator = torch.Generator().manual_seed(1)
    weights = torch.randn(groups, DRAWS, generator=generator, dtype=torch.float64)
    freedom = groups - 1
    # A chi-squared variable by Wilson & Hilferty (1931), which is exact enough from 10 on.
    normal = torch.randn(DRAWS, generator=generator, dtype=torch.float64)
    cube = 1 - 2 / (9 * freedom) + normal * math.sqrt(2 / (9 * freedom))
    return weights, cube.clamp(min=1e-3).pow(1.5)
