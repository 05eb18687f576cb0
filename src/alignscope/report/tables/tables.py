"""Sheets: tables of a report, for people on the page and for programs in files."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from alignscope.analysis.effect_intervals import TARGETS_DOMAINS, TARGETS_SOURCE
from alignscope.analysis.results import PrimaryResults, StudyResults
from alignscope.report.colour_scale import colour_depth, largest_effect
from alignscope.report.labels import format_points_ci
from alignscope.report.tables.display import drop_constant_columns, format_for_display
from alignscope.report.tables.export import latex, markdown
from alignscope.results.schemas import RUNS
from alignscope.results.store import RunResult
from alignscope.results.tables import primary_measure

_NUMBER = re.compile(r"[<>]? ?[−+]?\d[\d.]*( \[|$| ±)")
MEANS = {
    "source": "on source",
    "targets": "on targets",
    TARGETS_SOURCE: TARGETS_SOURCE,
    "domains": "on domains",
    TARGETS_DOMAINS: TARGETS_DOMAINS,
}
"""What the effects table shows, and what it calls that."""
_GRID = ["encoder", "task", "metric", "source", "init", "window"]


@dataclass(frozen=True)
class ReportTable:
    """A table with a name for files and one for people."""

    name: str
    title: str
    table: pl.DataFrame
    """Numbers, in fractions."""
    people: pl.DataFrame
    """Text, in points."""
    depths: tuple[Mapping[str, float], ...] = ()
    """How deep cells are coloured, row by row: from −1, most of all lost, to 1."""

    @property
    def long_text_columns(self) -> set[str]:
        """The columns with a cell that takes more than a line."""
        return {n for n in self.people.columns if max(map(len, self.people[n]), default=0) > 40}

    @property
    def numeric(self) -> set[str]:
        """The columns that hold nothing but numbers."""
        return {
            name
            for name in self.people.columns
            if all(_NUMBER.match(cell) for cell in self.people[name] if cell)
        }

    def write(self) -> dict[str, bytes]:
        """Return the contents of ``NAME.csv``, ``.md`` and ``.tex``."""
        return {
            f"{self.name}.csv": self.table.write_csv().encode(),
            f"{self.name}.md": markdown(self.people).encode(),
            f"{self.name}.tex": latex(self.people).encode(),
        }


def make_table(name: str, title: str, table: pl.DataFrame) -> ReportTable:
    """A sheet whose text is that of `people.for_people`."""
    return ReportTable(name, title, table, format_for_display(table))


def effects_table(found: PrimaryResults) -> ReportTable:
    """What each window costs, with intervals."""
    table = found.in_order(found.effects).filter(pl.col("on").is_in(list(MEANS)))
    largest = largest_effect(found.effects)
    rows: dict[tuple[Any, ...], dict[str, str]] = {}
    depths: dict[tuple[Any, ...], dict[str, float]] = {}
    for row in table.iter_rows(named=True):
        key = tuple(row[name] for name in _GRID)
        cells = rows.setdefault(key, {**dict(zip(_GRID, key, strict=True)), "seeds": "0"})
        cells[MEANS[row["on"]]] = format_points_ci(row["mean"], row["low"], row["high"])
        cells["seeds"] = str(max(int(cells["seeds"]), row["seeds"]))
        depths.setdefault(key, {})[MEANS[row["on"]]] = round(colour_depth(row, "mean", largest), 3)
    columns = ["encoder", "task", "window", *MEANS.values(), "source", "metric", "init", "seeds"]
    filled = [{name: row.get(name, "") for name in columns} for row in rows.values()]
    people = pl.DataFrame(filled, schema=dict.fromkeys(columns, pl.String))
    kept = [name for name in columns if set(people[name]) != {""}]
    title = "Effects in points: the score with fresh blocks − REF's, with 95 % intervals"
    shown = drop_constant_columns(people.select(kept))
    return ReportTable("effects", title, table, shown, tuple(depths.values()))


def hypotheses_table(found: PrimaryResults) -> ReportTable:
    """The claims."""
    return make_table("claims", "Claims and verdicts", found.in_order(found.claims))


def boundaries_table(found: PrimaryResults) -> ReportTable:
    """The boundaries."""
    table = found.in_order(found.boundaries)
    return make_table("boundaries", "Where alignment ends and prediction begins", table)


def transfer_gap_table(found: PrimaryResults) -> ReportTable:
    """The correlations of the first measure."""
    table = primary_measure(found.in_order(found.gaps))
    return make_table("gaps", "Similarity and gap, correlated over target languages", table)


def drift_table(found: PrimaryResults) -> ReportTable:
    """The drift in the first measure."""
    return make_table(
        "drift",
        "Similarity before and after fine-tuning",
        primary_measure(found.in_order(found.drift)),
    )


def runs_table(found: StudyResults) -> ReportTable:
    """Every run that was planned, and how those that are done came about."""
    made = {outcome.run.address: _made(outcome) for outcome in found.outcomes}
    none = dict.fromkeys(_made_columns())
    rows = [
        {**row, **made.get(row["address"], none)}
        for row in found.runs.select(pl.exclude("reason", "adapters")).iter_rows(named=True)
    ]
    schema = {name: RUNS[name] for name in RUNS if name not in ("reason", "adapters")}
    schema |= dict.fromkeys(_made_columns(), pl.String)
    return make_table("runs", "Runs and their provenance", pl.DataFrame(rows, schema=schema))


def failures_table(found: StudyResults) -> ReportTable:
    """The runs that have failed, and why."""
    columns = ["encoder", "task", "source", "window", "init", "seed", "reason"]
    table = found.runs.filter(status="failed").select(columns)
    return make_table("failures", "Runs that have failed", table)


def data_table(found: StudyResults) -> ReportTable:
    """The files that were read, with their checksums; a name with two was changed between runs."""
    seen = sorted(
        {
            (str(name), str(checksum))
            for outcome in found.outcomes
            for name, checksum in dict(outcome.provenance.get("data") or {}).items()
        }
    )
    table = pl.DataFrame(seen, schema={"data": pl.String, "sha256": pl.String}, orient="row")
    return make_table("data", "Data and its checksums", table)


def _made_columns() -> list[str]:
    return ["started", "device", "precision", "commit", "made_with"]


def _made(outcome: RunResult) -> dict[str, str | None]:
    """When, where and with what a run was made."""
    about = outcome.provenance
    return {
        "started": _text(about, "started"),
        "device": _text(about, "device"),
        "precision": _text(about, "precision"),
        "commit": _commit(about),
        "made_with": ", ".join(versions_of(about)),
    }


def _commit(about: Mapping[str, Any]) -> str | None:
    """Twelve digits, with the ``+`` of a checkout that was changed."""
    full = _text(about, "commit") or ""
    return full[:12] + ("+" if full.endswith("+") and len(full) > 12 else "") or None


def versions_of(about: Mapping[str, Any]) -> list[str]:
    """``["AlignScope 0.1.0", "Python 3.11.7", "torch 2.13.0"]`` of a provenance."""
    own = (("AlignScope", about.get("alignscope")), ("Python", about.get("python")))
    others = dict(about.get("versions") or {}).items()
    return [f"{name} {version}" for name, version in (*own, *others) if version]


def _text(about: Mapping[str, Any], name: str) -> str | None:
    value = about.get(name)
    return None if value is None else str(value)
