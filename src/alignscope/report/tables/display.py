"""Tables as people read them: scores in points, values with intervals, no constant columns."""

from collections.abc import Callable, Collection

import polars as pl

from alignscope.analysis.constants import MAJORITY, RUN_KEYS
from alignscope.report.labels import (
    format_ci,
    format_number,
    format_p,
    format_points,
    format_points_ci,
)
from alignscope.report.tables.claims import show_claim_notes, show_claims
from alignscope.report.tables.estimates import estimate_cells
from alignscope.report.tables.robustness import show_robustness
from alignscope.report.tables.text_frames import (
    Row,
    drop_constant_columns,
    estimate,
    text_frame,
    texts,
    with_short_settings,
)
from alignscope.results.specs import TABLES
from alignscope.results.tables import REF


def format_for_display(name: str, table: pl.DataFrame) -> pl.DataFrame:
    """Return a table of text in the layout that the table's spec names.

    Fractions are in points, and a value and its interval share a column. The column ``setting`` has
    what varies between settings, and is left out if there is one setting. A table without a spec is
    shown column by column.

    Args:
        name: the name of the table, such as ``effects``.
        table: the rows to show.
    """
    spec = TABLES.get(name)
    layout = _REPORT_ONLY.get(name, "plain") if spec is None else spec.display
    table = with_short_settings(table)
    if layout == "plain":
        display = _plain(table, spec.in_points if spec else ())
    else:
        display = _LAYOUTS[layout](table)
    hidden = [name for name in display.columns if name == "setting" and {*display[name]} <= {""}]
    return display.drop(hidden)


_GROUP = [*RUN_KEYS]


def _summary(table: pl.DataFrame) -> pl.DataFrame:
    """Show REF and the majority baseline as scores, windows as signed effects."""
    places = ("source", "targets", "domains")
    rows = []
    for row in table.iter_rows(named=True):
        signed = row["window"] not in (REF, MAJORITY)
        rows.append(
            {
                **texts(row, [*_GROUP, "init"]),
                "window": f"Δ {row['window']}" if signed else row["window"],
                **{f"on {p}": _mean_std(row[f"{p}_mean"], row[f"{p}_std"], signed) for p in places},
                "seeds": "" if row["window"] == MAJORITY else str(row["seeds"]),
            }
        )
    columns = [*_GROUP, "window", "init", *(f"on {place}" for place in places), "seeds"]
    return drop_constant_columns(text_frame(rows, columns))


def _mean_std(mean: float | None, std: float | None, signed: bool) -> str:
    """Return ``86.1 ± 0.3`` in points; empty text without a mean."""
    if mean is None:
        return ""
    return format_points(mean, signed=signed) + ("" if std is None else f" ± {100 * std:.1f}")


def _effects(table: pl.DataFrame) -> pl.DataFrame:
    """Show effects in both readings in points, in logits and as a share, with p-values."""
    keys = [*_GROUP, "window", "init", "on"]
    rows = [
        {
            **texts(row, keys),
            "these languages": format_points_ci(row["fixed"], row["seeds_low"], row["seeds_high"]),
            "other sentences": _interval(row["sentences_low"], row["sentences_high"]),
            "languages like these": format_points_ci(row["mean"], row["low"], row["high"]),
            "p": format_p(row["p"]),
            "p (Holm)": format_p(row["p_holm"]),
            "logits": estimate(row, "logits"),
            "share of REF − majority": estimate(row, "share"),
            **texts(row, ["seeds", "corpora", "languages", "families"]),
        }
        for row in table.iter_rows(named=True)
    ]
    columns = [*keys, "these languages", "other sentences", "languages like these", "p",
               "p (Holm)", "logits", "share of REF − majority", "seeds", "corpora", "languages",
               "families"]  # fmt: skip
    display = text_frame(rows, columns)
    if set(display["other sentences"]) <= {""}:
        display = display.drop("other sentences")
    return drop_constant_columns(display)


def _interval(low: float | None, high: float | None) -> str:
    """Return ``[−32.5, −29.5]`` in points; empty text without an interval."""
    return "" if low is None or high is None else f"[{format_points(low)}, {format_points(high)}]"


def _boundaries(table: pl.DataFrame) -> pl.DataFrame:
    """Show the first block that predicts with its distribution, or why there is none."""
    keys = [*_GROUP, "init"]
    rows = [
        {
            **texts(row, [*keys, "windows"]),
            "predicts from block": row["reason"] or f"{row['block']} [{row['low']}, {row['high']}]",
            "p": format_p(row["p"]),
            "distribution": _distribution(row["shares"]),
        }
        for row in table.iter_rows(named=True)
    ]
    columns = [*keys, "windows", "predicts from block", "p", "distribution"]
    return drop_constant_columns(text_frame(rows, columns))


def _distribution(shares: str) -> str:
    """Return ``2:0.13 4:0.87`` as ``2: 13 %, 4: 87 %``."""
    pairs = (part.split(":") for part in shares.split())
    return ", ".join(f"{block}: {100 * float(share):.0f} %" for block, share in pairs)


