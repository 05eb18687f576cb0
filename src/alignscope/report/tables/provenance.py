"""The tables of a report on runs, failures and data files."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from alignscope.analysis.results import StudyResults
from alignscope.report.tables.tables import ReportTable, make_table
from alignscope.results.schemas import RUNS
from alignscope.results.store import RunResult

_COLUMNS = ("started", "device", "precision", "commit", "made_with")
_LEFT_OUT = ("reason", "adapters")


def runs_table(results: StudyResults) -> ReportTable:
    """Return every planned run, and when, where and with what software it was executed."""
    records = {outcome.run.address: _execution(outcome) for outcome in results.outcomes}
    none = dict.fromkeys(_COLUMNS)
    rows = [
        {**row, **records.get(row["address"], none)}
        for row in results.runs.select(pl.exclude(_LEFT_OUT)).iter_rows(named=True)
    ]
    schema = {name: RUNS[name] for name in RUNS if name not in _LEFT_OUT}
    schema |= dict.fromkeys(_COLUMNS, pl.String)
    return make_table(
        results, "runs", "Runs and their provenance", pl.DataFrame(rows, schema=schema)
    )


def failures_table(results: StudyResults) -> ReportTable:
    """Return the runs that failed, with the reason."""
    columns = ["encoder", "task", "source", "setting", "window", "init", "seed", "reason"]
    table = results.runs.filter(status="failed").select(columns)
    return make_table(results, "failures", "Failed runs", table)


def data_table(results: StudyResults) -> ReportTable:
    """Return the files that were read with their checksums.

    A name with two checksums was changed between runs.
    """
    checksums = sorted(
        {
            (str(name), str(checksum))
            for outcome in results.outcomes
            for name, checksum in dict(outcome.provenance.get("data") or {}).items()
        }
    )
    table = pl.DataFrame(checksums, schema={"data": pl.String, "sha256": pl.String}, orient="row")
    return make_table(results, "data", "Data files and their checksums", table)


def _execution(outcome: RunResult) -> dict[str, str | None]:
    record = outcome.provenance
    return {
        "started": _text(record, "started"),
        "device": _text(record, "device"),
        "precision": _text(record, "precision"),
        "commit": _commit(record),
        "made_with": ", ".join(versions_of(record)),
    }


def _commit(record: Mapping[str, Any]) -> str | None:
    """Return twelve digits, with the ``+`` of a checkout with local changes."""
    full = _text(record, "commit") or ""
    return full[:12] + ("+" if full.endswith("+") and len(full) > 12 else "") or None


def versions_of(record: Mapping[str, Any]) -> list[str]:
    """Return ``["AlignScope 0.1.0", "Python 3.11.7", "torch 2.13.0"]`` of a provenance record."""
    programs = (("AlignScope", record.get("alignscope")), ("Python", record.get("python")))
    libraries = dict(record.get("versions") or {}).items()
    return [f"{name} {version}" for name, version in (*programs, *libraries) if version]


def _text(record: Mapping[str, Any], name: str) -> str | None:
    value = record.get(name)
    return None if value is None else str(value)
