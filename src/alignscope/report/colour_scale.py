"""The colour scale of effects."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

FLOOR = 0.05
"""The least effect that is coloured as deep as can be: less, and noise would look like much."""
UNSURE = 0.3
"""The part of its colour that an effect keeps whose interval holds 0, or that has none."""
DEEPEST = 0.55
"""The opacity of the largest effect: text on it must still be read."""


def largest_effect(effects: pl.DataFrame) -> float:
    """The effect that is coloured deepest, in every table and figure of a page."""
    return max(map(abs, effects["mean"]), default=0.0)


def colour_depth(row: Mapping[str, Any], value: str, largest: float) -> float:
    """How deep an effect is coloured, −1 (lost) to 1; pale where its interval holds 0."""
    mean, low, high = row[value], row["low"], row["high"]
    sure = low is not None and (high < 0 or low > 0)
    depth = mean / max(largest, FLOOR)
    return float(np.clip(depth if sure else UNSURE * depth, -1, 1))
