"""Several stores side by side: the same tables, over all encoders, on what they have in common."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

import polars as pl

from alignscope.analysis.results import StudyResults
from alignscope.config.run import RunSpec
from alignscope.config.study import HypothesisThresholds, Study
from alignscope.errors import StoreError
from alignscope.results.store import ResultStore, RunResult
from alignscope.results.tables import run_similarity_table, runs_table, scores_table


class ComparedResults(StudyResults):
    """Findings of several stores, encoder by encoder.

    >>> found = ComparedResults([ResultStore(Path("mbert")), ResultStore(Path("xlmr"))])
    >>> found.boundaries.select("encoder", "block").rows()
    [('bert-base-multilingual-cased', 4), ('xlm-roberta-base', 6)]

    Scores and similarities are of the corpora that all encoders have, per task and source, so that
    means are over the same; `notes` says what was left out, and what was done differently. An
    encoder that has the name of another one is called after its store, too. Claims are held against
    the thresholds of ``study``, or AlignScope's own.

    Raises:
        StoreError: if a store has no results, or holds a run in two ways (say, with other rates):
            then ``study`` must say which of them is meant.
    """

    def __init__(self, stores: Sequence[ResultStore], study: Study | None = None) -> None:
        parts = _named_apart([(store, _runs_of(store, study)) for store in stores])
        self.parts = _each_once(parts)
        self.planned = [run for _, runs in self.parts for run in runs]
        _check_once(self.planned)
        self.outcomes = [o for store, runs in self.parts for o in store.load_results(runs)]
        self.features = None
        self.thresholds = HypothesisThresholds() if study is None else study.claims
        self._own_thresholds = study is None

    @cached_property
    def runs(self) -> pl.DataFrame:
        """``tables.RUNS``."""
        return pl.concat([runs_table(runs, store) for store, runs in self.parts])

    @cached_property
    def scores(self) -> pl.DataFrame:
        """``tables.SCORES``, of corpora that all encoders share."""
        return _shared(self._scores, ["task", "source"], "corpus")

    @cached_property
    def similarity(self) -> pl.DataFrame:
        """``tables.RUN_SIMILARITY``, of pairs that all encoders that compared layers share."""
        kept = self._similarity.with_columns(pair=pl.concat_str("corpus", "target", separator=" "))
        return _shared(kept, ["task", "source", "state"], "pair").drop("pair")

    @property
    def notes(self) -> list[str]:
        """What one should know before encoders are compared: a sentence each."""
        lost = self._scores.join(self.scores, on=["task", "source", "corpus"], how="anti")
        found = [
            f"Left out of {task} from {source}, since not every encoder has them: "
            f"{', '.join(group['corpus'].unique().sort())}."
            for (task, source), group in lost.group_by("task", "source", maintain_order=True)
        ]
        if self.compared and len(self.similarity) < len(self._similarity):
            found.append("Similarities of corpora that not every encoder compared are left out.")
        if self._own_thresholds:
            found.append("Claims are held against AlignScope's own thresholds.")
        return [*found, *_differences(self.outcomes)]

    @cached_property
    def _scores(self) -> pl.DataFrame:
        return scores_table(self.outcomes)

    @cached_property
    def _similarity(self) -> pl.DataFrame:
        return run_similarity_table(self.outcomes)


def _shared(table: pl.DataFrame, group: list[str], item: str) -> pl.DataFrame:
    """Keep the rows whose item all encoders have that have its group."""
    of_item = pl.col("encoder").n_unique().over([*group, item])
    return table.filter(of_item == pl.col("encoder").n_unique().over(group))


def _runs_of(store: ResultStore, study: Study | None) -> list[RunSpec]:
    return store.load_plan(study) if study is not None else store.load_all_plans()


def _named_apart(
    parts: list[tuple[ResultStore, list[RunSpec]]],
) -> list[tuple[ResultStore, list[RunSpec]]]:
    """Call encoders after their store, too, where another one has the same name."""
    identities: dict[str, set[str]] = {}
    for _, runs in parts:
        for run in runs:
            identities.setdefault(run.encoder.label, set()).add(run.identity)

    tails = _tails([store.folder.resolve() for store, _ in parts])

    def named(tail: str, run: RunSpec) -> RunSpec:
        if len(identities[run.encoder.label]) == 1:
            return run
        name = f"{run.encoder.name} ({tail})"
        return run.model_copy(update={"encoder": run.encoder.model_copy(update={"name": name})})

    return [
        (store, [named(tail, run) for run in runs])
        for (store, runs), tail in zip(parts, tails, strict=True)
    ]


def _tails(folders: Sequence[Path]) -> list[str]:
    """As much of the ends of folders as tells them apart.

    >>> _tails([Path("/a/results"), Path("/b/results")])
    ['a/results', 'b/results']
    """
    for length in range(1, max(len(folder.parts) for folder in folders)):
        found = ["/".join(folder.parts[-length:]) for folder in folders]
        if len(set(found)) == len(set(folders)):
            return found
    return [str(folder) for folder in folders]


def _each_once(
    parts: list[tuple[ResultStore, list[RunSpec]]],
) -> list[tuple[ResultStore, list[RunSpec]]]:
    """Take a run that several stores have from the first in which it is done, or planned."""
    owner: dict[str, ResultStore] = {}
    for store, runs in parts:
        for run in runs:
            held = owner.setdefault(run.address, store)
            if run not in held and run in store:
                owner[run.address] = store
    return [(store, [r for r in runs if owner[r.address] is store]) for store, runs in parts]


def _check_once(runs: Sequence[RunSpec]) -> None:
    """Refuse runs that are the same but for how they were trained: no effect could be taken."""
    seen: dict[tuple[object, ...], str] = {}
    for run in runs:
        key = (run.encoder.label, run.label)
        first = seen.setdefault(key, run.address)
        if first != run.address:
            raise StoreError(
                f"{run.encoder.label} has {run.label} in two ways ({first} and {run.address}): "
                "name the study to compare with --study"
            )


def _differences(outcomes: Sequence[RunResult]) -> list[str]:
    """What encoders were not treated alike in, a sentence for each thing and task."""
    seen: dict[tuple[str, str], dict[str, set[str]]] = {}
    for outcome in outcomes:
        for name, value in _treatment(outcome):
            by_encoder = seen.setdefault((outcome.run.task, name), {})
            by_encoder.setdefault(outcome.run.encoder.label, set()).add(value)
    return [
        f"{name} of {task} is not alike: {told}."
        for (task, name), by_encoder in seen.items()
        if len({frozenset(values) for values in by_encoder.values()}) > 1
        for told in [", ".join(f"{'/'.join(sorted(v))} for {e}" for e, v in by_encoder.items())]
    ]


def _treatment(outcome: RunResult) -> Iterator[tuple[str, str]]:
    """All that could make a difference between encoders, by name."""
    run, about = outcome.run, outcome.provenance
    yield "the seed", str(run.seed)
    yield "the precision", str(about.get("precision"))
    if run.window is not None:
        yield "the window", run.window
        yield "the initialisation", str(run.init)
        yield "the adapters' fate", str(run.adapters)
    for part in ("training", "limits"):
        for name, value in getattr(run, part).model_dump(by_alias=False).items():
            yield f"{part}.{name}", "none" if value is None else str(value)
    if run.similarity is not None:
        for name, value in run.similarity.model_dump().items():
            yield f"similarity.{name}", ", ".join(value) if isinstance(value, tuple) else str(value)
    for name, checksum in (about.get("data") or {}).items():
        yield f"the file of {name}", str(checksum)[:12]
