"""Make a measure of a plain function: a jackknife interval and a shuffle null around its value."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from alignscope.errors import SimilarityError
from alignscope.similarity.measures.context import NO_CONTEXT, Context
from alignscope.similarity.measures.estimate import Estimate
from alignscope.similarity.measures.intervals import jackknife_spread
from alignscope.similarity.measures.null import shuffle_null

MeasureFunction = Callable[[Tensor, Tensor], float]
"""A function of two sides (n, d) whose row i is the same example; it returns one number."""

TOLERANCE = 1e-6
"""How far rounding may carry a value beyond the bounds of its measure."""


@dataclass(frozen=True)
class FunctionMeasure:
    """A plain function of two sides as a measure with an interval and a null.

    The interval is the jackknife, which leaves out rows, or documents if they are known. The null
    is the range of 39 shuffles of the second side, so that a comparison of n rows calls the
    function n + 40 times.

    Args:
        name: the name of the measure, for errors.
        function: the function; both sides reach it in double precision, on their device.
        bounds: the smallest and the largest value that the function can return.
    """

    name: str
    function: MeasureFunction
    bounds: tuple[float, float]

    def prepare(self, side: Tensor) -> Tensor:
        """Return a side (n, d) in double precision."""
        return side.double()

    def compare(self, x: Tensor, y: Tensor, context: Context = NO_CONTEXT) -> list[Estimate]:
        """Return the value of two sides (n, d), with its interval and null.

        Raises:
            SimilarityError: if the function returns anything but a finite number within the bounds.
        """
        value = self._value(x, y)
        documents = context.documents
        groups = torch.arange(len(x)) if documents is None else documents.index
        kept = [groups.to(x.device) != group for group in range(int(groups.max()) + 1)]
        without_each = torch.tensor([self._value(x[k], y[k]) for k in kept], dtype=torch.float64)
        spread = jackknife_spread(without_each, documents)
        null = shuffle_null(len(x), lambda order: self._value(x, y[order.to(y.device)]))
        return [Estimate("plain", value, *spread.around(value), *null, **spread.columns)]

    def _value(self, x: Tensor, y: Tensor) -> float:
        returned = self.function(x, y)
        try:
            value = float(returned)
        except (TypeError, ValueError, RuntimeError):
            raise SimilarityError(
                f"The measure {self.name} returned {_short(returned)} for {len(x)} rows. Return "
                "one number."
            ) from None
        low, high = self.bounds
        if not math.isfinite(value) or not low - TOLERANCE <= value <= high + TOLERANCE:
            raise SimilarityError(
                f"The measure {self.name} returned {value} for {len(x)} rows, but its bounds are "
                f"{low:g} and {high:g}. Correct the function, or register it with other bounds."
            )
        return value


def _short(value: object) -> str:
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    return f"a {type(value).__name__}"
