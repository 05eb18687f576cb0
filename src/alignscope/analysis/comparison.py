"""The results of several stores, on the corpora that all of their encoders have."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

import polars as pl

from alignscope.analysis.results import StudyResults
from alignscope.analysis.strength import unequal_strengths
from alignscope.config.run import RunSpec
from alignscope.config.study import Study
from alignscope.errors import StoreError
from alignscope.results.store import ResultStore, RunResult
from alignscope.results.tables import (
    changes_table,
    epochs_table,
    run_similarity_table,
    runs_table,
    scores_table,
    split_supervised,
)

StoreRuns = tuple[ResultStore, list[RunSpec]]
"""A store with runs of it."""


class ComparedResults(StudyResults):
    """The results of several stores, encoder by encoder, on the corpora that all encoders have.

    .. code-block:: python

        results = ComparedResults([ResultStore(Path("mbert")), ResultStore(Path("xlmr"))])
        results.boundaries.select("encoder", "block").rows()
        # [('bert-base-multilingual-cased', 4), ('xlm-roberta-base', 6)]

    Scores and similarities are restricted to the corpora that all encoders have, per task and
    source, so that all means are over the same corpora. `notes` lists the corpora that are left out
    and the differences between the runs. If two encoders have the same name, the name of the store
    is added to it.
    """

    def __init__(self, stores: Sequence[ResultStore], study: Study | None = None) -> None:
        """Load the results.

        Args:
            stores: the stores to compare.
            study: the study whose runs are compared, and whose thresholds the hypotheses have.
                Default: every run of the stores, and the default thresholds.

        Raises:
            StoreError: if a store has no results, or has a run with two configurations that no
                table distinguishes, for example two batch sizes. Then ``study`` must select one.
        """
        self.shared = SharedTables(stores, study)
        super().__init__(self.shared, thresholds=None if study is None else study.claims)
        self._default_thresholds = study is None

    @property
    def notes(self) -> list[str]:
        """Sentences on what limits the comparison: left-out corpora and different settings."""
        notes = self.shared.omissions()
        if self._default_thresholds:
            notes.append("Hypotheses are judged by AlignScope's default thresholds.")
        return [*notes, *unequal_strengths(self.strength), *_differences(self.outcomes)]


class SharedTables:
    """The measurements of several stores on the corpora that all encoders have."""

    def __init__(self, stores: Sequence[ResultStore], study: Study | None = None) -> None:
        parts = _with_unique_names([(store, _planned_runs(store, study)) for store in stores])
        self._parts = _without_duplicates(parts)
        self.planned = [run for _, runs in self._parts for run in runs]
        _check_one_configuration(self.planned)
        self.outcomes = [
            outcome for store, runs in self._parts for outcome in store.load_results(runs)
        ]

    @cached_property
    def runs(self) -> pl.DataFrame:
        """The table ``runs``."""
        return pl.concat([runs_table(runs, store) for store, runs in self._parts])

    @cached_property
    def scores(self) -> pl.DataFrame:
        """The table ``scores``, on corpora that all encoders have."""
        return _shared(self._all_scores[0], ["task", "source"], "corpus")

    @property
    def supervised_scores(self) -> pl.DataFrame:
        """The scores of runs on supervised corpora."""
        return self._all_scores[1]

    @cached_property
    def similarity(self) -> pl.DataFrame:
        """The table ``similarity``, of pairs of corpora that all encoders have compared."""
        pair = pl.concat_str("corpus", "target", separator=" ")
        paired = self._all_similarity.with_columns(pair=pair)
        return _shared(paired, ["task", "source", "state"], "pair").drop("pair")

    @cached_property
    def epochs(self) -> pl.DataFrame:
        """The table ``epochs``, on corpora that all encoders have."""
        return _shared(epochs_table(self.outcomes), ["task", "source"], "corpus")

    @cached_property
    def changes(self) -> pl.DataFrame:
        """The table ``changes``, on corpora that all encoders have compared."""
        return _shared(changes_table(self.outcomes), ["task", "source"], "corpus")

    def omissions(self) -> list[str]:
        """Return a sentence for each group of corpora that the tables leave out."""
        lost = self._all_scores[0].join(self.scores, on=["task", "source", "corpus"], how="anti")
        notes = [
            f"Left out of {task} from {source}, because not every encoder has them: "
            f"{', '.join(group['corpus'].unique().sort())}."
            for (task, source), group in lost.group_by("task", "source", maintain_order=True)
        ]
        compared = any(outcome.similarity for outcome in self.outcomes)
        if compared and len(self.similarity) < len(self._all_similarity):
            notes.append(
                "Similarities of corpora that not every encoder has compared are left out."
            )
        return notes

    @cached_property
    def _all_scores(self) -> tuple[pl.DataFrame, ...]:
        return split_supervised(scores_table(self.outcomes), self.planned)

    @cached_property
    def _all_similarity(self) -> pl.DataFrame:
        return run_similarity_table(self.outcomes)


def _shared(table: pl.DataFrame, group: list[str], item: str) -> pl.DataFrame:
    """Return the rows whose item every encoder of their group has, in every setting."""
    units = pl.struct("encoder", "setting").n_unique()
    return table.filter(units.over([*group, item]) == units.over(group))


def _planned_runs(store: ResultStore, study: Study | None) -> list[RunSpec]:
    return store.load_plan(study) if study is not None else store.load_all_plans()


def _with_unique_names(parts: Sequence[StoreRuns]) -> list[StoreRuns]:
    """Add the store's name to encoders that have the same name and are not the same."""
    identities: dict[str, set[str]] = {}
    for _, runs in parts:
        for run in runs:
            identities.setdefault(run.encoder.label, set()).add(run.identity)

    def renamed(run: RunSpec, suffix: str) -> RunSpec:
        if len(identities[run.encoder.label]) == 1:
            return run
        name = f"{run.encoder.name} ({suffix})"
        return run.model_copy(update={"encoder": run.encoder.model_copy(update={"name": name})})

    suffixes = _shortest_suffixes([store.folder.resolve() for store, _ in parts])
    return [
        (store, [renamed(run, suffix) for run in runs])
        for (store, runs), suffix in zip(parts, suffixes, strict=True)
    ]


