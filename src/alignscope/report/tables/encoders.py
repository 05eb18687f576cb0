"""Tables with one column per encoder."""

from collections.abc import Iterable, Sequence

import polars as pl

from alignscope.analysis.contrasts import TARGETS_SOURCE
from alignscope.analysis.results import PrimaryResults
from alignscope.report.groups import short_names
from alignscope.report.labels import format_points_ci
from alignscope.report.tables.display import format_for_display
from alignscope.report.tables.tables import ReportTable
from alignscope.report.tables.text_frames import text_frame, with_short_settings

_KEYS = ["task", "metric", "source", "setting", "init"]


def encoder_tables(results: PrimaryResults) -> list[ReportTable]:
    """Return effects, boundaries and verdicts, each with one column per encoder."""
    return [_contrasts(results), _boundaries(results), _claims(results)]


def _contrasts(results: PrimaryResults) -> ReportTable:
    data = results.in_order(results.effects).filter(on=TARGETS_SOURCE)
    ends = data.select("fixed", "seeds_low", "seeds_high").iter_rows()
    cells = [format_points_ci(mean, low, high) for mean, low, high in ends]
    display = _one_column_each(data, [*_KEYS, "window"], cells, short_names(results))
    title = "Target − source effects in points, by encoder"
    return ReportTable("contrasts-by-encoder", title, data, display)


def _boundaries(results: PrimaryResults) -> ReportTable:
    data = results.in_order(results.boundaries)
    cells = format_for_display("boundaries", data)["predicts from block"]
    display = _one_column_each(data, _KEYS, cells, short_names(results))
    return ReportTable("boundaries-by-encoder", "Boundaries, by encoder", data, display)


def _claims(results: PrimaryResults) -> ReportTable:
    data = results.in_order(results.claims)
    shown = format_for_display("claims", data)
    cells = shown.select(pl.format("{}: {}", "verdict", "estimate")).to_series()
    display = _one_column_each(data, [*_KEYS, "claim"], cells, short_names(results))
    return ReportTable("claims-by-encoder", "Verdicts, by encoder", data, display)


def _one_column_each(
    data: pl.DataFrame, keys: Sequence[str], cells: Iterable[str], names: dict[str, str]
) -> pl.DataFrame:
    """Put the cell of each row into the column of its encoder.

    Args:
        data: rows with the columns ``keys`` and ``encoder``.
        keys: the columns that identify a row of the result.
        cells: the text of each row, in order.
        names: the short name of every encoder.
    """
    encoders = data["encoder"].unique(maintain_order=True).to_list()
    columns = {
        label: f"encoder {names[label]}" if names[label] in keys else names[label]
        for label in encoders
    }
    rows: dict[tuple[str, ...], dict[str, str]] = {}
    for row, cell in zip(with_short_settings(data).iter_rows(named=True), cells, strict=True):
        key = tuple(str(row[name] or "") for name in keys)
        empty = dict.fromkeys([*keys, *columns.values()], "")
        cells_of_row = rows.setdefault(key, empty | dict(zip(keys, key, strict=True)))
        column = columns[row["encoder"]]
        if cells_of_row[column]:
            raise ValueError(f"{row['encoder']} has two cells for {key}.")
        cells_of_row[column] = cell
    table = text_frame([*rows.values()], [*keys, *columns.values()])
    return table if any(table["setting"]) else table.drop("setting")
