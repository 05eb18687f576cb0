"""Tables as CSV, Markdown, LaTeX (booktabs) or Parquet."""

import io
from collections.abc import Callable
from typing import Any

import polars as pl

from alignscope.analysis.collect import REF
from alignscope.analysis.effects import MAJORITY

MINUS = "−"


def render(table: pl.DataFrame, form: str) -> bytes:
    """Render a table for programs (csv, parquet: fractions) or people (md, latex: points)."""
    if form == "parquet":
        buffer = io.BytesIO()
        table.write_parquet(buffer)
        return buffer.getvalue()
    if form == "csv":
        return table.write_csv().encode()
    people = _for_people(table)
    write: Callable[[pl.DataFrame], str] = {"md": markdown, "latex": latex}[form]
    return write(people).encode()


def _for_people(table: pl.DataFrame) -> pl.DataFrame:
    if "null_low" in table.columns:
        return _estimates_for_people(table)
    if "contrast_mean" in table.columns:
        return _contrasts_for_people(table)
    return _effects_for_people(table) if "targets_mean" in table.columns else _points(table)


def markdown(table: pl.DataFrame) -> str:
    """A table of text as Markdown; ``|`` in a cell is escaped."""
    cells = [table.columns, *(map(str, row) for row in table.rows())]
    rows = [[cell.replace("|", "\\|") for cell in row] for row in cells]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines) + "\n"


_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    MINUS: "$-$", "±": r"$\pm$", "Δ": r"$\Delta$",
}  # fmt: skip


def latex(table: pl.DataFrame) -> str:
    """A table of text as a LaTeX ``tabular`` with booktabs rules."""
    rows = [table.columns, *(map(str, row) for row in table.rows())]
    lines = [" & ".join("".join(_LATEX.get(c, c) for c in cell) for cell in row) for row in rows]
    body = " \\\\\n".join(lines[1:])
    body = f"{body} \\\\\n" if body else ""
    return (
        f"\\begin{{tabular}}{{{'l' * table.width}}}\n\\toprule\n{lines[0]} \\\\\n\\midrule\n"
        f"{body}\\bottomrule\n\\end{{tabular}}\n"
    )


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
    return _without_repetition(pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String)))


def _contrasts_for_people(table: pl.DataFrame) -> pl.DataFrame:
    """Signed effects in points, each with its interval."""
    names = ["encoder", "task", "metric", "source", "window", "init"]
    parts = {"source": "on source", "targets": "on targets", "contrast": "targets − source"}
    rows = [
        {
            **{name: row[name] or "" for name in names},
            **{title: _interval(row, part) for part, title in parts.items()},
            "seeds": str(row["seeds"]),
        }
        for row in table.iter_rows(named=True)
    ]
    columns = [*names, *parts.values(), "seeds"]
    return _without_repetition(pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String)))


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
            "value": f"{_short(row['value'])} [{_short(row['low'])}, {_short(row['high'])}]",
            "random pairs": f"[{_short(row['null_low'])}, {_short(row['null_high'])}]",
        }
        for row in table.iter_rows(named=True)
    ]
    return pl.DataFrame(rows, schema=dict.fromkeys([*names, "value", "random pairs"], pl.String))


def _short(value: float) -> str:
    return f"{value:.3f}".replace("-", MINUS)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    return "" if value is None else str(value)


def _interval(row: dict[str, Any], part: str) -> str:
    """``−31.0 [−32.5, −29.5]`` in points."""
    mean, low, high = (row[f"{part}_{end}"] for end in ("mean", "low", "high"))
    ends = "" if low is None else f" [{100 * low:+.1f}, {100 * high:+.1f}]"
    return f"{100 * mean:+.1f}{ends}".replace("-", MINUS)


def _without_repetition(people: pl.DataFrame) -> pl.DataFrame:
    """A column that says the same in every row only makes a table wider."""
    same = [
        name
        for name in ("encoder", "init")
        if people[name].replace("", None).drop_nulls().n_unique() < 2
    ]
    return people.drop(same)


def _mean_std(mean: float | None, std: float | None, signed: bool) -> str:
    """``86.1 ± 0.3`` in points, or ``−31.0``; empty where nothing was measured."""
    if mean is None:
        return ""
    text = f"{100 * mean:+.1f}" if signed else f"{100 * mean:.1f}"
    return text.replace("-", MINUS) + ("" if std is None else f" ± {100 * std:.1f}")


_FRACTIONS = {"score", "majority", "dev_score"}
_PRECISE = {"spearman", "low", "high"}


def _points(table: pl.DataFrame) -> pl.DataFrame:
    """Any other table as text: fractions in points, nothing where there is nothing."""

    def text(name: str, value: object) -> str:
        if value is None:
            return ""
        if isinstance(value, float) and name in _PRECISE:
            return _short(value)
        if isinstance(value, float):
            return f"{100 * value:.1f}" if name in _FRACTIONS else f"{value:.1f}"
        return str(value)

    rows = [
        {name: text(name, value) for name, value in row.items()}
        for row in table.iter_rows(named=True)
    ]
    return pl.DataFrame(rows, schema=dict.fromkeys(table.columns, pl.String))
