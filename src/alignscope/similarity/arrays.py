"""Compare two arrays whose row i is the same example, without any encoder."""

from collections.abc import Sequence

import polars as pl
import torch
from torch import Tensor

from alignscope.similarity.layers import check_rows
from alignscope.similarity.measures.inputs import Array, as_pair, check_varies, warn_biased
from alignscope.similarity.measures.registry import get_measure

COLUMNS = {
    "n": pl.Int64,
    "measure": pl.String,
    "estimator": pl.String,
    "value": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "null_low": pl.Float64,
    "null_high": pl.Float64,
    "source_largest": pl.Float64,
    "target_largest": pl.Float64,
    "source_rank": pl.Float64,
    "target_rank": pl.Float64,
    "without_largest": pl.Float64,
}


def similarity_of_arrays(x: Array, y: Array, measures: Sequence[str] = ("cka",)) -> pl.DataFrame:
    """Compare two arrays by one or more measures, with intervals and nulls.

    >>> x = torch.randn(100, 8)
    >>> table = similarity_of_arrays(x, 3 * x + 1, ["cka", "retrieval"])
    >>> table.select("measure", "estimator").rows()
    [('cka', 'debiased'), ('cka', 'biased'), ('retrieval', 'plain')]

    Args:
        x: n examples as rows, (n, d), in NumPy or torch; at least 20 rows.
        y: the same examples seen by something else, (n, e). Some measures need e = d.
        measures: names of measures.

    Returns:
        A row per measure and estimator: ``value``, the 95 % interval ``low`` to ``high`` for other
        rows of the same kind, and the range ``null_low`` to ``null_high`` that covers 95 % of
        random pairings of the rows. The other columns are about large dimensions of CKA's sides;
        `docs/tables.md` describes them.

    Raises:
        SimilarityError: if shapes do not fit, there are fewer than 20 rows, or a side is constant
            or has values that are not finite.
        StudyError: if a measure is unknown.

    Warns:
        BiasWarning: if a measure without a debiased estimate gets few rows in many dimensions.
    """
    rows: list[dict[str, object]] = []
    for name in measures:
        measure = get_measure(name)
        as_pair(x, y, name, same_width=measure.same_width)
        left, right = _sides(x, y, name)
        check_rows(len(left))
        if measure.biased:
            warn_biased(name, len(left), max(left.shape[1], right.shape[1]))
        estimates = measure.compare(measure.prepare(left), measure.prepare(right))
        common = {"n": len(left), "measure": name}
        rows += [{**common, **estimate.columns} for estimate in estimates]
    return pl.DataFrame([{key: row[key] for key in COLUMNS} for row in rows], schema=COLUMNS)


def _sides(x: Array, y: Array, measure: str) -> tuple[Tensor, Tensor]:
    """Return both arrays in one precision, single at least: sums in half would overflow."""
    sides = [_in_single_or_double(torch.as_tensor(array)) for array in (x, y)]
    precision = torch.promote_types(*(side.dtype for side in sides))
    left, right = (side.to(precision) for side in sides)
    for side in (left, right):
        check_varies(side, measure)
    return left, right


def _in_single_or_double(side: Tensor) -> Tensor:
    if side.dtype in (torch.float16, torch.bfloat16):
        return side.float()
    return side if side.dtype == torch.float32 else side.double()
