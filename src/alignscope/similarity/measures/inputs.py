"""The two sides of a comparison: arrays whose row i is the same example."""

import math
import warnings

import numpy as np
import torch
from torch import Tensor

from alignscope.errors import SimilarityError

Array = Tensor | np.ndarray
"""(n, d): n examples, d features; NumPy or torch, on any device, of any precision."""

SINGLE = 1.2e-6
"""Ten times the rounding of single precision: what differs by less is taken for equal."""
DOUBLE = 1e-12


class BiasWarning(UserWarning):
    """A measure that few rows draw upwards was asked for, with fewer than 2 d of them."""


CONSTANT = "{} is not defined where a side does not vary between its rows"


def rounding_tolerance(side: Array) -> float:
    """Return how far apart, relative to the largest, values are that rounding may have parted."""
    return DOUBLE if torch.as_tensor(side).dtype == torch.float64 else SINGLE


def as_pair(
    left: Array, right: Array, measure: str, *, least: int = 2, same_width: bool = False
) -> tuple[Tensor, Tensor]:
    """Return both sides in double, ready to be compared; ``measure`` is for the error.

    Raises:
        SimilarityError: if they are not (n, d) and (n, e) with at least ``least`` rows, have
            different widths where ``same_width`` is asked for, or hold what is not finite.
    """
    x, y = torch.as_tensor(left), torch.as_tensor(right)
    second = "d" if same_width else "e"
    fits = x.ndim == y.ndim == 2 and len(x) == len(y)
    if not fits or (same_width and x.shape != y.shape):
        shapes = f"{tuple(x.shape)} and {tuple(y.shape)}"
        wanted = f"(n, d) and (n, {second})"
        raise SimilarityError(f"{measure} compares {wanted} with the same n, not {shapes}")
    if len(x) < least:
        raise SimilarityError(f"{measure} needs at least {least} rows, there are {len(x)}")
    for side in (x, y):
        max_abs(side, measure)
    return x.double(), y.double()


def as_varying_pair(
    left: Array, right: Array, measure: str, *, least: int = 2
) -> tuple[Tensor, Tensor]:
    """Return `as_pair` that may well be centred: neither is constant.

    Raises:
        SimilarityError: as `as_pair` does, and if a side is constant.
    """
    x, y = as_pair(left, right, measure, least=least)
    for side, given in ((x, left), (y, right)):
        check_varies(side, measure, rounding_tolerance(given))
    return x, y


def center(side: Tensor, measure: str, relative: float | None = None) -> Tensor:
    """Take the mean of every column off, in double.

    Raises:
        SimilarityError: as `check_varies` does.
    """
    check_varies(side, measure, relative)
    rows: Tensor = side.double() - side.mean(0, dtype=torch.float64)
    return rows


def max_abs(side: Tensor, measure: str) -> float:
    """Return the largest absolute value of a side: one pass that makes no copy.

    Raises:
        SimilarityError: if not all values are finite.
    """
    found = max(abs(float(end)) for end in side.aminmax()) if side.numel() else 0.0
    if not math.isfinite(found):
        raise SimilarityError(f"{measure} of values that are not finite is not defined")
    return found


def check_varies(side: Tensor, measure: str, relative: float | None = None) -> None:
    """Make sure that a side is not constant, to `rounding_tolerance` or what is given of it.

    Raises:
        SimilarityError: if it is, or not all values are finite.
    """
    least = (relative or rounding_tolerance(side)) * max_abs(side, measure)
    if least and (side[0] - side[-1]).abs().max() > least:
        return  # nearly always, and far cheaper than all columns
    if not least or (side.amax(0) - side.amin(0)).max() <= least:
        raise SimilarityError(CONSTANT.format(measure))


def warn_biased(measure: str, n: int, d: int) -> None:
    """Warn (`BiasWarning`) that a biased measure is far above 0 for n unrelated rows of d."""
    if n < 2 * d:
        warnings.warn(
            f"{measure} of {n} rows in {d} dimensions is drawn upwards, for unrelated sides too: "
            "read it beside its null band, or use a debiased measure",
            BiasWarning,
            stacklevel=3,
        )
