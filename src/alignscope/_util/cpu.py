"""The number of CPU cores and threads for this process and its workers."""

import os


def available_cores() -> int:
    """Return the number of cores of this process; batch systems may grant fewer than there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def threads_of_each(workers: int) -> int:
    """Return the number of threads of each worker: its share, at most ``OMP_NUM_THREADS``."""
    share = max(1, available_cores() // workers)
    limit = os.environ.get("OMP_NUM_THREADS", "")
    return min(share, int(limit)) if limit.isdecimal() and int(limit) else share
