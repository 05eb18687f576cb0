"""The results of a study: every table by its name, computed on first use."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import polars as pl

from alignscope.analysis.block_changes import block_changes_table
from alignscope.analysis.changepoint import boundaries_table
from alignscope.analysis.distance_correlation import Distance, distances_table
from alignscope.analysis.drift import drift_table
from alignscope.analysis.effect_estimates import GroupEffects, estimate_effects
from alignscope.analysis.effect_intervals import effects_table
from alignscope.analysis.epoch_spread import epoch_spread_table
from alignscope.analysis.genealogy import LineageOf, lineage_from
from alignscope.analysis.hypotheses import Evidence, claims_table
from alignscope.analysis.measured import MeasuredTables, PrimaryTables, StoredTables
from alignscope.analysis.reference_checks import reference_table
from alignscope.analysis.result_tables import ResultTables
from alignscope.analysis.robustness import robustness_table
from alignscope.analysis.sentence_intervals import sentence_errors
from alignscope.analysis.strength import strength_table
from alignscope.analysis.summary import summary_table
from alignscope.analysis.transfer import transfer_table
from alignscope.analysis.transfer_gap import transfer_gap_table
from alignscope.analysis.typology import language_distance
from alignscope.config.run import RunSpec
from alignscope.config.study import Study
from alignscope.config.thresholds import HypothesisThresholds
from alignscope.data.synthetic.distance import typological_distance
from alignscope.results.specs import table_spec
from alignscope.results.store import ResultStore, RunResult
from alignscope.results.tables import primary_metrics


class StudyResults(ResultTables):
    """The tables of a study, as far as its runs are done.

    .. code-block:: python

        results = StudyResults.of(read_study(Path("study.toml")), ResultStore(Path("results")))
        results.effects.filter(on="targets − source")["mean"].to_list()  # [-0.31, -0.12, 0.02]
    """

    def __init__(
        self,
        measured: MeasuredTables,
        features: Path | None = None,
        thresholds: HypothesisThresholds | None = None,
        genealogy: Path | None = None,
    ) -> None:
        """Prepare the tables; nothing is computed yet.

        Args:
            measured: the runs and their measurements.
            features: a file with features of languages (`typology.read_features`), from which
                distances between languages are computed. Default: `language_distance`.
            thresholds: the thresholds of the hypotheses. Default: AlignScope's own.
            genealogy: a file with genus and family of languages (`genealogy.read_genealogy`), used
                before the built-in table.

        Raises:
            DataError: if ``genealogy`` cannot be used.
        """
        self.measured = measured
        self.features = features
        self.genealogy = genealogy
        self.lineage: LineageOf = lineage_from(genealogy)
        self.thresholds = thresholds or HypothesisThresholds()
        self._computed: dict[str, pl.DataFrame] = {}

    @classmethod
    def of(cls, study: Study, store: ResultStore, features: Path | None = None) -> "StudyResults":
        """Return the results of a study that a store holds.

        Raises:
            StoreError: if the study was never run on that store, or a file there is broken.
        """
        return cls(StoredTables(store.load_plan(study), store), features, study.claims)

    @property
    def planned(self) -> list[RunSpec]:
        """All runs of the study."""
        return list(self.measured.planned)

    @property
    def outcomes(self) -> list[RunResult]:
        """The results of the runs that are done."""
        return list(self.measured.outcomes)

    def table(self, name: str) -> pl.DataFrame:
        """Return the table of a name; `tables` lists the names.

        Raises:
            StudyError: if there is no such table.
        """
        if name not in self._computed:
            self._computed[name] = _COMPUTE[table_spec(name).name](self)
        return self._computed[name]

    def group(
        self, encoder: str, task: str, source: str, setting: str | None = None
    ) -> "GroupResults":
        """Return the rows of all tables that belong to one encoder, task and source.

        Args:
            encoder: the encoder's name, as in the tables.
            task: the task.
            source: the source.
            setting: the setting, as in the tables. Default: all of them.
        """
        return GroupResults(self, encoder, task, source, setting)

    @property
    def compared(self) -> bool:
        """Whether any run that is done has measured similarity."""
        return any(outcome.similarity for outcome in self.measured.outcomes)

    @cached_property
    def effect_estimates(self) -> list[GroupEffects]:
        """The effects of windows, from which several tables are computed."""
        return estimate_effects(self.scores, self.lineage)

    @property
    def has_changes(self) -> bool:
        """Whether any run that is done has measured changes of blocks."""
        return any(outcome.changes for outcome in self.measured.outcomes)

    @cached_property
    def distance(self) -> Distance | None:
        """The distance between two of the languages, or None if it is not known."""
        return language_distance({*self.scores["language"]}, self.features)

    def in_order(self, table: pl.DataFrame) -> pl.DataFrame:
        """Return the rows of a table in the study's order of tasks, sources and settings."""
        columns = ["task", "source", "setting"]
        keys = self.scores.select(columns).unique(maintain_order=True).rows(named=True)
        parts = [table.filter(**key) for key in keys]
        return pl.concat([table.clear(), *parts])

    def _planned_windows(self) -> dict[tuple[object, ...], set[str]]:
        """Return the planned windows by encoder, task, source, setting and init."""
        windows: dict[tuple[object, ...], set[str]] = {}
        for run in self.planned:
            if run.window is not None:
                key = run.encoder.label, run.task, run.source, run.setting, run.init_label
                windows.setdefault(key, set()).add(run.window)
        return windows


