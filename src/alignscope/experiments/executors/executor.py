"""The protocol of executors. A new executor is one new file that implements it."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from alignscope.data.paths import DataPaths
from alignscope.experiments.grouping import Group
from alignscope.experiments.progress import RunProgress
from alignscope.results.store import RunOutcome


class Work(Protocol):
    """Execute the runs of a group, and yield each outcome as soon as it exists."""

    def __call__(
        self, group: Group, paths: DataPaths, progress: RunProgress
    ) -> Iterable[RunOutcome]:
        """Execute a group of runs on data below ``paths``."""
        ...


class Executor(Protocol):
    """A place where groups of runs execute.

    An executor knows nothing of studies, stores or terminals. Three rules keep results right:

    - A process executes one group at a time, because runs seed torch's random generator. `Work`
      raises an error in a second thread.
    - A process of its own registers tasks and measures of the user before it executes a group:
      it calls ``config.registry.import_registrations`` with what ``export_registrations``
      returned here. `Work` and groups can be pickled.
    - Errors of a group leave `execute` after the outcomes that exist have been yielded.
    """

    def group_size(self, pending: int) -> int:
        """Return the number of runs that are stacked at most if ``pending`` runs are to execute."""
        ...

    def warm_up(self) -> AbstractContextManager[None]:
        """Start workers, which import their libraries while the caller checks the study.

        On exit all workers end; after an error or Ctrl-C they are killed.
        """
        ...

    def execute(
        self, groups: Iterable[Group], work: Work, paths: DataPaths, progress: RunProgress
    ) -> Iterator[RunOutcome]:
        """Execute groups, and yield outcomes in the order in which they arrive.

        Args:
            groups: the groups. They are drawn only when a worker is free, so that runs which
                another process has finished in the meantime can be left out.
            work: executes one group.
            paths: folders with data on this machine.
            progress: callbacks for executors that execute in this process, one group at a time.

        Raises:
            AlignScopeError: if a worker is lost. Errors of ``work`` are raised as they are.
        """
        ...
