"""Tables as people read them: in points, with intervals, and nothing that is always the same."""

import polars as pl

from alignscope.analysis.effects import MAJORITY
from alignscope.report.labels import (
    format_ci,
    format_number,
    format_p,
    format_points,
    format_points_ci,
)
from alignscope.results.tables import REF


def format_for_display(table: pl.DataFrame) -> pl.DataFrame:
    """Return a table of text: fractions as points, several columns that belong together as one."""
    if "null_low" in table.columns:
        return _estimates_for_people(table)
    if {"on", "p_holm"} <= {*table.columns}:
        return _intervals_for_people(table)
    if "spearman" in table.columns and "p_holm" in table.columns:
        return _gaps_for_people(table)
    if "verdict" in table.columns:
        return _claims_for_people(table)
    if "shares" in table.columns:
        return _boundaries_for_people(table)
    return _effects_for_people(table) if "targets_mean" in table.columns else _points(table)


def _effects_for_people(table: pl.DataFrame) -> pl.DataFrame:
    """REF and majority as scores, windows as signed differences, all in points.

    The encoder and the init mode are named where there are several.
    """
    rows = []
    for row in table.iter_rows(named=True):
        signed = row["window"] not in (REF, MAJORITY)
        rows.append(
            {
                **{name: row[name] or "" for name in ("encoder", "task", "metric", "source")},
                "window": f"Δ {row['window']}" if signed else row["window"],
                "init": row["init"] or "",
                **{
                    f"on {place}": _mean_std(row[f"{place}_mean"], row[f"{place}_std"], signed)
                    for place in ("source", "targets", "domains")
                },
                "seeds": "" if row["window"] == MAJORITY else str(row["seeds"]),
            }
        )
    names = ["encoder", "task", "metric", "source", "window", "init", "on source", "on targets",
             "on domains", "seeds"]  # fmt: skip
    return drop_constant_columns(pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String)))


def _intervals_for_people(table: pl.DataFrame) -> pl.DataFrame:
    """Signed effects in points, p-values, and both intervals."""
    names = ["encoder", "task", "metric", "source", "window", "init", "on"]
    rows = [
        {
            **{name: row[name] or "" for name in names},
            "effect": format_points_ci(row["mean"], row["low"], row["high"]),
            "p": format_p(row["p"]),
            "p (Holm)": format_p(row["p_holm"]),
            "seeds": str(row["seeds"]),
            "corpora": "" if row["corpora"] is None else str(row["corpora"]),
            "over seeds only": _seed_interval(row["seeds_low"], row["seeds_high"]),
        }
        for row in table.iter_rows(named=True)
    ]
    columns = [*names, "effect", "p", "p (Holm)", "seeds", "corpora", "over seeds only"]
    return drop_constant_columns(pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String)))


def _seed_interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"[{format_points(low)}, {format_points(high)}]"


def _boundaries_for_people(table: pl.DataFrame) -> pl.DataFrame:
    """The first block that predicts, with its distribution; or why it cannot be told."""
    names = ["encoder", "task", "metric", "source", "init"]
    rows = [
        {
            **{name: row[name] or "" for name in names},
            "windows": str(row["windows"]),
            "predicts from block": row["reason"] or f"{row['block']} [{row['low']}, {row['high']}]",
            "p": format_p(row["p"]),
            "distribution": _shares(row["shares"]),
        }
        for row in table.iter_rows(named=True)
    ]
    columns = [*names, "windows", "predicts from block", "p", "distribution"]
    return drop_constant_columns(pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String)))


def _claims_for_people(table: pl.DataFrame) -> pl.DataFrame:
    """Each claim in words with its verdict, what was found, and what it is held against."""
    names = ["encoder", "task", "metric", "source", "init"]
    rows = []
    for row in table.iter_rows(named=True):
        effect = row["init"] is not None  # effects are in points, similarities are not
        show = format_points_ci if effect else format_ci
        limit = format_points(row["threshold"]) if effect else format_number(row["threshold"])
        rows.append(
            {
                **{name: row[name] or "" for name in names},
                "window": row["window"] or "",
                "claim": row["says"],
                "verdict": row["verdict"],
                "found": show(row["value"], row["low"], row["high"]),
                "supported if": f"{row['sign']} {limit}",
                "statistic": row["statistic"],
            }
        )
    columns = [*names[:2], "verdict", "claim", "found", "supported if", "window", "source",
               "metric", "init", "statistic"]  # fmt: skip
    return drop_constant_columns(pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String)))


