"""The executor that executes groups in several processes of this machine."""

import os
import signal
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import chain, islice
from multiprocessing import active_children, get_context, parent_process
from multiprocessing.connection import Connection
from threading import Thread
from typing import Any

from alignscope._util.cpu import threads_of_each
from alignscope.config.registry import export_registrations, import_registrations
from alignscope.data.paths import DataPaths
from alignscope.errors import AlignScopeError
from alignscope.experiments.executors.executor import Work
from alignscope.experiments.grouping import Group
from alignscope.experiments.progress import RunProgress, SilentProgress
from alignscope.results.store import RunOutcome

POLL_SECONDS = 0.2
"""Seconds after which the parent looks for outcomes. Longer waits would also delay Ctrl-C, because
polars, once imported, has signals restart a wait."""


@dataclass
class ProcessExecutor:
    """Execute groups in spawned processes, which share the cores and GPUs of this machine.

    Args:
        workers: the number of processes.
        lockstep: the number of runs that are stacked at most; by default as many as leave no
            process without work.
    """

    workers: int = 2
    lockstep: int | None = None
    _pool: "_Pool | None" = field(default=None, init=False, repr=False, compare=False)

    def group_size(self, pending: int) -> int:
        """Return ``lockstep``, or the number of runs of each worker."""
        return self.lockstep or max(1, -(-pending // self.workers))

    @contextmanager
    def warm_up(self) -> Iterator[None]:
        """Start the workers; see `Executor.warm_up`."""
        if self._pool is not None:
            yield
            return
        others = set(active_children())
        self._pool = _Pool(self.workers)
        try:
            with self._pool.processes:
                try:
                    yield
                except BaseException:
                    # Leaving the pool would wait until every worker has finished its group.
                    for worker in set(active_children()) - others:
                        worker.kill()
                    raise
        finally:
            self._pool.close()
            self._pool = None

    def execute(
        self, groups: Iterable[Group], work: Work, paths: DataPaths, progress: RunProgress
    ) -> Iterator[RunOutcome]:
        """Execute groups in the workers; see `Executor.execute`.

        ``progress`` is not called, because the steps of several processes would mix.

        Raises:
            AlignScopeError: if a worker is killed. Outcomes up to then have been yielded.
        """
        waiting = iter(groups)
        first = next(waiting, None)
        if first is None:  # without a group no worker needs to start
            return
        with self.warm_up():
            assert self._pool is not None
            try:
                yield from self._pool.execute(chain([first], waiting), work, paths)
            except KeyboardInterrupt:
                yield from self._pool.received()  # outcomes that arrived since the last poll
                raise
            except BrokenProcessPool:
                yield from self._pool.received()
                raise AlignScopeError(
                    "A worker process was killed, possibly because memory ran out. Finished runs "
                    "are kept. Run the command again with fewer workers."
                ) from None


class _Pool:
    """Worker processes, and the pipe through which their outcomes arrive.

    Outcomes take a pipe, because a future has no result before the whole group has ended.
    """

    def __init__(self, workers: int) -> None:
        context = get_context("spawn")
        self.workers = workers
        self._reader, self._writer = context.Pipe(duplex=False)
        started = context.Value("i", 0)
        registrations = export_registrations()
        self.processes = ProcessPoolExecutor(
            workers,
            mp_context=context,
            initializer=_prepare_worker,
            initargs=(workers, started, registrations, self._writer, context.Lock()),
        )
        for _ in range(workers):
            self.processes.submit(_import_libraries)

    def execute(
        self, groups: Iterable[Group], work: Work, paths: DataPaths
    ) -> Iterator[RunOutcome]:
        """Keep one group per worker in flight, and yield outcomes as they arrive."""
        waiting, in_flight = iter(groups), set[Future[None]]()
        while True:
            for group in islice(waiting, self.workers - len(in_flight)):
                in_flight.add(self.processes.submit(_execute_group, work, group, paths))
            if not in_flight:
                return
            ended, _ = wait(in_flight, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
            if any(future.exception() for future in ended):
                while any(not future.done() for future in in_flight):
                    wait(in_flight, timeout=POLL_SECONDS)
                    yield from self.received()
                ended = set(in_flight)
            in_flight -= ended
            yield from self.received()
            for future in ended:
                future.result()  # raises the error of the group, if it had one

    def received(self) -> Iterator[RunOutcome]:
        """Yield the outcomes that have arrived."""
        with suppress(EOFError, OSError):
            while self._reader.poll():
                yield self._reader.recv()

    def close(self) -> None:
        """Close the pipe."""
        self._reader.close()
        self._writer.close()


_outcomes: Connection
"""In a worker: the end of the pipe into which outcomes are written."""
_outcomes_lock: Any
"""In a worker: held while an outcome is written, because all workers share the pipe."""


def _execute_group(work: Work, group: Group, paths: DataPaths) -> None:
    for outcome in work(group, paths, SilentProgress()):
        with _outcomes_lock:
            _outcomes.send(outcome)


def _import_libraries() -> None:
    """Import what executing runs needs, so that the first group need not wait for it."""
    import alignscope.experiments.run  # noqa: F401


def _prepare_worker(
    workers: int, started: Any, registrations: bytes, outcomes: Connection, lock: Any
) -> None:
    """Give a worker its share of cores and GPUs, and have it end with its parent."""
    global _outcomes, _outcomes_lock
    _outcomes, _outcomes_lock = outcomes, lock
    # A Ctrl-C reaches all processes of a terminal. The parent handles it and kills the workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import torch

    Thread(target=_end_with_parent, daemon=True).start()
    import_registrations(registrations)
    torch.set_num_threads(threads_of_each(workers))
    with started.get_lock():
        number, started.value = started.value, started.value + 1
    if torch.cuda.is_available():  # there may be several workers per GPU
        count = torch.cuda.device_count()
        torch.cuda.set_device(number % count)
        torch.cuda.set_per_process_memory_fraction(1 / -(-workers // count))


def _end_with_parent() -> None:
    """End this worker when its parent is killed; otherwise it would wait for work for ever."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
