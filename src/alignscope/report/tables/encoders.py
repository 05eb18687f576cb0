"""Encoders side by side: one column each."""

from collections.abc import Iterable, Sequence

import polars as pl

from alignscope.analysis.effect_intervals import TARGETS_SOURCE
from alignscope.analysis.results import PrimaryResults
from alignscope.report.labels import format_points_ci
from alignscope.report.tables.display import format_for_display
from alignscope.report.tables.tables import ReportTable


def encoder_tables(found: PrimaryResults) -> list[ReportTable]:
    """Contrasts, boundaries and verdicts, each with a column per encoder."""
    contrasts = found.in_order(found.effects).filter(on=TARGETS_SOURCE)
    told = [
        format_points_ci(row["mean"], row["low"], row["high"])
        for row in contrasts.iter_rows(named=True)
    ]
    boundaries = found.in_order(found.boundaries)
    where = format_for_display(boundaries)["predicts from block"]
    claims = found.in_order(found.claims)
    verdicts = (
        format_for_display(claims).select(pl.format("{}: {}", "verdict", "found")).to_series()
    )
    key = ["task", "metric", "source", "init"]
    return [
        _wide("contrasts", "Target − source effects in points, encoder by encoder",
              contrasts, [*key, "window"], told),
        _wide("boundaries-by-encoder", "Where prediction begins, encoder by encoder",
              boundaries, key, where),
        _wide("claims-by-encoder", "Verdicts, encoder by encoder",
              claims, [*key, "claim"], verdicts),
    ]  # fmt: skip


def _wide(
    name: str, title: str, table: pl.DataFrame, keys: Sequence[str], cells: Iterable[str]
) -> ReportTable:
    """Put what is said of each row into the column of its encoder."""
    encoders = table["encoder"].unique(maintain_order=True).to_list()
    columns = {name: f"encoder {name}" if name in keys else name for name in encoders}
    rows: dict[tuple[str, ...], dict[str, str]] = {}
    for row, cell in zip(table.iter_rows(named=True), cells, strict=True):
        key = tuple(str(row[name] or "") for name in keys)
        rows.setdefault(
            key, dict.fromkeys([*keys, *columns.values()], "") | dict(zip(keys, key, strict=True))
        )
        if rows[key][columns[row["encoder"]]]:
            raise ValueError(f"{row['encoder']} has two cells for {key}")
        rows[key][columns[row["encoder"]]] = cell
    people = pl.DataFrame(
        [*rows.values()], schema=dict.fromkeys([*keys, *columns.values()], pl.String)
    )
    return ReportTable(name, title, table, people)
