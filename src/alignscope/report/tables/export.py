"""Tables as CSV, Markdown, LaTeX (booktabs) or Parquet."""

import io
import re
from collections.abc import Callable

import polars as pl

from alignscope.report.labels import MINUS
from alignscope.report.tables.display import format_for_display


def export_table(name: str, table: pl.DataFrame, form: str) -> bytes:
    """Return a table as a file: numbers in CSV and Parquet, text in Markdown and LaTeX.

    Args:
        name: the name of the table, such as ``effects``, which decides how the text looks.
        table: the rows to write.
        form: ``csv``, ``parquet``, ``md`` or ``latex``.
    """
    if form == "parquet":
        buffer = io.BytesIO()
        table.write_parquet(buffer)
        return buffer.getvalue()
    if form == "csv":
        return table.write_csv().encode()
    write: Callable[[pl.DataFrame], str] = {"md": markdown, "latex": latex}[form]
    return write(format_for_display(name, table)).encode()


def markdown(table: pl.DataFrame) -> str:
    """Return a table of text as Markdown, with the markup of Markdown and HTML escaped."""
    lines = [table.columns, *(map(str, row) for row in table.rows())]
    rows = [[_TAG.sub(r"\\<", _one_line(c).replace("|", "\\|")) for c in line] for line in lines]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    text = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in rows]
    text.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(text) + "\n"


_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"$<$", ">": r"$>$",
    MINUS: "$-$", "±": r"$\pm$", "Δ": r"$\Delta$",
}  # fmt: skip


def _one_line(cell: str) -> str:
    """Replace line breaks and control characters by spaces."""
    return "".join(c if c.isprintable() else " " for c in cell)


def latex(table: pl.DataFrame) -> str:
    """Return a table of text as a LaTeX ``tabular`` with booktabs rules."""
    rows = [table.columns, *(map(str, row) for row in table.rows())]
    lines = [
        " & ".join("".join(_LATEX.get(c, c) for c in _one_line(cell)) for cell in row)
        for row in rows
    ]
    body = " \\\\\n".join(lines[1:])
    body = f"{body} \\\\\n" if body else ""
    return (
        f"\\begin{{tabular}}{{{'l' * table.width}}}\n\\toprule\n{lines[0]} \\\\\n\\midrule\n"
        f"{body}\\bottomrule\n\\end{{tabular}}\n"
    )