def _shortest_suffixes(folders: Sequence[Path]) -> list[str]:
    """Return the shortest ends of paths, of equal length, that are different.

    >>> _shortest_suffixes([Path("/a/results"), Path("/b/results")])
    ['a/results', 'b/results']
    """
    for length in range(1, max(len(folder.parts) for folder in folders)):
        suffixes = ["/".join(folder.parts[-length:]) for folder in folders]
        if len(set(suffixes)) == len(set(folders)):
            return suffixes
    return [str(folder) for folder in folders]


def _without_duplicates(parts: Sequence[StoreRuns]) -> list[StoreRuns]:
    """Keep a run that several stores have in the first store where it is done, or else planned."""
    owner: dict[str, ResultStore] = {}
    for store, runs in parts:
        for run in runs:
            current = owner.setdefault(run.address, store)
            if run not in current and run in store:
                owner[run.address] = store
    return [(store, [run for run in runs if owner[run.address] is store]) for store, runs in parts]


def _check_one_configuration(runs: Sequence[RunSpec]) -> None:
    """Refuse runs that differ only in what no table shows: their effect is not defined."""
    addresses: dict[tuple[str, str], str] = {}
    for run in runs:
        what = f"{run.label} ({run.setting})"
        first = addresses.setdefault((run.encoder.label, what), run.address)
        if first != run.address:
            raise StoreError(
                f"{run.encoder.label} has two configurations of {what}: {first} and "
                f"{run.address}. Name the study to compare with --study."
            )


def _differences(outcomes: Sequence[RunResult]) -> list[str]:
    """Return a sentence for every setting in which the encoders of a task differ."""
    values_of: dict[tuple[str, str], dict[str, set[str]]] = {}
    for outcome in outcomes:
        for name, value in _settings(outcome):
            by_encoder = values_of.setdefault((outcome.run.task, name), {})
            by_encoder.setdefault(outcome.run.encoder.label, set()).add(value)
    notes = []
    for (task, name), by_encoder in values_of.items():
        if len({frozenset(values) for values in by_encoder.values()}) > 1:
            listed = (f"{'/'.join(sorted(v))} for {encoder}" for encoder, v in by_encoder.items())
            notes.append(f"{name} of {task} differs: {', '.join(listed)}.")
    return notes


def _settings(outcome: RunResult) -> Iterator[tuple[str, str]]:
    """Yield every setting of a run that could cause a difference between encoders."""
    run, provenance = outcome.run, outcome.provenance
    yield "the seed", str(run.seed)
    yield "the precision", str(provenance.get("precision"))
    if run.window is not None:
        yield "the window", run.window
        yield "the initialisation", str(run.init_label)
        yield "the treatment of adapters", str(run.adapters)
    for part in ("training", "limits"):
        for name, value in getattr(run, part).model_dump(by_alias=False).items():
            yield f"{part}.{name}", "none" if value is None else str(value)
    if run.similarity is not None:
        for name, value in dict(run.similarity).items():
            yield f"similarity.{name}", ", ".join(value) if isinstance(value, tuple) else str(value)
    for name, checksum in (provenance.get("data") or {}).items():
        yield f"the file of {name}", str(checksum)[:12]
