"""A sweep: what a study still lacks is performed, and every result kept as it comes."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TypeVar

from alignscope.config.run import Run
from alignscope.experiments.grouping import Group
from alignscope.results.store import Failure, Result, Store

Work = TypeVar("Work")
"""What an executor calls for each group: some perform runs here, some elsewhere."""


@dataclass(frozen=True)
class Swept:
    """What a sweep did."""

    done: int
    failures: list[Failure]
    elsewhere: int = 0
    """Runs that another process was performing meanwhile."""


def sweep(
    groups: Iterable[Group],
    work: Work,
    store: Store,
    executor: Callable[[Iterable[Group], Work], Iterator[list[Result]]],
    report: Callable[[Result], None] = lambda result: None,
) -> Swept:
    """Perform the runs that ``store`` lacks and keep each result the moment it is there.

    Runs that another process performs or finishes meanwhile are skipped. A run that diverges is
    noted and tried again by the next sweep; the others go on.
    """
    done, failures, elsewhere = 0, list[Failure](), list[Run]()
    try:
        for result in chain.from_iterable(executor(_free(groups, store, elsewhere), work)):
            if isinstance(result, Failure):
                store.put_failure(result)
                failures.append(result)
            else:
                store.put(result)
                done += 1
            store.leave(result.run)
            report(result)
    finally:
        store.leave_all()
    return Swept(done, failures, len(elsewhere))


def _free(groups: Iterable[Group], store: Store, elsewhere: list[Run]) -> Iterator[Group]:
    """Take what is neither done nor in the hands of another process, group by group."""

    def free(run: Run) -> bool:
        if run in store:
            return False
        if not store.take(run):
            elsewhere.append(run)
            return False
        if run in store:  # it was finished just before it was taken
            store.leave(run)
            return False
        return True

    for group in groups:
        if own := tuple(filter(free, group)):
            yield own
