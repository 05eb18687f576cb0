"""The learning-rate schedule."""

import math
from collections.abc import Callable


def linear_warmup_decay(steps: int, warmup: float) -> Callable[[int], float]:
    """Linear warm-up over a fraction of the steps, then linear decay to zero."""
    warm = math.ceil(warmup * steps)

    def factor(step: int) -> float:
        if step < warm:
            return (step + 1) / warm
        return max(0.0, (steps - step) / max(1, steps - warm))

    return factor
