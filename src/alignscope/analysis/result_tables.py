"""The tables of results as attributes, and as pandas frames."""

from typing import TYPE_CHECKING

import polars as pl

from alignscope.errors import AlignScopeError
from alignscope.results.schemas import schema_of
from alignscope.results.specs import TABLES

if TYPE_CHECKING:
    import pandas as pd


class ResultTables:
    """Tables by name: ``tables.effects`` is ``tables.table("effects")``, a polars frame.

    A table raises a StoreError if its runs cannot be compared with each other, and a DataError if
    it needs distances between languages that are not known. Tables about layers also raise a
    StoreError if no run has measured similarity.
    """

    def table(self, name: str) -> pl.DataFrame:
        """Return the table of a name.

        Raises:
            StudyError: if there is no such table.
        """
        raise NotImplementedError

    @property
    def scores(self) -> pl.DataFrame:
        """The score of every run on every corpus."""
        return self.table("scores")

    @property
    def summary(self) -> pl.DataFrame:
        """Scores of REF and effects of windows, as mean and standard deviation over seeds."""
        return self.table("summary")

    @property
    def effects(self) -> pl.DataFrame:
        """The effects of windows with 95 % CIs and p-values."""
        return self.table("effects")

    @property
    def distances(self) -> pl.DataFrame:
        """The correlation of zero-shot scores with the distance to the source."""
        return self.table("distances")

    @property
    def transfer(self) -> pl.DataFrame:
        """The zero-shot score of every target, between source and ceiling."""
        return self.table("transfer")

    @property
    def gaps(self) -> pl.DataFrame:
        """The correlation of similarity with the transfer gap, per layer."""
        return self.table("gaps")

    @property
    def drift(self) -> pl.DataFrame:
        """The similarity before and after fine-tuning, per layer."""
        return self.table("drift")

    @property
    def boundaries(self) -> pl.DataFrame:
        """The first block that predicts, per encoder, task and source."""
        return self.table("boundaries")

    @property
    def claims(self) -> pl.DataFrame:
        """The hypotheses with their verdicts."""
        return self.table("claims")

    @property
    def robustness(self) -> pl.DataFrame:
        """The verdicts of all settings on each hypothesis."""
        return self.table("robustness")

    @property
    def similarity(self) -> pl.DataFrame:
        """The similarity of parallel corpora at every layer."""
        return self.table("similarity")

    @property
    def runs(self) -> pl.DataFrame:
        """Every planned run with its status."""
        return self.table("runs")

    @property
    def epochs(self) -> pl.DataFrame:
        """The score of every epoch on every corpus."""
        return self.table("epochs")

    @property
    def changes(self) -> pl.DataFrame:
        """How much fine-tuning changes each block and its output."""
        return self.table("changes")

    @property
    def strength(self) -> pl.DataFrame:
        """How much the blocks of each window change what they read, before and after."""
        return self.table("strength")

    @property
    def block_changes(self) -> pl.DataFrame:
        """The changes of each block as means with intervals, beside noise of the same size."""
        return self.table("block_changes")

    @property
    def epoch_spread(self) -> pl.DataFrame:
        """How much scores and effects vary between epochs that are equally good on dev."""
        return self.table("epoch_spread")

    @property
    def reference(self) -> pl.DataFrame:
        """Whether REF is under-trained, no better than the baseline, or at the ceiling."""
        return self.table("reference")

    @property
    def tables(self) -> pl.DataFrame:
        """The names of all tables with their columns, types and meanings."""
        rows = [
            (spec.name, column, str(kind), spec.columns[column].meaning)
            for spec in TABLES.values()
            for column, kind in schema_of(spec.columns).items()
        ]
        return pl.DataFrame(rows, schema=["table", "column", "type", "meaning"], orient="row")

    def to_pandas(self, name: str) -> "pd.DataFrame":
        """Return a table as a pandas frame. Columns of integers with nulls have type ``Int64``.

        Raises:
            AlignScopeError: if pandas is not installed.
            StudyError: if there is no such table.
        """
        table = self.table(name)
        try:
            import pandas as pd
        except ImportError:
            raise AlignScopeError(
                "The package pandas is not installed. Install it, or use the polars frame instead: "
                f"results.{name}."
            ) from None
        types = {pl.String: "object", pl.Int64: "Int64", pl.Boolean: "boolean"}
        without_nulls = {pl.Int64: "int64", pl.Boolean: "bool"}

        def series(column: pl.Series) -> "pd.Series":
            nullable = column.dtype == pl.String or column.null_count() > 0
            kind = (types if nullable else without_nulls).get(type(column.dtype), "float64")
            return pd.Series(column.to_list(), dtype=kind)

        return pd.DataFrame({column.name: series(column) for column in table})