def _gaps(table: pl.DataFrame) -> pl.DataFrame:
    """Show correlations with their intervals and p-values; the partial one if there is any."""
    keys = [*_GROUP, "gap", "state", "measure", "estimator", "layer", "targets", "families"]
    rows = [
        {
            **texts(row, keys),
            "Spearman": _correlation(row, "spearman", "low", "high"),
            "p": format_p(row["p"]),
            "p (Holm)": format_p(row["p_holm"]),
            "adjusted for families": _correlation(row, "phylo", "phylo_low", "phylo_high"),
            "p adjusted (Holm)": format_p(row["phylo_p_holm"]),
            "Pearson": "" if row["pearson"] is None else format_number(row["pearson"]),
            "given distance": _correlation(row, "partial", "partial_low", "partial_high"),
            "p given distance (Holm)": format_p(row["partial_p_holm"]),
        }
        for row in table.iter_rows(named=True)
    ]
    columns = [*keys, "Spearman", "p", "p (Holm)", "adjusted for families", "p adjusted (Holm)",
               "Pearson", "given distance", "p given distance (Holm)"]  # fmt: skip
    display = text_frame(rows, columns)
    optional = ("given distance", "p given distance (Holm)")
    unused = [name for name in optional if set(display[name]) <= {""}]
    if display["gap"].n_unique() < 2:
        unused.append("gap")
    return drop_constant_columns(display.drop(unused))


_ZERO_SHOT = {
    "source_score": "on the source",
    "score": "zero-shot",
    "majority": "majority",
    "gap": "source − target",
}
_CEILING = {"supervised_score": "supervised score", "supervised_gap": "supervised − zero-shot"}


def _transfer(table: pl.DataFrame) -> pl.DataFrame:
    """Show scores and gaps in points; columns on supervised corpora if there are any."""
    about = ["target", "language", "genus", "family", "domain"]
    rows = [
        {
            **texts(row, [*_GROUP, *about, "supervised", "seeds"]),
            **{
                title: "" if row[name] is None else format_points(row[name], signed=False)
                for name, title in (_ZERO_SHOT | _CEILING).items()
            },
            "share": "" if row["share"] is None else f"{100 * row['share']:.0f} %",
        }
        for row in table.iter_rows(named=True)
    ]
    ceiling = ["supervised", *_CEILING.values(), "share"]
    display = text_frame(rows, [*_GROUP, *about, *_ZERO_SHOT.values(), *ceiling, "seeds"])
    unused = ceiling if set(display["supervised"]) <= {""} else []
    return drop_constant_columns(display.drop(unused))


def _correlation(row: Row, value: str, low: str, high: str) -> str:
    return "" if row[value] is None else format_ci(row[value], row[low], row[high])


def _estimates(table: pl.DataFrame) -> pl.DataFrame:
    """Show each value with its interval, null bands and controls."""
    return text_frame(*estimate_cells(table))


def _reference(table: pl.DataFrame) -> pl.DataFrame:
    """Show REF's scores beside the majority baseline, in points."""
    keys = [*_GROUP, "corpus", "language", "relation"]
    rows = [
        {
            **texts(row, keys),
            "REF": _mean_std(row["mean"], row["std"], signed=False),
            "majority": format_points(row["majority"], signed=False),
            "REF − majority": format_points(row["mean"] - row["majority"]),
            "seeds": str(row["seeds"]),
        }
        for row in table.iter_rows(named=True)
    ]
    columns = ["encoder", "task", "source", "setting", "corpus", "language", "relation", "REF",
               "majority", "REF − majority", "metric", "seeds"]  # fmt: skip
    return drop_constant_columns(text_frame(rows, columns))


def _plain(table: pl.DataFrame, in_points: Collection[str] = ()) -> pl.DataFrame:
    """Show every column: scores in points, other numbers with one decimal."""

    def text(name: str, value: object) -> str:
        if isinstance(value, float):
            return format_points(value, signed=False) if name in in_points else f"{value:.1f}"
        return "" if value is None else str(value)

    return _cell_by_cell(table, text)


def _correlations(table: pl.DataFrame) -> pl.DataFrame:
    """Show every column, numbers with three decimals."""

    def text(_: str, value: object) -> str:
        if isinstance(value, float):
            return format_number(value)
        return "" if value is None else str(value)

    return _cell_by_cell(table, text)


def _cell_by_cell(table: pl.DataFrame, text: Callable[[str, object], str]) -> pl.DataFrame:
    rows = [
        {name: text(name, value) for name, value in row.items()}
        for row in table.iter_rows(named=True)
    ]
    return text_frame(rows, table.columns)


_LAYOUTS: dict[str, Callable[[pl.DataFrame], pl.DataFrame]] = {
    "summary": _summary,
    "effects": _effects,
    "boundaries": _boundaries,
    "claims": show_claims,
    "claim-notes": show_claim_notes,
    "robustness": show_robustness,
    "gaps": _gaps,
    "estimates": _estimates,
    "correlations": _correlations,
    "transfer": _transfer,
    "reference": _reference,
}
_REPORT_ONLY = {"claim-notes": "claim-notes", "reference-scores": "reference"}
"""The layouts of the tables that only the report has; all others are in their specs."""
