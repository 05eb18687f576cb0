"""Learning-rate schedules: the shapes, their names in a study, and their words in Methods.

A new schedule is a function here and an entry in `SCHEDULES`; a study then selects it by
``schedule = "NAME"`` in ``[training]``, and reports describe it. The module needs no torch.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Factor = Callable[[int], float]
"""From the step, counted from 0, to a factor of the peak learning rate, between 0 and 1."""


def linear_warmup_decay(
    steps: int, warmup: float, *, rounding: Callable[[float], int] = math.ceil
) -> Factor:
    """Return the factor of the learning rate by step: a linear rise, then a linear fall to zero.

    >>> factor = linear_warmup_decay(steps=10, warmup=0.2)
    >>> [factor(step) for step in range(10)]
    [0.5, 1.0, 1.0, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125]

    Args:
        steps: the number of optimisation steps.
        warmup: the fraction of the steps in which the rate rises.
        rounding: turns ``warmup * steps`` into a number of steps. Fine-tuning rounds up.

    """
    warm = rounding(warmup * steps)

    def factor(step: int) -> float:
        if step < warm:
            return (step + 1) / warm
        return max(0.0, (steps - step) / max(1, steps - warm))

    return factor


def cosine_warmup_decay(steps: int, warmup: float) -> Factor:
    """Return the factor of the learning rate by step: a linear rise, then half a cosine to zero.

    >>> factor = cosine_warmup_decay(steps=10, warmup=0.2)
    >>> [round(factor(step), 2) for step in range(10)]
    [0.5, 1.0, 1.0, 0.96, 0.85, 0.69, 0.5, 0.31, 0.15, 0.04]
    """
    rise, warm = linear_warmup_decay(steps, warmup), math.ceil(warmup * steps)

    def factor(step: int) -> float:
        if step < warm:
            return rise(step)
        done = min(1.0, (step - warm) / max(1, steps - warm))
        return 0.5 * (1 + math.cos(math.pi * done))

    return factor


@dataclass(frozen=True)
class Schedule:
    """A learning-rate schedule that a study can select."""

    factor: Callable[[int, float], Factor]
    """Returns the factor by step, given the number of steps and the warm-up fraction."""
    decay: str
    """The decay as Methods describes it, such as ``linear decay``."""


SCHEDULES: Mapping[str, Schedule] = {
    "linear": Schedule(linear_warmup_decay, "linear decay"),
    "cosine": Schedule(cosine_warmup_decay, "cosine decay"),
}
DEFAULT_SCHEDULE = "linear"


def nearest_positive(steps: float) -> int:
    """Round to the nearest whole number, but at least to 1.

    Pretraining rounds its warm-up so. The bundled encoder can only be reproduced with it.
    """
    return max(1, round(steps))
