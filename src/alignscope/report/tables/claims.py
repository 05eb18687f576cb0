"""The layouts of the table ``claims``: the verdicts, and the notes on them."""

import polars as pl

from alignscope.analysis.constants import RUN_KEYS
from alignscope.report.labels import format_ci, format_number, format_points, format_points_ci
from alignscope.report.tables.text_frames import (
    drop_constant_columns,
    estimate,
    text_frame,
    texts,
)


def show_claims(table: pl.DataFrame) -> pl.DataFrame:
    """Show each claim in words with its verdicts, the estimates and the threshold."""
    rows = []
    for row in table.iter_rows(named=True):
        is_effect = row["init"] is not None  # effects are in points, similarities are not
        with_ci = format_points_ci if is_effect else format_ci
        threshold = (format_points if is_effect else format_number)(row["threshold"])
        undertrained = " (REF is under-trained)" if row["undertrained"] else ""
        fixed = row["fixed"]
        rows.append(
            {
                **texts(row, [*RUN_KEYS, "init", "window", "claim", "families"]),
                "verdict": f"{row['verdict']}{undertrained}",
                "after Holm": row["verdict_holm"],
                "for these languages": row["fixed_verdict"] or "",
                "estimate": with_ci(row["value"], row["low"], row["high"]),
                "for these": ""
                if fixed is None
                else with_ci(fixed, row["fixed_low"], row["fixed_high"]),
                "logits": estimate(row, "logits"),
                "supported if": f"{row['sign']} {threshold}",
            }
        )
    columns = ["encoder", "task", "source", "setting", "init", "window", "claim", "verdict",
               "after Holm", "for these languages", "estimate", "for these", "logits",
               "supported if", "families", "metric"]  # fmt: skip
    return drop_constant_columns(text_frame(rows, columns))


def show_claim_notes(table: pl.DataFrame) -> pl.DataFrame:
    """Show what each claim says, its statistic and the notes on its verdict."""
    keys = ["encoder", "task", "source", "setting", "init", "claim"]
    rows = [
        {**texts(row, [*keys, "statistic", "notes"]), "statement": row["says"]}
        for row in table.iter_rows(named=True)
    ]
    columns = [*keys, "statement", "notes", "statistic"]
    return drop_constant_columns(text_frame(rows, columns))
