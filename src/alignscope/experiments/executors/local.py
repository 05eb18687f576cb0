"""Executors on this machine: one process, or several."""

import os
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import active_children, get_context, parent_process
from threading import Thread
from typing import Any

from alignscope._util.cpu import threads_of_each
from alignscope.config.registry import export_registrations, import_registrations
from alignscope.errors import AlignScopeError
from alignscope.experiments.grouping import Group
from alignscope.results.store import RunOutcome

Work = Callable[[Group], list[RunOutcome]]


def serial(groups: Iterable[Group], work: Work) -> Iterator[list[RunOutcome]]:
    """Perform groups of runs one after another, in this process."""
    return map(work, groups)


def processes(groups: Iterable[Group], work: Work, workers: int) -> Iterator[list[RunOutcome]]:
    """Perform groups in ``workers`` spawned processes, which share the cores and GPUs.

    ``groups`` is drawn from only as workers become free, so that a run finished elsewhere
    meanwhile can still be skipped; what the first takes to come is time in which workers get
    ready. Interrupted (Ctrl-C), or where no group comes, it stops the workers where they are.

    Raises:
        AlignScopeError: if a worker was killed; what had ended by then has been handed out.
    """
    others, context = set(active_children()), get_context("spawn")
    given = threads_of_each(workers), workers, context.Value("i", 0), export_registrations()
    with ProcessPoolExecutor(
        workers, mp_context=context, initializer=_prepare, initargs=given
    ) as pool:
        flying: set[Future[list[RunOutcome]]] = set()
        try:
            yield from _perform(pool, flying, iter(groups), work, workers)
        except BrokenProcessPool:
            raise AlignScopeError(
                "a worker process was killed, perhaps for want of memory; "
                "finished runs are kept: run again with fewer workers"
            ) from None
        except BaseException as error:
            # Nobody waits for the runs in flight, or there are none.
            if not flying or isinstance(error, KeyboardInterrupt | GeneratorExit):
                for worker in set(active_children()) - others:
                    worker.kill()
            raise


def _perform(
    pool: ProcessPoolExecutor,
    flying: set[Future[list[RunOutcome]]],
    waiting: Iterator[Group],
    work: Work,
    workers: int,
) -> Iterator[list[RunOutcome]]:
    """Keep as many groups in flight as there are workers; what has ended is handed out."""
    for _ in range(workers):
        pool.submit(_import, work)
    while True:
        for group in islice(waiting, workers - len(flying)):
            flying.add(pool.submit(work, group))
        if not flying:
            return
        # polars, once imported, has signals restart a wait: only a short one sees a Ctrl-C.
        ended, _ = wait(flying, timeout=1, return_when=FIRST_COMPLETED)
        if any(future.exception() for future in ended):
            ended, _ = wait(flying)
        flying -= ended
        yield from (future.result() for future in ended if not future.exception())
        for future in ended:
            future.result()


def _import(work: Work) -> None:
    """Do nothing: to be given the work, a worker has imported all that it needs."""


def _prepare(threads: int, workers: int, started: Any, registrations: bytes) -> None:
    """Make a worker ready: its share of cores and GPUs, and an end when the sweep ends."""
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # a Ctrl-C is for the sweep, which stops its workers
    import torch

    Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(threads)
    import_registrations(registrations)
    with started.get_lock():
        number, started.value = started.value, started.value + 1
    if torch.cuda.is_available():  # several workers on one GPU, if there are more than GPUs
        count = torch.cuda.device_count()
        torch.cuda.set_device(number % count)
        torch.cuda.set_per_process_memory_fraction(1 / -(-workers // count))


def _end_with_parent() -> None:
    """A pool whose process is killed would leave its workers waiting for work for ever."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
