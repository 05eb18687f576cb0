"""The polars schemas of the tables, from their specs; the columns are the same in every study."""

from collections.abc import Mapping, Sequence

import polars as pl

from alignscope.results import columns as shared
from alignscope.results.columns import Columns, Kind
from alignscope.results.specs import TABLES

Schema = Mapping[str, type[pl.DataType]]

_TYPES: Mapping[Kind, type[pl.DataType]] = {
    "text": pl.String,
    "integer": pl.Int64,
    "number": pl.Float64,
    "boolean": pl.Boolean,
}


def schema_of(columns: Columns) -> dict[str, type[pl.DataType]]:
    """Return the polars schema of columns.

    >>> schema_of(TABLES["runs"].columns)["seed"]
    Int64
    """
    return {name: _TYPES[column.kind] for name, column in columns.items()}


RUN_COLUMNS = schema_of(shared.RUN_COLUMNS)
ESTIMATES = schema_of(shared.ESTIMATE_COLUMNS)
SIMILARITY = schema_of(shared.SIMILARITY_COLUMNS)

SCORES = schema_of(TABLES["scores"].columns)
SUMMARY = schema_of(TABLES["summary"].columns)
EFFECTS = schema_of(TABLES["effects"].columns)
DISTANCES = schema_of(TABLES["distances"].columns)
TRANSFER = schema_of(TABLES["transfer"].columns)
GAPS = schema_of(TABLES["gaps"].columns)
DRIFT = schema_of(TABLES["drift"].columns)
BOUNDARIES = schema_of(TABLES["boundaries"].columns)
CLAIMS = schema_of(TABLES["claims"].columns)
ROBUSTNESS = schema_of(TABLES["robustness"].columns)
RUN_SIMILARITY = schema_of(TABLES["similarity"].columns)
RUNS = schema_of(TABLES["runs"].columns)
EPOCHS = schema_of(TABLES["epochs"].columns)
CHANGES = schema_of(TABLES["changes"].columns)
BLOCK_CHANGES = schema_of(TABLES["block_changes"].columns)
EPOCH_SPREAD = schema_of(TABLES["epoch_spread"].columns)
REFERENCE = schema_of(TABLES["reference"].columns)
STRENGTH = schema_of(TABLES["strength"].columns)


def to_frame(rows: Sequence[Mapping[str, object]], schema: Schema) -> pl.DataFrame:
    """Return a table with exactly the columns of a schema.

    Raises:
        ValueError: if a row lacks a column or has another one.
    """
    for row in rows:
        if row.keys() != schema.keys():
            raise ValueError(f"Expected the columns {sorted(schema)}, got {sorted(row)}.")
    return pl.DataFrame(rows, schema=dict(schema))
