"""The tables of a report: text for the page, numbers for files."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from alignscope.analysis.constants import RUN_KEYS
from alignscope.analysis.contrasts import SAME_DOMAIN, TARGETS_DOMAINS, TARGETS_SOURCE
from alignscope.analysis.results import PrimaryResults, StudyResults
from alignscope.report.colour_scale import colour_depth, largest_effect
from alignscope.report.groups import result_groups, short_names
from alignscope.report.labels import format_points_ci
from alignscope.report.tables.display import format_for_display
from alignscope.report.tables.export import latex, markdown
from alignscope.report.tables.text_frames import (
    drop_constant_columns,
    text_frame,
    with_short_settings,
)
from alignscope.results.tables import REF, WITHOUT_LENGTH, primary_measure

_NUMBER = re.compile(r"[<>]? ?[−+]?\d[\d.]*( \[|$| ±)")
EFFECT_COLUMNS = {
    "source": "on source",
    "targets": "on targets",
    TARGETS_SOURCE: TARGETS_SOURCE,
    SAME_DOMAIN: SAME_DOMAIN,
    "domains": "on domains",
    TARGETS_DOMAINS: TARGETS_DOMAINS,
}
"""The effects that the table ``effects`` shows, with the titles of their columns."""
_KEYS = ["encoder", "task", "metric", "source", "setting", "init", "window"]
LONG_TEXT = 40
"""The number of characters from which a cell may take several lines."""


@dataclass(frozen=True)
class ReportTable:
    """A table as numbers and as text, with a name for files and a title for the page."""

    name: str
    title: str
    data: pl.DataFrame
    """Numbers; scores and effects are fractions."""
    display: pl.DataFrame
    """Text; scores and effects are in points."""
    cell_colours: tuple[Mapping[str, float], ...] = ()
    """Depth of colour by row and column, from −1 (largest loss) to 1 (largest gain)."""

    @property
    def long_text_columns(self) -> set[str]:
        """The columns with a cell that may take several lines."""
        columns = self.display.columns
        return {n for n in columns if max(map(len, self.display[n]), default=0) > LONG_TEXT}

    @property
    def numeric_columns(self) -> set[str]:
        """The columns that contain only numbers."""
        return {
            name
            for name in self.display.columns
            if all(_NUMBER.match(cell) for cell in self.display[name] if cell)
        }

    def write(self) -> dict[str, bytes]:
        """Return the contents of ``NAME.csv``, ``.md`` and ``.tex``."""
        return {
            f"{self.name}.csv": self.data.write_csv().encode(),
            f"{self.name}.md": markdown(self.display).encode(),
            f"{self.name}.tex": latex(self.display).encode(),
        }


def make_table(results: StudyResults, name: str, title: str, data: pl.DataFrame) -> ReportTable:
    """Return a table with the display of its name.

    Args:
        results: the results, for the short names of their encoders.
        name: the name of the table, such as ``claims``.
        title: the caption on the page.
        data: the rows to show.
    """
    return ReportTable(name, title, data, format_for_display(name, with_short_names(results, data)))


def with_short_names(results: StudyResults, table: pl.DataFrame) -> pl.DataFrame:
    """Return a table whose column ``encoder`` has short names instead of paths."""
    if "encoder" not in table.columns:
        return table
    return table.with_columns(pl.col("encoder").replace(short_names(results)))


def effects_table(results: PrimaryResults) -> ReportTable:
    """Return the effects of every window with their intervals, one row per window."""
    table = results.in_order(results.effects).filter(pl.col("on").is_in(list(EFFECT_COLUMNS)))
    largest = largest_effect(results.effects)
    rows: dict[tuple[Any, ...], dict[str, str]] = {}
    colours: dict[tuple[Any, ...], dict[str, float]] = {}
    for row in with_short_settings(with_short_names(results, table)).iter_rows(named=True):
        key = tuple(row[name] for name in _KEYS)
        cells = rows.setdefault(key, {**dict(zip(_KEYS, key, strict=True)), "seeds": "0"})
        column = EFFECT_COLUMNS[row["on"]]
        cells[column] = format_points_ci(row["fixed"], row["seeds_low"], row["seeds_high"])
        cells["seeds"] = str(max(int(cells["seeds"]), row["seeds"]))
        colours.setdefault(key, {})[column] = round(colour_depth(row, "fixed", largest), 3)
    columns = ["encoder", "task", "window", *EFFECT_COLUMNS.values(), "source", "setting", "metric",
               "init", "seeds"]  # fmt: skip
    display = text_frame([{n: row.get(n, "") for n in columns} for row in rows.values()], columns)
    filled = [name for name in columns if set(display[name]) != {""}]
    return ReportTable(
        "effects",
        "Effects in points: score after re-initialisation − REF's score, with 95 % CI",
        table,
        drop_constant_columns(display.select(filled)),
        tuple(colours.values()),
    )


def scales_table(results: PrimaryResults) -> ReportTable:
    """Return the means and contrasts in both readings and on three scales."""
    table = results.in_order(results.effects).filter(pl.col("on").is_in(list(EFFECT_COLUMNS)))
    title = "Effects in points, in log odds, and as a share of what REF has above the baseline"
    shown = make_table(results, "effects", title, table)
    return replace(shown, name="effect-scales")


def reference_table(results: PrimaryResults) -> ReportTable:
    """Return REF's scores by corpus beside the majority baseline."""
    rows = [
        group.select(results.scores)
        .filter(window=REF)
        .sort("seed")
        .group_by(*RUN_KEYS, "relation", "language", "domain", "corpus", maintain_order=True)
        .agg(
            pl.col("score").mean().alias("mean"),
            pl.col("score").std().alias("std"),
            pl.first("majority"),
            pl.col("seed").n_unique().cast(pl.Int64).alias("seeds"),
        )
        for group in result_groups(results)
    ]  # fmt: skip
    data = pl.concat(rows) if rows else pl.DataFrame()
    title = "REF's scores in points by corpus: mean ± standard deviation over seeds"
    return make_table(results, "reference-scores", title, data)


