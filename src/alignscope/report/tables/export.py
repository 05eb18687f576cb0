"""Tables as CSV, Markdown, LaTeX (booktabs) or Parquet."""

import io
import re
from collections.abc import Callable

import polars as pl

from alignscope.report.labels import MINUS
from alignscope.report.tables.display import format_for_display


def export_table(table: pl.DataFrame, form: str) -> bytes:
    """Render a table for programs (csv, parquet: fractions) or people (md, latex: points)."""
    if form == "parquet":
        buffer = io.BytesIO()
        table.write_parquet(buffer)
        return buffer.getvalue()
    if form == "csv":
        return table.write_csv().encode()
    people = format_for_display(table)
    write: Callable[[pl.DataFrame], str] = {"md": markdown, "latex": latex}[form]
    return write(people).encode()


def markdown(table: pl.DataFrame) -> str:
    """A table of text as Markdown; what Markdown or HTML would take for markup is escaped."""
    cells = [table.columns, *(map(str, row) for row in table.rows())]
    rows = [[_TAG.sub(r"\\<", _line(cell).replace("|", "\\|")) for cell in row] for row in cells]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines) + "\n"


_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"$<$", ">": r"$>$",
    MINUS: "$-$", "±": r"$\pm$", "Δ": r"$\Delta$",
}  # fmt: skip


def _line(cell: str) -> str:
    """A cell is one line, and has no control characters."""
    return "".join(c if c.isprintable() else " " for c in cell)


def latex(table: pl.DataFrame) -> str:
    """A table of text as a LaTeX ``tabular`` with booktabs rules."""
    rows = [table.columns, *(map(str, row) for row in table.rows())]
    lines = [
        " & ".join("".join(_LATEX.get(c, c) for c in _line(cell)) for cell in row) for row in rows
    ]
    body = " \\\\\n".join(lines[1:])
    body = f"{body} \\\\\n" if body else ""
    return (
        f"\\begin{{tabular}}{{{'l' * table.width}}}\n\\toprule\n{lines[0]} \\\\\n\\midrule\n"
        f"{body}\\bottomrule\n\\end{{tabular}}\n"
    )
