"""The tables that hold measurements of runs: runs, scores and similarity."""

from collections.abc import Sequence
from functools import cached_property
from typing import Protocol

import polars as pl

from alignscope.config.run import RunSpec
from alignscope.results.store import ResultStore, RunResult
from alignscope.results.tables import (
    changes_table,
    epochs_table,
    primary_metrics,
    run_similarity_table,
    runs_table,
    scores_table,
    split_supervised,
)


class MeasuredTables(Protocol):
    """The measurements from which `StudyResults` computes all other tables."""

    @property
    def planned(self) -> Sequence[RunSpec]:
        """All runs of the study."""
        ...

    @property
    def outcomes(self) -> Sequence[RunResult]:
        """The results of the runs that are done."""
        ...

    @property
    def runs(self) -> pl.DataFrame:
        """The table ``runs``."""
        ...

    @property
    def scores(self) -> pl.DataFrame:
        """The table ``scores``."""
        ...

    @property
    def supervised_scores(self) -> pl.DataFrame:
        """The same columns for runs on supervised corpora."""
        ...

    @property
    def similarity(self) -> pl.DataFrame:
        """The table ``similarity``."""
        ...

    @property
    def epochs(self) -> pl.DataFrame:
        """The table ``epochs``."""
        ...

    @property
    def changes(self) -> pl.DataFrame:
        """The table ``changes``."""
        ...


class StoredTables:
    """The measurements of some runs, as far as a store holds them."""

    def __init__(self, planned: Sequence[RunSpec], store: ResultStore) -> None:
        self.planned = list(planned)
        self.outcomes = store.load_results(self.planned)
        self._store = store

    @cached_property
    def runs(self) -> pl.DataFrame:
        """The table ``runs``, including planned runs that are not done."""
        return runs_table(self.planned, self._store, self.outcomes)

    @property
    def scores(self) -> pl.DataFrame:
        """The table ``scores``."""
        return self._scores[0]

    @property
    def supervised_scores(self) -> pl.DataFrame:
        """The same columns for runs on supervised corpora."""
        return self._scores[1]

    @cached_property
    def _scores(self) -> tuple[pl.DataFrame, ...]:
        return split_supervised(scores_table(self.outcomes), self.planned)

    @cached_property
    def similarity(self) -> pl.DataFrame:
        """The table ``similarity``."""
        return run_similarity_table(self.outcomes)

    @cached_property
    def epochs(self) -> pl.DataFrame:
        """The table ``epochs``."""
        return epochs_table(self.outcomes)

    @cached_property
    def changes(self) -> pl.DataFrame:
        """The table ``changes``."""
        return changes_table(self.outcomes)


class PrimaryTables:
    """The same measurements in the first metric of each task, without biased estimates.

    A measure that has no debiased estimate keeps the estimate that it has.
    """

    def __init__(self, whole: MeasuredTables) -> None:
        self.planned, self.outcomes = whole.planned, whole.outcomes
        self._whole = whole

    @property
    def runs(self) -> pl.DataFrame:
        """The table ``runs``."""
        return self._whole.runs

    @property
    def epochs(self) -> pl.DataFrame:
        """The table ``epochs``, which is in the first metric of each task."""
        return self._whole.epochs

    @property
    def changes(self) -> pl.DataFrame:
        """The table ``changes``."""
        return self._whole.changes

    @cached_property
    def supervised_scores(self) -> pl.DataFrame:
        """The same columns for runs on supervised corpora."""
        metrics = list(primary_metrics(self._whole.scores).items())
        chosen = pl.DataFrame(metrics, schema=["task", "metric"], orient="row")
        return self._whole.supervised_scores.join(chosen, on=["task", "metric"], how="semi")

    @cached_property
    def scores(self) -> pl.DataFrame:
        """The table ``scores``, with the tasks in the order of the study."""
        table = self._whole.scores
        parts = [
            table.filter(task=task, metric=metric)
            for task, metric in primary_metrics(table).items()
        ]
        return pl.concat([table.clear(), *parts])

    @cached_property
    def similarity(self) -> pl.DataFrame:
        """The table ``similarity``."""
        debiased = pl.col("estimator") == "debiased"
        return self._whole.similarity.filter(debiased | ~debiased.any().over("measure"))
