"""Encoders side by side: one column each."""

from collections.abc import Iterable, Sequence

import polars as pl

from alignscope.analysis.effect_intervals import TARGETS_SOURCE
from alignscope.analysis.results import Leading
from alignscope.report.labels import in_points
from alignscope.report.tables.display import for_people
from alignscope.report.tables.tables import Sheet


def side_by_side(found: Leading) -> list[Sheet]:
    """Contrasts, boundaries and verdicts, each with a column per encoder."""
    contrasts = found.in_order(found.intervals).filter(on=TARGETS_SOURCE)
    told = [
        in_points(row["mean"], row["low"], row["high"]) for row in contrasts.iter_rows(named=True)
    ]
    boundaries = found.in_order(found.boundaries)
    where = for_people(boundaries)["predicts from block"]
    claims = found.in_order(found.claims)
    verdicts = for_people(claims).select(pl.format("{}: {}", "verdict", "found")).to_series()
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
) -> Sheet:
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
    return Sheet(name, title, table, people)
