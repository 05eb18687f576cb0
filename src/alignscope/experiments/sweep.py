"""A sweep: what a study still lacks is performed, and every result kept as it comes."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TypeVar

from alignscope.config.run import RunSpec
from alignscope.experiments.grouping import Group
from alignscope.results.store import ResultStore, RunFailure, RunOutcome

Work = TypeVar("Work")
"""What an executor calls for each group: some perform runs here, some elsewhere."""


@dataclass(frozen=True)
class SweepSummary:
    """What a sweep did."""

    done: int
    failures: list[RunFailure]
    elsewhere: int = 0
    """Runs that another process was performing meanwhile."""


def sweep(
    groups: Iterable[Group],
    work: Work,
    store: ResultStore,
    executor: Callable[[Iterable[Group], Work], Iterator[list[RunOutcome]]],
    report: Callable[[RunOutcome], None] = lambda result: None,
) -> SweepSummary:
    """Perform the runs that ``store`` lacks and keep each result the moment it is there.

    Runs that another process performs or finishes meanwhile are skipped. A run that diverges is
    noted and tried again by the next sweep; the others go on.
    """
    done, failures, elsewhere = 0, list[RunFailure](), list[RunSpec]()
    try:
        for result in chain.from_iterable(executor(_free(groups, store, elsewhere), work)):
            if isinstance(result, RunFailure):
                store.save_failure(result)
                failures.append(result)
            else:
                store.save(result)
                done += 1
            store.release(result.run)
            report(result)
    finally:
        store.release_all()
    return SweepSummary(done, failures, len(elsewhere))


def _free(groups: Iterable[Group], store: ResultStore, elsewhere: list[RunSpec]) -> Iterator[Group]:
    """Take what is neither done nor in the hands of another process, group by group."""

    def free(run: RunSpec) -> bool:
        if run in store:
            return False
        if not store.acquire(run):
            elsewhere.append(run)
            return False
        if run in store:  # it was finished just before it was taken
            store.release(run)
            return False
        return True

    for group in groups:
        if own := tuple(filter(free, group)):
            yield own
