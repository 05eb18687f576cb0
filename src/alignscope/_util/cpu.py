"""How many CPU cores this process may use."""

import os


def available_cores() -> int:
    """The cores this process may use, which on a cluster are fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def threads_of_each(workers: int) -> int:
    """A worker's share of the cores, or what ``OMP_NUM_THREADS`` allows: two pools would crawl."""
    share = max(1, available_cores() // workers)
    said = os.environ.get("OMP_NUM_THREADS", "")
    return min(share, int(said)) if said.isdecimal() and int(said) else share
