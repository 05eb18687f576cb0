"""The two sides of a comparison: arrays whose row i is the same example."""

import numpy as np
import torch
from torch import Tensor

from alignscope.errors import SimilarityError

Array = Tensor | np.ndarray
"""(n, d): n examples, d features; NumPy or torch, on any device, of any precision."""

CONSTANT = "{} is not defined where a side does not vary between its rows"


def sides(
    left: Array, right: Array, measure: str, *, least: int = 2, same_width: bool = False
) -> tuple[Tensor, Tensor]:
    """Return both sides in float64, ready to be compared; ``measure`` is for the error.

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
    if not (x.isfinite().all() and y.isfinite().all()):
        raise SimilarityError(f"{measure} of values that are not finite is not defined")
    return x.double(), y.double()


def centred_sides(
    left: Array, right: Array, measure: str, *, least: int = 2, same_width: bool = False
) -> tuple[Tensor, Tensor]:
    """Return `sides` with every column's mean taken off.

    Raises:
        SimilarityError: as `sides` does, and if a side is constant.
    """
    x, y = sides(left, right, measure, least=least, same_width=same_width)
    return _varying(x, measure), _varying(y, measure)


def _varying(side: Tensor, measure: str) -> Tensor:
    """Centre a side; what is left of a constant one is rounding, which must not be compared."""
    centred = side - side.mean(0)
    if centred.abs().max() <= 1e-12 * side.abs().max():
        raise SimilarityError(CONSTANT.format(measure))
    return centred