class PrimaryResults(StudyResults):
    """The results in the first metric of each task, without biased estimates.

    The report shows these. The numbers are those of all results: metrics and measures are
    corrected for multiple testing and correlated one by one.
    """

    def __init__(self, whole: StudyResults) -> None:
        super().__init__(
            PrimaryTables(whole.measured), whole.features, whole.thresholds, whole.genealogy
        )


@dataclass(frozen=True)
class GroupResults(ResultTables):
    """The rows of all tables that belong to one encoder, task, source and, if given, setting."""

    results: StudyResults
    encoder: str
    task: str
    source: str
    setting: str | None = None

    def table(self, name: str) -> pl.DataFrame:
        """Return the rows of the table of that name.

        Raises:
            StudyError: if there is no such table.
        """
        group = {"encoder": self.encoder, "task": self.task, "source": self.source}
        if self.setting is not None:
            group["setting"] = self.setting
        return self.results.table(name).filter(**group)


def _effects(results: StudyResults) -> pl.DataFrame:
    groups, metrics = results.effect_estimates, primary_metrics(results.scores)
    return effects_table(groups, sentence_errors(groups, results.measured.outcomes, metrics))


def _claims(results: StudyResults) -> pl.DataFrame:
    evidence = Evidence(
        groups=results.effect_estimates,
        planned=results._planned_windows(),
        reference=results.reference,
        changes=results.changes if results.has_changes else None,
        lineage_of=results.lineage,
    )
    similarity = results.similarity if results.compared else None
    return claims_table(results.scores, similarity, results.thresholds, evidence)


_COMPUTE: Mapping[str, Callable[[StudyResults], pl.DataFrame]] = {
    "scores": lambda results: results.measured.scores,
    "summary": lambda results: summary_table(results.scores),
    "effects": _effects,
    "distances": lambda results: distances_table(
        results.scores, results.distance or typological_distance, results.lineage
    ),
    "gaps": lambda results: transfer_gap_table(
        results.scores, results.similarity, results.distance, results.lineage, results.transfer
    ),
    "transfer": lambda results: transfer_table(
        results.scores, results.measured.supervised_scores, results.lineage
    ),
    "drift": lambda results: drift_table(results.similarity),
    "boundaries": lambda results: boundaries_table(results.effect_estimates),
    "claims": _claims,
    "robustness": lambda results: robustness_table(results.claims),
    "similarity": lambda results: results.measured.similarity,
    "runs": lambda results: results.measured.runs,
    "epochs": lambda results: results.measured.epochs,
    "changes": lambda results: results.measured.changes,
    "block_changes": lambda results: block_changes_table(results.changes),
    "epoch_spread": lambda results: epoch_spread_table(results.epochs),
    "reference": lambda results: reference_table(results.scores, results.epochs),
    "strength": lambda results: strength_table(results.outcomes),
}
