"""Print ``docs/tables.md``, the reference of all tables, from their specs."""

from alignscope.results.specs import TABLES, TableSpec

INTRODUCTION = """# Tables

`alignscope table TABLE STUDY` prints a table of a study; in Python, `results.TABLE` returns it as a
polars frame. The columns and their order are the same in every study. CSV and Parquet files hold
fractions; Markdown and LaTeX show the columns marked *points* multiplied by 100.
"""


def table_reference() -> str:
    """Return the page as Markdown."""
    return "\n".join([INTRODUCTION, *(_section(spec) for spec in TABLES.values())])


def _section(spec: TableSpec) -> str:
    rows = [
        f"| `{name}` | {column.kind}{', points' if column.in_points else ''} | {column.meaning} |"
        for name, column in spec.columns.items()
    ]
    heading = f"## {spec.title}: `{spec.name}`\n\n{spec.description}\n"
    return "\n".join([heading, "| column | type | meaning |", "|---|---|---|", *rows, ""])


if __name__ == "__main__":
    print(table_reference(), end="")
