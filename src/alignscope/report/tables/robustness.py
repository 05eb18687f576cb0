"""The layout of the table ``robustness``."""

import polars as pl

from alignscope.report.labels import format_number, format_points
from alignscope.report.tables.text_frames import drop_constant_columns, text_frame, texts


def show_robustness(table: pl.DataFrame) -> pl.DataFrame:
    """Show each claim with its verdicts by setting, and the range of the statistic."""
    rows = []
    for row in table.iter_rows(named=True):
        is_effect = row["init"] is not None  # effects are in points, similarities are not
        number = format_points if is_effect else format_number
        rows.append(
            {
                **texts(row, ["encoder", "task", "metric", "source", "init", "window"]),
                "claim": row["says"],
                "settings": str(row["settings"]),
                **texts(row, ["supported", "contradicted", "other"]),
                "range": ""
                if row["lowest"] is None
                else f"{number(row['lowest'])} to {number(row['highest'])}",
                "verdicts": row["verdicts"],
            }
        )
    columns = ["encoder", "task", "claim", "settings", "supported", "contradicted", "other",
               "range", "window", "source", "metric", "init", "verdicts"]  # fmt: skip
    return drop_constant_columns(text_frame(rows, columns))
