"""Several stores side by side: the same tables, over all encoders, on what they have in common."""

from collections import Counter
from collections.abc import Sequence
from functools import cached_property

import polars as pl

from alignscope.analysis.collect import runs_table, scores_table
from alignscope.analysis.findings import Findings
from alignscope.errors import StoreError
from alignscope.store import Store
from alignscope.study import Run, Study, Thresholds

_SAME = ["task", "source", "corpus"]


class Gathered(Findings):
    """Findings of several stores, encoder by encoder.

    >>> found = Gathered([Store(Path("mbert")), Store(Path("xlmr"))])
    >>> found.boundaries.select("encoder", "block").rows()
    [('bert-base-multilingual-cased', 4), ('xlm-roberta-base', 6)]

    Scores are of the corpora that all encoders were evaluated on, per task and source, so that
    means are over the same corpora; `notes` says what was left out, and what was done differently.
    An encoder that has the name of another one is called after its store, too.

    Raises:
        StoreError: if a store has no results, or holds a run in two ways (say, with other rates):
            then ``study`` must say which of them is meant.
    """

    def __init__(self, stores: Sequence[Store], study: Study | None = None) -> None:
        parts = _named_apart([(store, _runs_of(store, study)) for store in stores])
        self.parts = _each_once(parts)
        self.planned = [run for _, runs in self.parts for run in runs]
        _check_once(self.planned)
        self.outcomes = [o for store, runs in self.parts for o in store.outcomes(runs)]
        self.features = None
        self.thresholds = Thresholds() if study is None else study.claims

    @cached_property
    def runs(self) -> pl.DataFrame:
        """``tables.RUNS``."""
        return pl.concat([runs_table(runs, store) for store, runs in self.parts])

    @cached_property
    def scores(self) -> pl.DataFrame:
        """``tables.SCORES``, of corpora that all encoders share."""
        return self._all.join(self._shared, on=_SAME, how="semi", maintain_order="left")

    @property
    def notes(self) -> list[str]:
        """What one should know before encoders are compared: a sentence each."""
        lost = self._all.join(self._shared, on=_SAME, how="anti")["corpus"].unique().sort()
        found = (
            [f"Left out, since not every encoder has them: {', '.join(lost)}."] if len(lost) else []
        )
        return [*found, *_differences([outcome.run for outcome in self.outcomes])]

    @cached_property
    def _all(self) -> pl.DataFrame:
        return scores_table(self.outcomes)

    @cached_property
    def _shared(self) -> pl.DataFrame:
        """Task, source and corpus, where every encoder that has the first two has the third."""
        each = self._all.select("encoder", *_SAME).unique()
        encoders = each.group_by("task", "source").agg(all=pl.col("encoder").n_unique())
        return (
            each.group_by(_SAME)
            .len()
            .join(encoders, on=["task", "source"])
            .filter(pl.col("len") == pl.col("all"))
            .select(_SAME)
        )


def _runs_of(store: Store, study: Study | None) -> list[Run]:
    return store.planned(study) if study is not None else store.all_planned()


def _named_apart(parts: list[tuple[Store, list[Run]]]) -> list[tuple[Store, list[Run]]]:
    """Call encoders after their store, too, where another one has the same name."""
    identities: dict[str, set[str]] = {}
    for _, runs in parts:
        for run in runs:
            identities.setdefault(run.encoder.label, set()).add(run.identity)

    def named(store: Store, run: Run) -> Run:
        if len(identities[run.encoder.label]) == 1:
            return run
        name = f"{run.encoder.name} ({store.folder.name})"
        return run.model_copy(update={"encoder": run.encoder.model_copy(update={"name": name})})

    return [(store, [named(store, run) for run in runs]) for store, runs in parts]


def _each_once(parts: list[tuple[Store, list[Run]]]) -> list[tuple[Store, list[Run]]]:
    """Take a run that several stores have from the first in which it is done, or planned."""
    owner: dict[str, Store] = {}
    for store, runs in parts:
        for run in runs:
            held = owner.setdefault(run.address, store)
            if run not in held and run in store:
                owner[run.address] = store
    return [(store, [r for r in runs if owner[r.address] is store]) for store, runs in parts]


def _check_once(runs: Sequence[Run]) -> None:
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


def _differences(runs: Sequence[Run]) -> list[str]:
    """What encoders were not treated alike in, a sentence each."""
    found = []
    encoders = list(dict.fromkeys(run.encoder.label for run in runs))
    for part in ("training", "limits"):
        for name in getattr(runs[0], part).model_dump() if runs else ():
            for task in dict.fromkeys(run.task for run in runs):
                values = {encoder: _values(runs, encoder, task, part, name) for encoder in encoders}
                values = {encoder: value for encoder, value in values.items() if value}
                if len(Counter(values.values())) > 1:
                    told = ", ".join(f"{value} for {encoder}" for encoder, value in values.items())
                    found.append(f"{part}.{name} of {task} is not alike: {told}.")
    return found


def _values(runs: Sequence[Run], encoder: str, task: str, part: str, name: str) -> str:
    chosen = {
        str(getattr(getattr(run, part), name))
        for run in runs
        if (run.encoder.label, run.task) == (encoder, task)
    }
    return "/".join(sorted(chosen))
