"""A sweep: execute the runs that a store lacks, and save every outcome as soon as it exists."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from alignscope.config.run import RunSpec
from alignscope.experiments.grouping import Group
from alignscope.results.store import ResultStore, RunFailure, RunOutcome

Execute = Callable[[Iterable[Group]], Iterator[RunOutcome]]
"""Execute groups, and yield outcomes as they arrive (`Executor.execute`)."""


class SweepProgress(Protocol):
    """Callbacks of a sweep."""

    def started(self, group: Group) -> None:
        """Report runs that start now."""

    def done(self, result: RunOutcome) -> None:
        """Report how a run ended."""


@dataclass(frozen=True)
class SweepSummary:
    """Counts of what a sweep did."""

    done: int
    failures: list[RunFailure]
    elsewhere: int = 0
    """Runs that another process was executing at the same time."""


def sweep(
    groups: Iterable[Group],
    execute: Execute,
    store: ResultStore,
    progress: SweepProgress | None = None,
) -> SweepSummary:
    """Execute the runs that ``store`` lacks, and save each outcome as soon as it exists.

    Runs that another process executes or finishes in the meantime are skipped. A run that fails
    is recorded, and the next sweep tries it again; the others continue.

    Args:
        groups: the runs, in groups that are stacked.
        execute: executes groups.
        store: the results; each run is locked in it while it executes.
        progress: callbacks for groups that start and runs that end.
    """
    done, failures, elsewhere = 0, list[RunFailure](), list[RunSpec]()
    try:
        for outcome in execute(_claim(groups, store, elsewhere, progress)):
            if isinstance(outcome, RunFailure):
                store.save_failure(outcome)
                failures.append(outcome)
            else:
                store.save(outcome)
                done += 1
            store.release(outcome.run)
            if progress is not None:
                progress.done(outcome)
    finally:
        store.release_all()
    return SweepSummary(done, failures, len(elsewhere))


def _claim(
    groups: Iterable[Group],
    store: ResultStore,
    elsewhere: list[RunSpec],
    progress: SweepProgress | None,
) -> Iterator[Group]:
    """Lock the runs of each group that are neither finished nor locked by another process."""

    def claim(run: RunSpec) -> bool:
        if run in store:
            return False
        if not store.acquire(run):
            elsewhere.append(run)
            return False
        if run in store:  # another process finished it just before it was locked
            store.release(run)
            return False
        return True

    for group in groups:
        if claimed := tuple(filter(claim, group)):
            if progress is not None:
                progress.started(claimed)
            yield claimed
