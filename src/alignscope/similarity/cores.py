"""Many small comparisons at once: one on each core is faster than all cores on each."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import torch
from torch import Tensor

LARGE = 4096
"""Rows from which a comparison keeps all cores busy by itself, and takes memory for n × n."""


@contextmanager
def one_on_each_core(side: Tensor) -> Iterator[ThreadPoolExecutor]:
    """Give a pool that compares sides such as this one (n, d), each on a core of its own.

    >>> with one_on_each_core(torch.randn(100, 8)) as pool:
    ...     print(pool.submit(torch.get_num_threads).result())
    1

    There are as many workers as torch has threads, which meanwhile has one. On a GPU, and for
    sides of many rows, there is one worker, and torch is left as it is. After an error nothing that
    was not yet begun is done.
    """
    threads = torch.get_num_threads()
    many = side.device.type == "cpu" and len(side) < LARGE
    each = 1 if many else threads
    pool = ThreadPoolExecutor(threads if many else 1, initializer=torch.set_num_threads,
                              initargs=(each,))  # fmt: skip
    torch.set_num_threads(each)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)
