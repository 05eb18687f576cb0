"""The learning-rate schedule of fine-tuning and of pretraining."""

import math
from collections.abc import Callable


def linear_warmup_decay(
    steps: int, warmup: float, *, rounding: Callable[[float], int] = math.ceil
) -> Callable[[int], float]:
    """Return the factor of the learning rate by step: a linear rise, then a linear fall to zero.

    >>> factor = linear_warmup_decay(steps=10, warmup=0.2)
    >>> [factor(step) for step in range(10)]
    [0.5, 1.0, 1.0, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125]

    Args:
        steps: the number of optimisation steps.
        warmup: the fraction of the steps in which the rate rises.
        rounding: turns ``warmup * steps`` into a number of steps. Fine-tuning rounds up.

    Returns:
        A function from the step, counted from 0, to a factor between 0 and 1.
    """
    warm = rounding(warmup * steps)

    def factor(step: int) -> float:
        if step < warm:
            return (step + 1) / warm
        return max(0.0, (steps - step) / max(1, steps - warm))

    return factor


def nearest_positive(steps: float) -> int:
    """Round to the nearest whole number, but at least to 1.

    Pretraining rounds its warm-up so. The bundled encoder can only be reproduced with it.
    """
    return max(1, round(steps))