def _shares(text: str) -> str:
    """``2:0.13 4:0.87`` as ``2: 13 %, 4: 87 %``."""
    pairs = (part.split(":") for part in text.split())
    return ", ".join(f"{block}: {100 * float(share):.0f} %" for block, share in pairs)


def _gaps_for_people(table: pl.DataFrame) -> pl.DataFrame:
    """Correlations with their intervals and p-values; the partial one where there is any."""
    names = ["encoder", "task", "metric", "source", "state", "measure", "estimator"]
    rows = [
        {
            **{name: str(row[name]) for name in (*names, "layer", "targets")},
            "Spearman": _correlation(row["spearman"], row["low"], row["high"]),
            "p": format_p(row["p"]),
            "p (Holm)": format_p(row["p_holm"]),
            "Pearson": _correlation(row["pearson"], None, None),
            "given distance": _correlation(row["partial"], row["partial_low"], row["partial_high"]),
            "p given it (Holm)": format_p(row["partial_p_holm"]),
        }
        for row in table.iter_rows(named=True)
    ]
    columns = [*names, "layer", "targets", "Spearman", "p", "p (Holm)", "Pearson",
               "given distance", "p given it (Holm)"]  # fmt: skip
    people = pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String))
    empty = [n for n in ("given distance", "p given it (Holm)") if set(people[n]) <= {""}]
    return drop_constant_columns(people.drop(empty))


def _correlation(value: float | None, low: float | None, high: float | None) -> str:
    return "" if value is None else format_ci(value, low, high)


_ALWAYS = ("target", "layer", "n", "measure", "estimator")


def _estimates_for_people(table: pl.DataFrame) -> pl.DataFrame:
    """Each value with its interval and its null; of what it is about, what is not always alike."""
    numbers = ("value", "low", "high", "null_low", "null_high")
    names = [
        name
        for name in table.columns
        if name not in numbers and (name in _ALWAYS or table[name].n_unique() > 1)
    ]
    rows = [
        {
            **{name: _text(row[name]) for name in names},
            "value": format_ci(row["value"], row["low"], row["high"]),
            "random pairs": (
                f"[{format_number(row['null_low'])}, {format_number(row['null_high'])}]"
            ),
        }
        for row in table.iter_rows(named=True)
    ]
    return pl.DataFrame(rows, schema=dict.fromkeys([*names, "value", "random pairs"], pl.String))


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    return "" if value is None else str(value)


def drop_constant_columns(people: pl.DataFrame) -> pl.DataFrame:
    """A column that says the same in every row only makes a table wider."""
    same = [
        name
        for name in ("encoder", "init")
        if name in people.columns and people[name].replace("", None).drop_nulls().n_unique() < 2
    ]
    return people.drop(same)


def _mean_std(mean: float | None, std: float | None, signed: bool) -> str:
    """``86.1 ± 0.3`` in points, or ``−31.0``; empty where nothing was measured."""
    if mean is None:
        return ""
    return format_points(mean, signed=signed) + ("" if std is None else f" ± {100 * std:.1f}")


_FRACTIONS = {"score", "majority", "dev_score"}
_PRECISE = {"spearman", "mean", "low", "high"}


def _points(table: pl.DataFrame) -> pl.DataFrame:
    """Any other table as text: fractions in points, nothing where there is nothing."""

    def text(name: str, value: object) -> str:
        if value is None:
            return ""
        if isinstance(value, float) and name in _PRECISE:
            return format_number(value)
        if isinstance(value, float):
            return f"{100 * value:.1f}" if name in _FRACTIONS else f"{value:.1f}"
        return str(value)

    rows = [
        {name: text(name, value) for name, value in row.items()}
        for row in table.iter_rows(named=True)
    ]
    return pl.DataFrame(rows, schema=dict.fromkeys(table.columns, pl.String))
