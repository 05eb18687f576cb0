"""Correction of p-values for multiple testing."""

from collections.abc import Sequence

import polars as pl


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Return p-values corrected for their number (Holm 1979); None stays None and is not counted.

    >>> holm([0.01, None, 0.04])
    [0.02, None, 0.04]
    """
    known = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    corrected: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, (p, place) in enumerate(known):
        largest = max(largest, min(1.0, p * (len(known) - rank)))
        corrected[place] = largest
    return corrected


def holm_over(column: str) -> pl.Expr:
    """Return `holm` of a column as an expression, to be used with ``.over(family)``."""

    def correct(values: pl.Series) -> pl.Series:
        return pl.Series(holm(values.to_list()), dtype=pl.Float64)

    return pl.col(column).map_batches(correct, return_dtype=pl.Float64)
