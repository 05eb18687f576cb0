"""Many small comparisons at once: one on each core is faster than all cores on each."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock

import torch
from torch import Tensor

LARGE = 4096
"""Rows from which a comparison keeps all cores busy by itself, and takes memory for n × n."""


@contextmanager
def single_threaded_pool(side: Tensor) -> Iterator[ThreadPoolExecutor]:
    """Give a pool that compares sides such as this one (n, d), each on a core of its own.

    >>> with single_threaded_pool(torch.randn(100, 8)) as pool:
    ...     print(pool.submit(torch.get_num_threads).result())
    1

    There are as many workers as torch has threads, which meanwhile has one. On a GPU, and for
    sides of many rows, there is one worker, and torch is left as it is. After an error nothing that
    was not yet begun is done.
    """
    if side.device.type != "cpu" or len(side) >= LARGE:
        with ThreadPoolExecutor(1) as pool:
            yield pool
        return
    with _torch_on_one_core() as cores:
        pool = ThreadPoolExecutor(cores, initializer=torch.set_num_threads, initargs=(1,))
        try:
            yield pool
        finally:
            pool.shutdown(cancel_futures=True)


_lock = Lock()
_inside: list[int] = []
"""For each that is inside, the threads that torch had before the first of them."""


@contextmanager
def _torch_on_one_core() -> Iterator[int]:
    """Let torch have one thread, and give back what it had when the last has left."""
    with _lock:
        threads = _inside[0] if _inside else torch.get_num_threads()
        _inside.append(threads)
        torch.set_num_threads(1)
    try:
        yield threads
    finally:
        with _lock:
            _inside.pop()
            if not _inside:
                torch.set_num_threads(threads)