def checks_table(results: PrimaryResults) -> ReportTable:
    """Return what limits the numbers of REF, for groups in which something does."""
    flagged = results.reference.filter(pl.col("undertrained") | pl.col("ceiling"))
    title = "What limits the numbers of REF"
    return make_table(results, "reference", title, results.in_order(flagged))


def hypotheses_table(results: PrimaryResults) -> tuple[ReportTable, ReportTable]:
    """Return the claims with their verdicts, and the notes on them."""
    claims = results.in_order(results.claims)
    return (
        make_table(results, "claims", "Claims and verdicts", claims),
        make_table(results, "claim-notes", "Statements, statistics and notes", claims),
    )


def boundaries_table(results: PrimaryResults) -> ReportTable:
    """Return the boundaries between alignment and prediction."""
    title = "Where alignment ends and prediction begins"
    return make_table(results, "boundaries", title, results.in_order(results.boundaries))


def transfer_table(results: PrimaryResults) -> ReportTable:
    """Return the zero-shot scores of the targets, between source and ceiling."""
    title = "Zero-shot scores, the gap to the source and the gap to the supervised score"
    return make_table(results, "transfer", title, results.in_order(results.transfer))


def strength_table(results: PrimaryResults) -> ReportTable:
    """Return how much the blocks of each window change what they read."""
    title = "Change of the input by each block of a window, in % of the input"
    return make_table(results, "strength", title, results.in_order(results.strength))


def transfer_gap_table(results: PrimaryResults) -> ReportTable:
    """Return the correlations of gap and similarity in the primary measure."""
    title = "Correlation of similarity and gap over target languages"
    gaps = results.in_order(results.gaps)
    without_length = pl.col("estimator") == WITHOUT_LENGTH
    shown = pl.concat([primary_measure(gaps.filter(~without_length)), gaps.filter(without_length)])
    return make_table(results, "gaps", title, results.in_order(shown))


def drift_table(results: PrimaryResults) -> ReportTable:
    """Return the drift in the primary measure."""
    title = "Similarity before and after fine-tuning"
    return make_table(results, "drift", title, primary_measure(results.in_order(results.drift)))
