"""The executor that executes one group after another in this process."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from alignscope.data.paths import DataPaths
from alignscope.experiments.executors.executor import Work
from alignscope.experiments.grouping import Group
from alignscope.experiments.progress import RunProgress
from alignscope.results.store import RunOutcome


@dataclass(frozen=True)
class SerialExecutor:
    """Execute groups one after another in this process.

    Args:
        lockstep: the number of runs that are stacked at most; by default as many as fit in memory.
    """

    lockstep: int | None = None

    def group_size(self, pending: int) -> int:
        """Return ``lockstep``, or all pending runs."""
        return self.lockstep or max(1, pending)

    def warm_up(self) -> AbstractContextManager[None]:
        """Do nothing, because there are no workers."""
        return nullcontext()

    def execute(
        self, groups: Iterable[Group], work: Work, paths: DataPaths, progress: RunProgress
    ) -> Iterator[RunOutcome]:
        """Execute groups one after another; see `Executor.execute`."""
        for group in groups:
            yield from work(group, paths, progress)
