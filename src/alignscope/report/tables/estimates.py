"""The cells of rows that hold a similarity: its interval, null bands and controls."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from alignscope.report.labels import format_ci, format_number
from alignscope.results.columns import ADDED_ESTIMATES

Row = Mapping[str, Any]

_ALWAYS_SHOWN = ("target", "layer", "n", "measure", "estimator")
_SHOWN_ONCE = ("value", "low", "high", "null_low", "null_high", *ADDED_ESTIMATES)


_ESTIMATE_CELLS = (
    "documents", "value", "random pairs", "pairs of equal length", "without length",
    "largest dimension", "without it", "could be highest",
)  # fmt: skip


def estimate_cells(table: pl.DataFrame) -> tuple[list[dict[str, str]], list[str]]:
    """Return the cells of every row as text, and the names of the columns to show.

    Columns that identify a row are shown if they vary, and controls if any row has them.

    Args:
        table: rows with the columns of a similarity.
    """
    names = [
        name
        for name in table.columns
        if name not in _SHOWN_ONCE and (name in _ALWAYS_SHOWN or table[name].n_unique() > 1)
    ]
    rows = [
        {**{name: _yes_or_text(row[name]) for name in names}, **_estimate_cells(row)}
        for row in table.iter_rows(named=True)
    ]
    filled = [name for name in _ESTIMATE_CELLS if any(row[name] for row in rows)]
    columns = [*names, *filled] if rows else [*names, "value"]
    return [{name: row[name] for name in columns} for row in rows], columns


def _estimate_cells(row: Row) -> dict[str, str]:
    """Return the value of a row with its bands and controls; empty text for what it lacks."""
    shares = [row[name] for name in ("source_largest", "target_largest")]
    largest = " / ".join(f"{100 * share:.0f} %" for share in shares if share is not None)
    return {
        "documents": _yes_or_text(row["documents"]),
        "value": format_ci(row["value"], row["low"], row["high"]),
        "random pairs": _band(row, "null"),
        "pairs of equal length": _band(row, "length_null"),
        "without length": _interval(row, "without_length"),
        "largest dimension": largest,
        "without it": _number(row["without_largest"]),
        "could be highest": _yes_or_text(row["peak"]),
    }


def _band(row: Row, name: str) -> str:
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    return "" if low is None else f"[{format_number(low)}, {format_number(high)}]"


def _interval(row: Row, name: str) -> str:
    value = row[name]
    return "" if value is None else format_ci(value, row[f"{name}_low"], row[f"{name}_high"])


def _number(value: float | None) -> str:
    return "" if value is None else format_number(value)


def _yes_or_text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    return "" if value is None else str(value)
