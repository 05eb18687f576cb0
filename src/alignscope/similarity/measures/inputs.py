"""Check the two sides of a comparison: arrays whose row i is the same example."""

import math
import warnings

import numpy as np
import torch
from torch import Tensor

from alignscope.errors import SimilarityError

Array = Tensor | np.ndarray
"""(n, d): n examples with d features, in NumPy or torch, on any device, in any precision."""

SINGLE = 1.2e-6
"""Ten times the rounding of single precision: values that differ by less count as equal."""
DOUBLE = 1e-12
"""The same for double precision, with more room for sums over many rows."""


class BiasWarning(UserWarning):
    """A measure that is biased upward with few rows gets fewer than 2 d rows."""


CONSTANT = "{} is undefined because a side does not vary between its rows."
"""The error for a constant side; its gap takes the name of the measure."""


def rounding_tolerance(side: Array) -> float:
    """Return how much equal values may differ by rounding, relative to the largest value."""
    return DOUBLE if torch.as_tensor(side).dtype == torch.float64 else SINGLE


def as_pair(
    left: Array, right: Array, measure: str, *, least: int = 2, same_width: bool = False
) -> tuple[Tensor, Tensor]:
    """Return both sides in double precision, checked.

    Args:
        left: one side, (n, d).
        right: the other side, (n, e).
        measure: the name of the measure, for errors.
        least: the smallest n that is accepted.
        same_width: whether e must equal d.

    Raises:
        SimilarityError: if the shapes do not fit, there are too few rows, or a value is not finite.
    """
    x, y = torch.as_tensor(left), torch.as_tensor(right)
    second = "d" if same_width else "e"
    fits = x.ndim == y.ndim == 2 and len(x) == len(y)
    if not fits or (same_width and x.shape != y.shape):
        shapes = f"{tuple(x.shape)} and {tuple(y.shape)}"
        wanted = f"(n, d) and (n, {second})"
        raise SimilarityError(f"{measure} compares {wanted} with the same n, got {shapes}.")
    if len(x) < least:
        raise SimilarityError(f"{measure} needs at least {least} rows, got {len(x)}.")
    for side in (x, y):
        max_abs(side, measure)
    return x.double(), y.double()


def as_varying_pair(
    left: Array, right: Array, measure: str, *, least: int = 2
) -> tuple[Tensor, Tensor]:
    """Return both sides as `as_pair` does, and make sure that neither is constant.

    Args:
        left: one side, (n, d).
        right: the other side, (n, e).
        measure: the name of the measure, for errors.
        least: the smallest n that is accepted.

    Raises:
        SimilarityError: as `as_pair` does, and if a side is constant.
    """
    x, y = as_pair(left, right, measure, least=least)
    for side, array in ((x, left), (y, right)):
        check_varies(side, measure, rounding_tolerance(array))
    return x, y


def center(side: Tensor, measure: str, tolerance: float | None = None) -> Tensor:
    """Subtract the mean of every column, in double precision.

    Args:
        side: one side, (n, d).
        measure: the name of the measure, for errors.
        tolerance: the `rounding_tolerance` of the array that the side came from.

    Raises:
        SimilarityError: as `check_varies` does.
    """
    check_varies(side, measure, tolerance)
    rows: Tensor = side.double() - side.mean(0, dtype=torch.float64)
    return rows


def max_abs(side: Tensor, measure: str) -> float:
    """Return the largest absolute value of a side, in one pass and without a copy.

    Raises:
        SimilarityError: if not all values are finite.
    """
    largest = max(abs(float(end)) for end in side.aminmax()) if side.numel() else 0.0
    if not math.isfinite(largest):
        raise SimilarityError(
            f"{measure} is undefined for values that are not finite. Remove NaN and infinity."
        )
    return largest


def check_varies(side: Tensor, measure: str, tolerance: float | None = None) -> None:
    """Make sure that a side is not constant up to rounding.

    Args:
        side: one side, (n, d).
        measure: the name of the measure, for errors.
        tolerance: the `rounding_tolerance` of the array that the side came from.

    Raises:
        SimilarityError: if the side is constant, or not all values are finite.
    """
    least = (tolerance or rounding_tolerance(side)) * max_abs(side, measure)
    if least and (side[0] - side[-1]).abs().max() > least:
        return  # true of nearly all sides, and far cheaper than a pass over all columns
    if not least or (side.amax(0) - side.amin(0)).max() <= least:
        raise SimilarityError(CONSTANT.format(measure))


def warn_biased(measure: str, n: int, d: int) -> None:
    """Warn (`BiasWarning`) if n < 2 d: the value of a biased measure is then far above 0."""
    if n < 2 * d:
        warnings.warn(
            f"{measure} of {n} rows in {d} dimensions is biased upward, even for unrelated sides. "
            "Compare it with its null band, or use a debiased measure.",
            BiasWarning,
            stacklevel=3,
        )
