"""What a study found: every table of it, by its name, made when it is first asked for."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import polars as pl

from alignscope.analysis.changepoint import boundaries_table
from alignscope.analysis.contrasts import contrasts_table
from alignscope.analysis.distance_correlation import Distance, distances_table
from alignscope.analysis.drift import drift_table
from alignscope.analysis.effect_intervals import intervals_table
from alignscope.analysis.effects import effects_table
from alignscope.analysis.hypotheses import claims_table
from alignscope.analysis.transfer_gap import transfer_gap_table
from alignscope.analysis.typology import language_distance
from alignscope.config.run import RunSpec
from alignscope.config.study import HypothesisThresholds, Study
from alignscope.data.synthetic.distance import typological_distance
from alignscope.results.store import ResultStore
from alignscope.results.tables import (
    primary_metrics,
    run_similarity_table,
    runs_table,
    scores_table,
)


class StudyResults:
    """The tables of some runs, as far as a store holds them.

    >>> found = StudyResults.of(read_study(Path("study.toml")), ResultStore(Path("results")))
    >>> found.intervals.filter(on="targets − source")["mean"].to_list()
    [-0.31, -0.12, 0.02]

    ``features`` is a file that says how far apart languages are (`typology.read_features`),
    ``thresholds`` what claims are held against. Every table may raise a StoreError, where results
    cannot be compared with each other, those on layers also where nothing was measured of them
    (`compared` says so before), and those that take distances a DataError.
    """

    def __init__(
        self,
        runs: Sequence[RunSpec],
        store: ResultStore,
        features: Path | None = None,
        thresholds: HypothesisThresholds | None = None,
    ) -> None:
        self.planned = list(runs)
        self.store = store
        self.features = features
        self.thresholds = thresholds or HypothesisThresholds()
        self.outcomes = store.load_results(self.planned)

    @classmethod
    def of(cls, study: Study, store: ResultStore, features: Path | None = None) -> "StudyResults":
        """Return what a store holds of a study.

        Raises:
            StoreError: if the study was never run on that store, or a file there is broken.
        """
        return cls(store.load_plan(study), store, features, study.claims)

    def table(self, name: str) -> pl.DataFrame:
        """Return the table of that name, such as ``effects``."""
        table: pl.DataFrame = getattr(self, name)
        return table

    @property
    def compared(self) -> bool:
        """Whether layers were compared by any run that is done."""
        return any(outcome.similarity for outcome in self.outcomes)

    @cached_property
    def runs(self) -> pl.DataFrame:
        """``tables.RUNS``, of planned runs that are not done, too."""
        return runs_table(self.planned, self.store, self.outcomes)

    @cached_property
    def scores(self) -> pl.DataFrame:
        """``tables.SCORES``."""
        return scores_table(self.outcomes)

    @cached_property
    def effects(self) -> pl.DataFrame:
        """``tables.EFFECTS``."""
        return effects_table(self.scores)

    @cached_property
    def intervals(self) -> pl.DataFrame:
        """``tables.INTERVALS``."""
        return intervals_table(self.scores)

    @cached_property
    def contrasts(self) -> pl.DataFrame:
        """``tables.CONTRASTS``."""
        return contrasts_table(self.scores)

    @cached_property
    def boundaries(self) -> pl.DataFrame:
        """``tables.BOUNDARIES``."""
        return boundaries_table(self.scores)

    @cached_property
    def similarity(self) -> pl.DataFrame:
        """``tables.RUN_SIMILARITY``."""
        return run_similarity_table(self.outcomes)

    @cached_property
    def drift(self) -> pl.DataFrame:
        """``tables.DRIFT``."""
        return drift_table(self.similarity)

    @cached_property
    def distances(self) -> pl.DataFrame:
        """``tables.DISTANCES``."""
        return distances_table(self.scores, self.distance or typological_distance)

    @cached_property
    def gaps(self) -> pl.DataFrame:
        """``tables.GAPS``."""
        return transfer_gap_table(self.scores, self.similarity, self.distance)

    @cached_property
    def claims(self) -> pl.DataFrame:
        """``tables.CLAIMS``."""
        similarity = self.similarity if self.compared else None
        return claims_table(self.scores, similarity, self.thresholds, self._windows, self.intervals)

    @cached_property
    def distance(self) -> Distance | None:
        """How far apart two of the languages are, if it is known."""
        return language_distance({*self.scores["language"]}, self.features)

    @property
    def _windows(self) -> dict[tuple[object, ...], set[str]]:
        """The windows that were planned, by encoder, task, source and initialisation."""
        found: dict[tuple[object, ...], set[str]] = {}
        for run in self.planned:
            if run.window is not None:
                key = run.encoder.label, run.task, run.source, run.init
                found.setdefault(key, set()).add(run.window)
        return found


class PrimaryResults(StudyResults):
    """The same in the first metric of each task only, and without biased estimates.

    What a person looks at first. Of a measure without a debiased estimate, what there is. No
    other table changes by it: metrics and measures are corrected and correlated each for itself.
    """

    def __init__(self, whole: StudyResults) -> None:
        self.whole = whole
        self.planned, self.outcomes = whole.planned, whole.outcomes
        self.features, self.thresholds = whole.features, whole.thresholds

    @property
    def runs(self) -> pl.DataFrame:
        """``tables.RUNS``."""
        return self.whole.runs

    @cached_property
    def scores(self) -> pl.DataFrame:
        """``tables.SCORES``, tasks in the order of the study."""
        table = self.whole.scores
        first = primary_metrics(table)
        parts = [table.filter(task=task, metric=metric) for task, metric in first.items()]
        return pl.concat([table.clear(), *parts])

    @cached_property
    def similarity(self) -> pl.DataFrame:
        """``tables.RUN_SIMILARITY``."""
        debiased = pl.col("estimator") == "debiased"
        return self.whole.similarity.filter(debiased | ~debiased.any().over("measure"))

    def in_order(self, table: pl.DataFrame) -> pl.DataFrame:
        """Put the rows of a table into the order in which the study has its tasks and sources."""
        keys = self.scores.select("task", "source").unique(maintain_order=True).rows()
        parts = [table.filter(task=task, source=source) for task, source in keys]
        return pl.concat([table.clear(), *parts])
