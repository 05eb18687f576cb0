"""The colour scale of effects."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

FLOOR = 0.05
"""The smallest effect with the deepest colour; without it, noise would look like a large effect."""
UNSURE = 0.3
"""The share of its colour that an effect keeps whose interval includes 0 or is missing."""
DEEPEST = 0.55
"""The opacity of the largest effect; text on it must remain readable."""


def largest_effect(effects: pl.DataFrame) -> float:
    """Return the absolute effect with the deepest colour in all tables and figures of a page."""
    return max(map(abs, effects["fixed"]), default=0.0)


def colour_depth(row: Mapping[str, Any], column: str, largest: float) -> float:
    """Return the depth of an effect's colour, from −1 (loss) to 1 (gain).

    Args:
        row: an effect with its interval, under ``low`` and ``high``.
        column: the name of the effect.
        largest: the effect with the deepest colour.
    """
    effect, low, high = row[column], row["low"], row["high"]
    excludes_zero = low is not None and (high < 0 or low > 0)
    depth = effect / max(largest, FLOOR)
    return float(np.clip(depth if excludes_zero else UNSURE * depth, -1, 1))
