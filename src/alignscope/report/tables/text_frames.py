"""Frames of text, as tables show them: rows, short settings, no constant columns."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from alignscope.config.setting import short_settings
from alignscope.report.labels import format_ci

Row = Mapping[str, Any]


def text_frame(rows: Sequence[Mapping[str, str]], columns: Sequence[str]) -> pl.DataFrame:
    """Return rows of text as a frame with these columns."""
    return pl.DataFrame(list(rows), schema=dict.fromkeys(columns, pl.String))


def with_short_settings(table: pl.DataFrame) -> pl.DataFrame:
    """Return a table whose column ``setting`` has only what varies within a task of an encoder."""
    columns = ["encoder", "task", "setting"]
    if not {*columns} <= {*table.columns}:
        return table
    short = short_settings(table.select(columns).unique(maintain_order=True).rows())
    return table.with_columns(pl.col("setting").replace_strict(short, return_dtype=pl.String))


def drop_constant_columns(display: pl.DataFrame) -> pl.DataFrame:
    """Return a table without ``encoder``, ``init`` and ``setting`` if they have one value only."""
    constant = [
        name
        for name in ("encoder", "init", "setting")
        if name in display.columns and display[name].replace("", None).drop_nulls().n_unique() < 2
    ]
    return display.drop(constant)


def texts(row: Row, names: Sequence[str]) -> dict[str, str]:
    """Return cells as text; empty text for None."""
    return {name: "" if row[name] is None else str(row[name]) for name in names}


def estimate(row: Row, name: str) -> str:
    """Return ``−0.35 [−0.50, −0.20]``; empty text without a value."""
    if row[name] is None:
        return ""
    return format_ci(row[name], row[f"{name}_low"], row[f"{name}_high"])
