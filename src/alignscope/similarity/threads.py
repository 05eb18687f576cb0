"""Run many small comparisons in parallel, one per core, which beats all cores on each in turn."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock

import torch
from torch import Tensor

LARGE = 4096
"""Rows from which one comparison keeps all cores busy and needs memory for n × n entries."""


@contextmanager
def single_threaded_pool(side: Tensor) -> Iterator[ThreadPoolExecutor]:
    """Yield a thread pool for comparisons of sides such as this one (n, d), one core each.

    >>> with single_threaded_pool(torch.randn(100, 8)) as pool:
    ...     print(pool.submit(torch.get_num_threads).result())
    1

    The pool has as many workers as torch has threads, and torch has one thread meanwhile. On a GPU,
    and for sides of at least `LARGE` rows, the pool has one worker, and torch keeps its threads.
    After an error no further comparison starts.
    """
    if side.device.type != "cpu" or len(side) >= LARGE:
        with ThreadPoolExecutor(1) as pool:
            yield pool
        return
    with _single_threaded_torch() as cores:
        pool = ThreadPoolExecutor(cores, initializer=torch.set_num_threads, initargs=(1,))
        try:
            yield pool
        finally:
            pool.shutdown(cancel_futures=True)


_lock = Lock()
_thread_counts: list[int] = []
"""For each active pool, the number of threads that torch had before the first pool."""


@contextmanager
def _single_threaded_torch() -> Iterator[int]:
    """Give torch one thread, and restore its threads when the last pool ends."""
    with _lock:
        threads = _thread_counts[0] if _thread_counts else torch.get_num_threads()
        _thread_counts.append(threads)
        torch.set_num_threads(1)
    try:
        yield threads
    finally:
        with _lock:
            _thread_counts.pop()
            if not _thread_counts:
                torch.set_num_threads(threads)
